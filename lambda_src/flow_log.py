"""What every VPC of this project has: a record of its traffic, and a default security group that nothing uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from lambda_src.acknowledged import acknowledge_inline_policy
from lambda_src.log_group import log_group

if TYPE_CHECKING:
    from constructs import Construct

    from lambda_src.posture import Posture


def add_flow_log(scope: Construct, vpc: ec2.Vpc, *, posture: Posture) -> None:
    """Record what was accepted and what was refused in ``vpc``, in a log group that expires as ``posture`` says.

    Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-cwl.html
    """
    role = iam.Role(scope, "FlowLogRole", assumed_by=iam.ServicePrincipal("vpc-flow-logs.amazonaws.com"))
    acknowledge_inline_policy(role)
    group = log_group(scope, "FlowLogs", posture=posture)
    vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(group, role))
