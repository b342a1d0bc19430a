"""A VPC of isolated subnets, from which nothing outside can be reached, and into which nothing can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

from lambda_src.acknowledged import acknowledge
from lambda_src.flow_log import add_flow_log

if TYPE_CHECKING:
    from constructs import Construct

    from lambda_src.posture import Posture


def isolated_vpc(scope: Construct, *, addresses: str, zones: int, posture: Posture) -> ec2.Vpc:
    """Make a VPC with an isolated subnet in each zone, no internet gateway, no NAT gateway, and flow logs.

    :param addresses: of the VPC, such as ``10.15.1.0/24``, shared out to the subnets.
    :param zones: how many availability zones.
    :param posture: how long the flow logs are kept.

    Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-example-private-subnets-nat.html
    """
    vpc = ec2.Vpc(
        scope,
        "Vpc",
        ip_addresses=ec2.IpAddresses.cidr(addresses),
        max_azs=zones,
        subnet_configuration=[ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)],
        restrict_default_security_group=False,
    )
    acknowledge(
        vpc,
        "NIST.800.53.R5-VPCDefaultSecurityGroupClosed",
        "HIPAA.Security-VPCDefaultSecurityGroupClosed",
        "PCI.DSS.321-VPCDefaultSecurityGroupClosed",
        reason="Every network interface here has a security group of its own, and the VPC has no route out. "
        "CloudFormation cannot close the default group; a function that could would need more rights than that.",
    )
    add_flow_log(scope, vpc, posture=posture)
    return vpc
