"""A Python function on AWS Lambda: the chapter's five points of building one are its options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, Size
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from lambda_src import tracing
from lambda_src.acknowledged import acknowledge
from lambda_src.alarms import alarm_above
from lambda_src.bundling import bundle_options
from lambda_src.function.acknowledgements import acknowledge_defaults
from lambda_src.function.execution_role import execution_role
from lambda_src.log_group import log_group
from lambda_src.options import checked
from lambda_src.posture import Posture
from lambda_src.queue import let_send

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from constructs import Construct


class PythonFunction(lambda_.Function):
    """A function with its own least-privilege role, its own log group, traces and alarms.

    *Runtime*

    :param runtime_code: a folder that is a Python package, with a ``requirements.txt`` that pins its dependencies;
        they are bundled for the function's architecture, with no Docker. boto3 comes with Lambda's own runtime.
    :param shared_code: more such packages that the bundle holds beside ``runtime_code``, for it to import; by default
        ``tracing``, which docs/tracing.md describes. The code decides whether it uses them.
    :param handler: module and function inside that package, such as ``handler.handler``.
    :param runtime: Python version, the newest of Lambda by default.
    :param environment: environment variables of the code; no secrets, they are read in the console.
    :param function_name: physical name, 1 to 64 characters; CloudFormation makes one by default.
    :param snap_start: starts from a snapshot of the initialized code, at the cost of a published version; triggers
        then belong on ``live``, an alias of it. Needs ``ephemeral_storage`` of 512 MiB.

    *Permissions*

    :param role: an existing role, taken as it is; by default a new one that may write its own logs and traces, and
        has no AWS managed policy. Grant it more: ``table.grants.actions(function, "dynamodb:PutItem")``.
    :param encryption_key: customer managed KMS key for the environment variables and the logs; by default keys of
        AWS's. The policy of a key that this app does not make must let CloudWatch Logs use it.

    *Networking*

    :param vpc: run inside this VPC; by default the function runs outside any, and reaches AWS and the internet.
    :param vpc_subnets: which of its subnets, those with egress by default; needs ``vpc``.
    :param security_groups: a new one without inbound rules by default; needs ``vpc``.

    *Resources*

    :param memory_size: MB of memory, 128 to 10,240; CPU grows with it, one whole vCPU at 1,769.
    :param ephemeral_storage: size of /tmp, 512 to 10,240 MiB; 512 by default.
    :param timeout: 1 to 900 s, the 15 minutes of the chapter; 10 s by default.
    :param architecture: ``ARM_64`` by default, the cheaper.
    :param reserved_concurrency: most invocations at once, 0 (none) or more, taken from the account's; by default
        the function shares what the account has left.

    *Trigger*

    :param events: event sources that invoke it.
    :param dead_letter_queue: a standard queue, which keeps events that failed three times when the function is invoked
        asynchronously; the function's role may send to it, with its key if it has one.

    *Operation*

    :param posture: how long logs are kept.
    :param log_level: of the code, ``INFO`` by default; Lambda's own lines start at ``WARN``.
    :param alarm_topic: told of errors, throttles and durations near the timeout.
    :raises ValueError: naming every option outside its range, and every pair that excludes each other.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-function-common.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        runtime_code: Path,
        shared_code: Sequence[Path] | None = None,
        handler: str = "handler.handler",
        runtime: lambda_.Runtime = lambda_.Runtime.PYTHON_3_14,
        environment: Mapping[str, str] | None = None,
        function_name: str | None = None,
        snap_start: lambda_.SnapStartConf | None = None,
        role: iam.IRole | None = None,
        encryption_key: kms.IKey | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        memory_size: int = 256,
        ephemeral_storage: Size | None = None,
        timeout: Duration | None = None,
        architecture: lambda_.Architecture = lambda_.Architecture.ARM_64,
        reserved_concurrency: int | None = None,
        events: Sequence[lambda_.IEventSource] = (),
        dead_letter_queue: sqs.IQueue | None = None,
        posture: Posture = Posture.LAB,
        log_level: lambda_.ApplicationLogLevel = lambda_.ApplicationLogLevel.INFO,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Check the options, then make the function, its role, its log group and its alarms."""
        storage = ephemeral_storage or Size.mebibytes(512)
        timeout = timeout or Duration.seconds(10)
        with checked(PythonFunction, scope, construct_id) as options:
            seconds, mebibytes = timeout.to_seconds(), storage.to_mebibytes()
            options.require(runtime.family == lambda_.RuntimeFamily.PYTHON, "runtime", runtime.name, "a Python runtime")
            named = function_name is None or 1 <= len(function_name) <= 64
            options.require(named, "function_name", function_name, "1 to 64 characters")
            options.require(128 <= memory_size <= 10_240, "memory_size", memory_size, "128 to 10,240 MB")
            options.require(512 <= mebibytes <= 10_240, "ephemeral_storage", f"{mebibytes:,} MiB", "512 to 10,240 MiB")
            standard = dead_letter_queue is None or not dead_letter_queue.fifo
            options.require(standard, "dead_letter_queue", "a FIFO queue", "a standard queue")
            options.require(1 <= seconds <= 900, "timeout", f"{seconds:,} s", "1 to 900 s")
            reserved = reserved_concurrency is None or reserved_concurrency >= 0
            options.require(reserved, "reserved_concurrency", reserved_concurrency, "0 or more")
            options.require(
                snap_start is None or mebibytes == 512,
                "ephemeral_storage",
                f"{mebibytes:,} MiB",
                "SnapStart needs 512 MiB; leave out one of the two",
            )
            inside = vpc is not None
            options.require(inside or vpc_subnets is None, "vpc_subnets", "given without vpc", "give the vpc too")
            options.require(inside or not security_groups, "security_groups", "given without vpc", "give the vpc too")

        # A log group of the function's own: Lambda's would never expire, and would outlive the stack.
        group = log_group(scope, f"{construct_id}Logs", posture=posture, encryption_key=encryption_key)
        super().__init__(
            scope,
            construct_id,
            code=lambda_.Code.from_asset(
                **bundle_options(
                    runtime_code,
                    python=runtime.name.removeprefix("python"),
                    architecture=architecture,
                    shared=[tracing.RUNTIME / "tracing"] if shared_code is None else shared_code,
                )
            ),
            handler=f"{runtime_code.name}.{handler}",
            runtime=runtime,
            environment=dict(environment or {}),
            environment_encryption=encryption_key,
            function_name=function_name,
            snap_start=snap_start,
            role=role or execution_role(scope, f"{construct_id}Role", log_group=group, inside_vpc=vpc is not None),
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            security_groups=security_groups,
            memory_size=memory_size,
            ephemeral_storage_size=storage,
            timeout=timeout,
            architecture=architecture,
            reserved_concurrent_executions=reserved_concurrency,
            dead_letter_queue=dead_letter_queue,
            log_group=group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=log_level,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            tracing=lambda_.Tracing.ACTIVE,
            recursive_loop=lambda_.RecursiveLoop.TERMINATE,
        )
        acknowledge_defaults(
            self,
            environment=environment or {},
            encryption_key=encryption_key,
            vpc=vpc,
            reserved_concurrency=reserved_concurrency,
            dead_letter_queue=dead_letter_queue,
        )
        #: What a trigger invokes: the function, or with SnapStart an alias of its newest version.
        self.live: lambda_.IFunction = self
        if snap_start:
            self.live = lambda_.Alias(self, "Live", alias_name="live", version=self.current_version)
            acknowledge(
                self,
                "@aws-cdk/aws-lambda:snapStartRequirePublish",
                reason="A version is published, and triggers belong on the alias of it.",
            )
        if dead_letter_queue:
            let_send(self, dead_letter_queue)  # of the queue's key, the CDK does not think
        for event in events:
            self.live.add_event_source(event)
        #: Most invocations at once, where they are reserved.
        self.reserved_concurrency = reserved_concurrency
        #: Errors, throttles, and durations near the timeout.
        self.alarms = self._alarms(timeout, alarm_topic)

    def _alarms(self, timeout: Duration, topic: sns.ITopic | None) -> list[cloudwatch.Alarm]:
        minute = Duration.minutes(1)
        return [
            alarm_above(
                self,
                "Errors",
                metric=self.metric_errors(period=minute),
                threshold=0,
                description="Invocations ended in an error: read the function's logs.",
                topic=topic,
            ),
            alarm_above(
                self,
                "Throttles",
                metric=self.metric_throttles(period=minute),
                threshold=0,
                description="Invocations were refused: the concurrency of the function or of the account is used up.",
                topic=topic,
            ),
            alarm_above(
                self,
                "NearTimeout",
                metric=self.metric_duration(period=minute, statistic="Maximum"),
                threshold=0.9 * timeout.to_milliseconds(),
                description="An invocation took over 90 % of the timeout: give it more time, more memory or less work.",
                topic=topic,
            ),
        ]
