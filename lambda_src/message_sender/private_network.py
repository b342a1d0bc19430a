"""A network from which nothing but a few AWS services can be reached, and into which nothing can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambda_src.isolated_vpc import isolated_vpc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_src.posture import Posture

_ADDRESSES = "10.15.1.0/24"
_HTTPS = ec2.Port.tcp(443)


class PrivateNetwork(Construct):
    """A VPC with one isolated subnet, no internet gateway and no NAT gateway, and the endpoints of a few AWS services.

    An instance in it can be reached by Session Manager, can send to Amazon SQS, and can download packages of Amazon
    Linux 2023 and what ``downloads`` names, all of it through endpoints. The three interface endpoints cost about
    0.03 USD an hour together; the gateway endpoint of Amazon S3 costs nothing.

    :param downloads: ARNs of the objects in Amazon S3 that may be downloaded.
    :param posture: how long the flow logs are kept.

    Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, downloads: Sequence[str], posture: Posture) -> None:
        """Make the VPC, its flow logs and its endpoints."""
        super().__init__(scope, construct_id)
        #: One isolated subnet in one availability zone.
        self.vpc = isolated_vpc(self, addresses=_ADDRESSES, zones=1, posture=posture)
        #: What must be there before an instance can be reached, or reach anything.
        self.endpoints: list[ec2.VpcEndpoint] = [self._downloads_endpoint(downloads), *self._interface_endpoints()]

    def _downloads_endpoint(self, downloads: Sequence[str]) -> ec2.GatewayVpcEndpoint:
        stack = Stack.of(self)
        # Amazon Linux 2023 keeps its packages in a bucket of this name in every region.
        packages = stack.format_arn(
            service="s3",
            region="",
            account="",
            resource=f"al2023-repos-{stack.region}-de612dc2",
            resource_name="*",
        )
        endpoint = self.vpc.add_gateway_endpoint("Downloads", service=ec2.GatewayVpcEndpointAwsService.S3)
        endpoint.add_to_policy(
            iam.PolicyStatement(
                principals=[iam.AnyPrincipal()], actions=["s3:GetObject"], resources=[packages, *downloads]
            )
        )
        return endpoint

    def _interface_endpoints(self) -> list[ec2.InterfaceVpcEndpoint]:
        group = ec2.SecurityGroup(
            self, "Endpoints", vpc=self.vpc, allow_all_outbound=False, description="Endpoints of AWS services"
        )
        group.add_ingress_rule(ec2.Peer.ipv4(_ADDRESSES), _HTTPS, "HTTPS from this network")
        # ec2messages is not among them: since SSM Agent 3.3.40 Session Manager does without.
        return [
            self.vpc.add_interface_endpoint(name, service=service, security_groups=[group], open=False)
            for name, service in (
                ("SystemsManager", ec2.InterfaceVpcEndpointAwsService.SSM),
                ("SessionManager", ec2.InterfaceVpcEndpointAwsService.SSM_MESSAGES),
                ("Queue", ec2.InterfaceVpcEndpointAwsService.SQS),
            )
        ]
