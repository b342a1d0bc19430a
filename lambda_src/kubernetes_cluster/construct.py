"""A Kubernetes cluster whose control plane, and the machines under its pods, AWS looks after."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import Annotations, Names
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from lambda_src.acknowledged import acknowledge_inline_policy
from lambda_src.kubernetes_cluster import checks
from lambda_src.kubernetes_cluster.acknowledgements import acknowledge_cluster
from lambda_src.kubernetes_cluster.alarms import cluster_alarms
from lambda_src.kubernetes_cluster.compute import Compute, configuration, default_addons
from lambda_src.kubernetes_cluster.fargate import FargatePods
from lambda_src.kubernetes_cluster.hybrid import add_hybrid_nodes
from lambda_src.kubernetes_cluster.logs import LOG_TYPES, add_log_group
from lambda_src.options import InvalidOptionsError, checked
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_sns as sns
    from constructs import Construct


class KubernetesCluster(eks.Cluster):
    """A cluster of Amazon EKS: private, with encrypted secrets and every log of its control plane.

    Who may use it is said by access entries of the EKS API, for IAM roles: the ``aws-auth`` map is not read, and
    whoever makes the cluster is no administrator of it. Manifests are not applied from here, and so there is no
    function that could: ``kubectl`` or a pipeline applies them, from where the endpoint can be reached.

    :param cluster_name: physical name, 1 to 100 letters, digits, ``-`` and ``_``, a letter or a digit first; made of
        the construct's path by default. It is known before the cluster is made, as the group of its logs is named by
        it, and so no deployment puts an empty cluster in the place of one that it cannot change.
    :param vpc: with private subnets in two zones at least; the control plane and the pods are in them.
    :param kubernetes_version: major and minor, such as ``1.35``, of those that AWS supports as a standard.
    :param extended_support: stay on the version when its standard support ends, 14 months after its release, for six
        times the price of the control plane; by default AWS then upgrades it to the next version.
    :param compute: what pods run on: ``FARGATE`` or ``AUTO_MODE``.
    :param fargate_namespaces: on Fargate, the namespaces whose pods it runs beside those of the system, 1 to 4.
    :param addons: add-ons of EKS with their exact versions, beside those that the cluster cannot do without.
    :param public_access_from: networks (CIDR) from which the endpoint can be reached over the internet; by default it
        can be reached from the VPC alone.
    :param administrators: ARNs of the IAM roles that may do everything in the cluster.
    :param remote_node_networks: private networks (CIDR) outside AWS with hybrid nodes, that a VPN or Direct Connect
        links to the VPC; apart from the VPC's addresses, and from 10.100.0.0/16 and 172.20.0.0/16, one of which
        Kubernetes' services get. With them the cluster has kube-proxy and CoreDNS as add-ons, in Auto Mode too.
    :param remote_pod_networks: those of the pods on hybrid nodes, apart from all of these.
    :param secrets_key: symmetric customer managed KMS key for the secrets in the cluster; by default the block makes
        one. Whoever deploys needs ``kms:CreateGrant`` and ``kms:DescribeKey`` on it: Amazon EKS uses it by a grant.
    :param posture: ``PRODUCTION`` refuses the deletion of the cluster, and keeps it when its stack is deleted.
    :param alarm_topic: told when the API server fails, and when pods find no place.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/clusters.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster_name: str | None = None,
        vpc: ec2.IVpc,
        kubernetes_version: str = "1.35",
        extended_support: bool = False,
        compute: Compute = Compute.FARGATE,
        fargate_namespaces: Sequence[str] = (),
        addons: Mapping[str, str] | None = None,
        public_access_from: Sequence[str] = (),
        administrators: Sequence[str] = (),
        remote_node_networks: Sequence[str] = (),
        remote_pod_networks: Sequence[str] = (),
        secrets_key: kms.IKey | None = None,
        posture: Posture = Posture.LAB,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Check the options, then make the cluster."""
        path = Names.unique_resource_name(scope, max_length=60, separator="-")
        name = cluster_name or f"{path}-{construct_id[:39]}"
        with checked(KubernetesCluster, scope, construct_id) as options:
            checks.check_name(options, name)
            checks.check_version(options, kubernetes_version, addons or {})
            checks.check_compute(options, compute, fargate_namespaces)
            checks.check_networks(options, public_access_from, remote_node_networks, remote_pod_networks)
            checks.check_remote_networks(options, vpc, remote_node_networks, remote_pod_networks)
        key = secrets_key or kms.Key(
            scope,
            f"{construct_id}SecretsKey",
            description="Secrets of a Kubernetes cluster",
            enable_key_rotation=True,
            removal_policy=posture.removal_policy,
        )
        public = eks.EndpointAccess.PUBLIC_AND_PRIVATE.only_from(*public_access_from) if public_access_from else None
        auto_mode = compute is Compute.AUTO_MODE
        private = ec2.SubnetSelection(subnets=vpc.private_subnets or vpc.isolated_subnets)
        super().__init__(
            scope,
            construct_id,
            cluster_name=name,
            version=eks.KubernetesVersion.of(kubernetes_version),
            vpc=vpc,
            vpc_subnets=[private],
            endpoint_access=public or eks.EndpointAccess.PRIVATE,
            secrets_encryption_key=key,
            cluster_logging=LOG_TYPES,
            default_capacity_type=eks.DefaultCapacityType.AUTOMODE if auto_mode else eks.DefaultCapacityType.NODEGROUP,
            default_capacity=None if auto_mode else 0,
            bootstrap_cluster_creator_admin_permissions=False,
            bootstrap_self_managed_addons=False,
            output_config_command=False,
            remote_node_networks=[eks.RemoteNodeNetwork(cidrs=[*remote_node_networks])]
            if remote_node_networks
            else None,
            remote_pod_networks=[eks.RemotePodNetwork(cidrs=[*remote_pod_networks])] if remote_pod_networks else None,
            removal_policy=posture.removal_policy,
        )
        #: What the control plane says, of all five types.
        self.logs: logs.LogGroup = add_log_group(self, name, posture=posture)
        self.compute = compute
        self.kubernetes_version = kubernetes_version
        #: Encrypts the secrets in the cluster.
        self.secrets_key: kms.IKey = key
        resource = self._resource
        resource.upgrade_policy = eks.CfnCluster.UpgradePolicyProperty(
            support_type="EXTENDED" if extended_support else "STANDARD"
        )
        resource.deletion_protection = posture.protects_data
        for number, role_arn in enumerate(administrators):
            self._add_administrator(number, role_arn)
        #: What runs the pods of the named namespaces; nothing with Auto Mode.
        self.fargate: FargatePods | None = None
        if not auto_mode:
            self.fargate = FargatePods(
                self, "Fargate", cluster=self, subnets=private, namespaces=fargate_namespaces, posture=posture
            )
        #: What hybrid nodes are; nothing without remote networks.
        self.hybrid_node_role: iam.Role | None = add_hybrid_nodes(self) if remote_node_networks else None
        needed = default_addons(compute, kubernetes_version, hybrid_nodes=bool(remote_node_networks))
        for addon, addon_version in {**needed, **(addons or {})}.items():
            self._add_addon(addon, addon_version)
        #: Tell ``alarm_topic``: the API server fails, pods find no place.
        self.alarms: list[cloudwatch.Alarm] = cluster_alarms(self, topic=alarm_topic)
        # What manifests applied from here would wait for: a parameter that nobody reads.
        self.node.try_remove_child("KubectlReadyBarrier")
        acknowledge_cluster(self, compute)
        Annotations.of(self).acknowledge_warning(
            "@aws-cdk/aws-eks:isolatedSubnetsForKubectlPrivateSubnets", "No function applies manifests from there."
        )

    def workload_role(self, construct_id: str, *, namespace: str, service_account: str) -> iam.Role:
        """Make a role that the pods of a service account have, by EKS Pod Identity; grant it what they need.

        :raises ValueError: on Fargate, whose pods EKS Pod Identity does not reach.

        Source: https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html
        """
        if self.compute is Compute.FARGATE:
            raise InvalidOptionsError(
                f"KubernetesCluster {self.node.path}: EKS Pod Identity does not reach pods on Fargate. "
                "Take compute=Compute.AUTO_MODE, or IAM roles for service accounts."
            )
        pods = iam.SessionTagsPrincipal(iam.ServicePrincipal("pods.eks.amazonaws.com"))
        role = iam.Role(self, construct_id, assumed_by=pods)
        acknowledge_inline_policy(role)
        eks.CfnPodIdentityAssociation(
            self,
            f"{construct_id}Association",
            cluster_name=self.cluster_name,
            namespace=namespace,
            service_account=service_account,
            role_arn=role.role_arn,
        )
        return role

    @property
    def _resource(self) -> eks.CfnCluster:
        resource = self.node.default_child
        assert isinstance(resource, eks.CfnCluster)  # noqa: S101 - for mypy: it is what the CDK makes
        return resource

    def _add_administrator(self, number: int, role_arn: str) -> None:
        policy = eks.AccessPolicy.from_access_policy_name(
            "AmazonEKSClusterAdminPolicy", access_scope_type=eks.AccessScopeType.CLUSTER
        )
        self.grant_access(f"Administrator{number}", role_arn, [policy])

    def _add_addon(self, name: str, version: str) -> None:
        addon = eks.Addon(
            self,
            f"Addon-{name}",
            cluster=cast("eks.ICluster", self),  # the CDK's declaration of its own class lacks a member
            addon_name=name,
            addon_version=version,
            configuration_values=configuration(name, self.compute),
        )
        if self.fargate:
            # Its pods need a place: before the profile is there, they would wait, and the deployment with them.
            addon.node.add_dependency(self.fargate)
