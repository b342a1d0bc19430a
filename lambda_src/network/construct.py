"""A VPC whose private subnets reach AWS's services, or the internet, and which records its traffic."""

from __future__ import annotations

import ipaddress
from enum import Enum
from typing import TYPE_CHECKING

from aws_cdk import Fn
from aws_cdk import aws_ec2 as ec2

from lambda_src.acknowledged import acknowledge
from lambda_src.flow_log import add_flow_log
from lambda_src.options import checked
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

#: What a task on Fargate calls before its container runs, and while it does: its image, its logs, its secrets.
TASK_SERVICES: Sequence[ec2.InterfaceVpcEndpointAwsService] = (
    ec2.InterfaceVpcEndpointAwsService.ECR,
    ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
)


class Egress(Enum):
    """What private subnets can reach."""

    #: The AWS services that were named, through VPC endpoints in one zone, and nothing else.
    AWS_SERVICES = "AWS services"
    #: Everything, through a NAT gateway in every zone.
    INTERNET = "internet"


class Network(ec2.Vpc):
    """A VPC with a public and a private subnet in every zone; what is in the private ones has no public address.

    With four services in one zone, endpoints cost 0.04 USD an hour where a NAT gateway costs 0.05, and 0.01 USD a GB
    where it costs 0.045. They share their one zone: if it fails, nothing in the private subnets reaches those services.
    Images and logs in Amazon S3 take its gateway endpoint in either case, which costs nothing.

    :param egress: what the private subnets can reach; by default ``AWS_SERVICES`` in the posture ``LAB``, and
        ``INTERNET`` in ``PRODUCTION``.
    :param services: which ones have an endpoint, where the egress is ``AWS_SERVICES``; by default what a task on
        Fargate needs to start (``TASK_SERVICES``).
    :param zones: the region's first so many availability zones, 2 to 6; a load balancer needs two.
    :param addresses: the VPC's IPv4 addresses, from /16 to /24.
    :param posture: how long flow logs are kept, and what the egress is unless it is given.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        egress: Egress | None = None,
        services: Sequence[ec2.InterfaceVpcEndpointAwsService] = TASK_SERVICES,
        zones: int = 2,
        addresses: str = "10.15.0.0/16",
        posture: Posture = Posture.LAB,
    ) -> None:
        """Check the options, then make the VPC, its flow log, and the way out of it."""
        egress = egress or (Egress.INTERNET if posture is Posture.PRODUCTION else Egress.AWS_SERVICES)
        with checked(Network, scope, construct_id) as options:
            options.require(2 <= zones <= 6, "zones", zones, "2 to 6")
            options.require(_is_network(addresses), "addresses", addresses, "a network such as 10.15.0.0/16, to /24")
        internet = egress is Egress.INTERNET
        private = ec2.SubnetType.PRIVATE_WITH_EGRESS if internet else ec2.SubnetType.PRIVATE_ISOLATED
        super().__init__(
            scope,
            construct_id,
            ip_addresses=ec2.IpAddresses.cidr(addresses),
            # Named by CloudFormation, so that nobody has to look them up.
            availability_zones=[Fn.select(number, Fn.get_azs()) for number in range(zones)],
            nat_gateways=zones if internet else 0,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="Public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False
                ),
                ec2.SubnetConfiguration(name="Private", subnet_type=private),
            ],
            restrict_default_security_group=False,
            gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
        )
        #: What the private subnets can reach.
        self.egress: Egress = egress
        #: What has to be there before anything in the private subnets can start.
        self.endpoints: list[ec2.InterfaceVpcEndpoint] = [] if internet else self._add_endpoints(services, addresses)
        add_flow_log(self, self, posture=posture)
        acknowledge(
            self,
            "NIST.800.53.R5-VPCNoUnrestrictedRouteToIGW",
            "HIPAA.Security-VPCNoUnrestrictedRouteToIGW",
            "PCI.DSS.321-VPCNoUnrestrictedRouteToIGW",
            reason="Public subnets are for load balancers, which the internet has to reach, and for NAT gateways. "
            "Nothing there gets a public address by itself, and everything else belongs in the private subnets.",
        )
        acknowledge(
            self,
            "NIST.800.53.R5-VPCDefaultSecurityGroupClosed",
            "HIPAA.Security-VPCDefaultSecurityGroupClosed",
            "PCI.DSS.321-VPCDefaultSecurityGroupClosed",
            reason="Every network interface here has a security group of its own, and the default one lets nobody in "
            "who does not have it too. CloudFormation cannot close it; a function that could would need more rights.",
        )

    def _add_endpoints(
        self, services: Sequence[ec2.InterfaceVpcEndpointAwsService], addresses: str
    ) -> list[ec2.InterfaceVpcEndpoint]:
        group = ec2.SecurityGroup(
            self, "Endpoints", vpc=self, allow_all_outbound=False, description="Endpoints of AWS services"
        )
        group.add_ingress_rule(ec2.Peer.ipv4(addresses), ec2.Port.tcp(443), "HTTPS from this network")
        return [
            self.add_interface_endpoint(
                service.short_name.title().replace(".", ""),
                service=service,
                security_groups=[group],
                open=False,
                subnets=ec2.SubnetSelection(subnets=[self.isolated_subnets[0]]),
            )
            for service in services
        ]


def _is_network(text: str) -> bool:
    try:
        return 16 <= ipaddress.IPv4Network(text).prefixlen <= 24
    except ValueError:
        return False
