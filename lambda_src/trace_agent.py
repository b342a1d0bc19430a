"""What every agent that takes traces and sends them to X-Ray has in common: where it listens, and what it may do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from lambda_src.acknowledged import acknowledge, acknowledge_inline_policy

if TYPE_CHECKING:
    from constructs import Construct

#: Where whatever shares the agent's host, or its task, finds it: X-Ray's own protocol, and OpenTelemetry's.
ENVIRONMENT = {
    "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
}


def configuration(listen: str) -> str:
    """Configure the CloudWatch agent to take traces at the address ``listen``, and to do nothing else.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html
    """
    daemon = f"{listen}:2000"
    collected = {
        "xray": {"bind_address": daemon, "tcp_proxy": {"bind_address": daemon}},
        "otlp": {"grpc_endpoint": f"{listen}:4317", "http_endpoint": f"{listen}:4318"},
    }
    return json.dumps({"traces": {"traces_collected": collected}})


def let_send_traces(scope: Construct, construct_id: str, role: iam.IRole) -> iam.Policy:
    """Let ``role`` send traces, and ask what the sampling rules say.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-daemon.html
    """
    policy = iam.Policy(
        scope,
        construct_id,
        roles=[role],
        statements=[
            iam.PolicyStatement(
                actions=[
                    "xray:GetSamplingRules",
                    "xray:GetSamplingTargets",
                    "xray:PutTelemetryRecords",
                    "xray:PutTraceSegments",
                ],
                resources=["*"],
            )
        ],
    )
    acknowledge_inline_policy(policy)
    acknowledge(
        policy,
        "AwsSolutions-IAM5[Resource::*]",
        reason="Traces and sampling decisions belong to no resource that a policy could name.",
    )
    return policy
