"""Orchestrating containers outside AWS with Amazon EKS Anywhere: what of it there is in an AWS account.

The cluster itself is in no stack: it runs in the customer's data center, made from a specification by ``eksctl
anywhere``. Those of this section are in ``lab_stacks/eks_anywhere_clusters.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab_stacks.section import Section
from lambda_src.curated_packages_policy.construct import CuratedPackagesPolicy
from lambda_src.eks_connector_role.construct import EksConnectorRole

if TYPE_CHECKING:
    from constructs import Construct


class EksAnywhere(Section):
    """The role of the EKS Connector, and by choice permission to pull curated packages.

    Context: ``clusters`` (names with commas between them, the only ones that may be registered with the role), and
    ``packages_region`` (where the Enterprise subscription was bought; adds the policy that pulls curated packages).
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        """Wire what a cluster outside AWS needs inside."""
        super().__init__(scope, construct_id, **kwargs)

        # "Control plane location: located entirely within a customer data center": the console sees it by a connector
        names = [name for name in self.setting("clusters", "").split(",") if name]
        connector = EksConnectorRole(self, "Connector", cluster_names=names)
        self.output("ConnectorRoleArn", connector.role_arn)

        # "Enterprise subscriptions: curated packages require an Enterprise subscription"
        if region := self.setting("packages_region", ""):
            packages = CuratedPackagesPolicy(self, "Packages", region=region)
            self.output("PackagesPolicyArn", packages.managed_policy_arn)
            self.output("PackagesRegistry", packages.registry)
