"""The blocks of the section eks-anywhere with every option given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_src.curated_packages_policy.construct import CuratedPackagesPolicy
from lambda_src.eks_connector_role.construct import EksConnectorRole

if TYPE_CHECKING:
    import aws_cdk as cdk


def add(stack: cdk.Stack, operation: dict[str, Any]) -> None:  # noqa: ARG001 - as every module of options
    """Add each block; none of them has an alarm or a posture."""
    EksConnectorRole(stack, "EksConnector", cluster_names=["factory"], role_name="EksConnectorAgent")
    CuratedPackagesPolicy(stack, "CuratedPackages", region="eu-central-1")
