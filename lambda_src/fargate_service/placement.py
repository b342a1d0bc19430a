"""Where tasks are: what they can reach, and what has to be there before they can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

if TYPE_CHECKING:
    from constructs import Construct


def security_group(scope: Construct, construct_id: str, vpc: ec2.IVpc) -> ec2.SecurityGroup:
    """Make the tasks' security group: they reach AWS's services, and what they are let reach later."""
    group = ec2.SecurityGroup(
        scope,
        construct_id,
        vpc=vpc,
        allow_all_outbound=False,
        description="Tasks: the load balancer reaches them, and they reach AWS services",
    )
    # To any address: the endpoint of Amazon S3 has no security group, and its addresses differ in every region.
    group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "HTTPS to AWS services")
    return group


def ways_out(vpc: ec2.IVpc) -> list[ec2.VpcEndpoint | ec2.CfnRoute]:
    """List the endpoints and the routes of a VPC that this app makes."""
    return [one for one in vpc.node.find_all() if isinstance(one, (ec2.VpcEndpoint, ec2.CfnRoute))]
