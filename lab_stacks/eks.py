"""Running containers in EKS: a Kubernetes cluster whose pods are on Fargate, and the image that they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr_assets as ecr_assets

from lab_stacks.section import Section
from lambda_src.kubernetes_cluster.compute import Compute
from lambda_src.kubernetes_cluster.construct import KubernetesCluster
from lambda_src.network.construct import Egress, Network
from lambda_src.web_image.construct import WebImage

if TYPE_CHECKING:
    from constructs import Construct

_NAMESPACE = "web"
# What nodes and pods call where they cannot reach the internet.
# Source: https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html
_SERVICES = [
    ec2.InterfaceVpcEndpointAwsService.ECR,
    ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    ec2.InterfaceVpcEndpointAwsService.EC2,
    ec2.InterfaceVpcEndpointAwsService.EKS,
    ec2.InterfaceVpcEndpointAwsService.STS,
]


class Eks(Section):
    """A cluster of Amazon EKS for the web image, whose manifests `lab eks manifests` prints.

    Context: ``cluster_name`` (``serverless-lab``); ``compute`` (``fargate``, as in the chapter, or ``auto-mode``),
    ``kubernetes_version`` and ``extended_support`` (``paid``); ``administrators``, ARNs of IAM roles with commas
    between them; ``public_access_from``, ``remote_node_networks`` and ``remote_pod_networks``, networks with commas
    between them; ``metrics_server``, the version of that add-on, without which nothing scales by CPU; ``base_image``
    and ``busybox_image`` of the image.
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        """Wire the section, in the order in which the chapter tells it."""
        super().__init__(scope, construct_id, **kwargs)
        compute = Compute(self.choice("compute", *(one.value for one in Compute)))
        on_fargate = compute is Compute.FARGATE

        # "AWS Fargate ... works with both AWS ECS and AWS EKS": the same image as there
        image = WebImage(
            self,
            "Image",
            platform=ecr_assets.Platform.LINUX_AMD64,  # Fargate has no other for Kubernetes
            base_image=self.setting("base_image", "") or None,
            busybox_image=self.setting("busybox_image", "") or None,
        )
        # "AWS EKS is a managed service to orchestrate running containers using K8s"
        metrics_server = self.setting("metrics_server", "")
        network = Network(
            self,
            "Network",
            # Auto Mode's instances come with images and updates from more places than endpoints reach.
            egress=None if on_fargate else Egress.INTERNET,
            services=_SERVICES,
            posture=self.posture,
        )
        cluster = KubernetesCluster(
            self,
            "Cluster",
            cluster_name=self.setting("cluster_name", "serverless-lab"),
            vpc=network,
            kubernetes_version=self.setting("kubernetes_version", "1.35"),
            extended_support=self.choice("extended_support", "none", "paid") == "paid",
            compute=compute,
            fargate_namespaces=[_NAMESPACE] if on_fargate else [],
            addons={"metrics-server": metrics_server} if metrics_server else {},
            administrators=self.names("administrators"),
            public_access_from=self.names("public_access_from"),
            # "K8s can be used on-premises and in the cloud": nodes of both in one cluster
            remote_node_networks=self.names("remote_node_networks"),
            remote_pod_networks=self.names("remote_pod_networks"),
            posture=self.posture,
            alarm_topic=self.alarm_topic(),
        )
        cluster.node.add_dependency(*network.endpoints)

        self.output("ClusterName", cluster.cluster_name)
        self.output("KubernetesVersion", cluster.kubernetes_version)
        self.output("ImageUri", image.image_uri)
        self.output("Namespace", _NAMESPACE)
        if cluster.fargate:
            self.output("PodLogGroupName", cluster.fargate.logs.log_group_name)
        if cluster.hybrid_node_role:
            self.output("HybridNodeRoleArn", cluster.hybrid_node_role.role_arn)
