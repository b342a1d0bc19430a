"""What a function leaves out unless its options ask for it, and why that is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_src.acknowledged import acknowledge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sqs as sqs


def acknowledge_defaults(
    function: lambda_.Function,
    *,
    environment: Mapping[str, str],
    encryption_key: kms.IKey | None,
    vpc: ec2.IVpc | None,
    reserved_concurrency: int | None,
    dead_letter_queue: sqs.IQueue | None,
) -> None:
    """Acknowledge, of each option that was not given, what the policies would say."""
    acknowledge(
        function,
        "W3005",
        reason="The CDK makes a function wait for all of its role: for the policy, which is needed, and for the role "
        "itself, which is implied.",
    )
    if environment and encryption_key is None:
        acknowledge(
            function,
            "CKV_AWS_173",
            reason="No encryption_key was given: AWS Lambda encrypts environment variables with a key of its own, "
            "and secrets do not belong in them.",
        )
    if vpc is None:
        acknowledge(
            function,
            "CKV_AWS_117",
            "NIST.800.53.R5-LambdaInsideVPC",
            "HIPAA.Security-LambdaInsideVPC",
            "PCI.DSS.321-LambdaInsideVPC",
            reason="No vpc was given: the function has no network address that anybody could reach, and calls AWS "
            "over TLS with its own role. It needs a VPC just to reach what is inside one.",
        )
    if reserved_concurrency is None:
        acknowledge(
            function,
            "CKV_AWS_115",
            "NIST.800.53.R5-LambdaConcurrency",
            "HIPAA.Security-LambdaConcurrency",
            reason="No reserved_concurrency was given: what is reserved here is taken from every other function of "
            "the account. Triggers have limits of their own, and an alarm tells of throttles.",
        )
    if dead_letter_queue is None:
        acknowledge(
            function,
            "CKV_AWS_116",
            "NIST.800.53.R5-LambdaDLQ",
            "HIPAA.Security-LambdaDLQ",
            "Serverless-LambdaDLQ",
            reason="No dead_letter_queue was given: it would keep events of asynchronous invocations alone. A queue "
            "or a stream that invokes the function keeps what failed itself.",
        )
