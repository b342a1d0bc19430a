"""The function block: what it makes, what it refuses, what it accepts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Size
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Match, Template
from aws_cdk.aws_lambda_event_sources import SnsEventSource

from lambda_src.function.construct import PythonFunction
from lambda_src.posture import Posture
from lambda_src.queue import EncryptedQueue
from tests.stacks.synthesis import only, permissions, resources

if TYPE_CHECKING:
    from aws_cdk import Stack


@pytest.fixture
def vpc(stack: Stack) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["us-east-1a"],
        private_subnet_ids=["subnet-0123456789abcdef0"],
    )


def role_of(stack: Stack, function: PythonFunction) -> str:
    assert function.role
    role: str = stack.resolve(function.role.role_arn)["Fn::GetAtt"][0]
    return role


def test_runtime_code_is_all_that_it_needs(stack: Stack, runtime_code: Path) -> None:
    PythonFunction(stack, "Function", runtime_code=runtime_code)

    Template.from_stack(stack).has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Architectures": ["arm64"],
            "EphemeralStorage": {"Size": 512},
            "Handler": "runtime.handler.handler",
            "LoggingConfig": {
                "ApplicationLogLevel": "INFO",
                "LogFormat": "JSON",
                "LogGroup": {"Ref": Match.string_like_regexp("FunctionLogs")},
                "SystemLogLevel": "WARN",
            },
            "MemorySize": 256,
            "RecursiveLoop": "Terminate",
            "Runtime": "python3.14",
            "Timeout": 10,
            "TracingConfig": {"Mode": "Active"},
            "FunctionName": Match.absent(),
            "ReservedConcurrentExecutions": Match.absent(),
            "VpcConfig": Match.absent(),
        },
    )


def test_its_role_may_log_and_trace_and_nothing_else(stack: Stack, runtime_code: Path) -> None:
    function = PythonFunction(stack, "Function", runtime_code=runtime_code)

    template = Template.from_stack(stack).to_json()

    [log_group] = resources(template, "AWS::Logs::LogGroup")
    assert permissions(template, role_of(stack, function)) == {
        "logs:CreateLogStream": {"Fn::GetAtt": [log_group, "Arn"]},
        "logs:PutLogEvents": {"Fn::GetAtt": [log_group, "Arn"]},
        "xray:PutTelemetryRecords": "*",
        "xray:PutTraceSegments": "*",
    }
    assert "ManagedPolicyArns" not in only(template, "AWS::IAM::Role")


@pytest.mark.parametrize(
    ("posture", "days", "deletion"), [(Posture.LAB, 7, "Delete"), (Posture.PRODUCTION, 365, "RetainExceptOnCreate")]
)
def test_its_logs_expire(stack: Stack, runtime_code: Path, posture: Posture, days: int, deletion: str) -> None:
    PythonFunction(stack, "Function", runtime_code=runtime_code, posture=posture)

    Template.from_stack(stack).has_resource(
        "AWS::Logs::LogGroup", {"Properties": {"RetentionInDays": days}, "DeletionPolicy": deletion}
    )


def test_alarms_tell_the_topic_of_errors_throttles_and_durations_near_the_timeout(
    stack: Stack, runtime_code: Path
) -> None:
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:us-east-1:111122223333:alarms")

    function = PythonFunction(
        stack, "Function", runtime_code=runtime_code, timeout=Duration.seconds(20), alarm_topic=topic
    )

    alarms = resources(Template.from_stack(stack).to_json(), "AWS::CloudWatch::Alarm").values()
    assert len(function.alarms) == len(alarms) == 3
    assert {alarm["MetricName"]: alarm["Threshold"] for alarm in alarms} == {
        "Errors": 0,
        "Throttles": 0,
        "Duration": 18_000,
    }
    for alarm in alarms:
        assert alarm["AlarmActions"] == alarm["OKActions"] == [topic.topic_arn]
        assert alarm["TreatMissingData"] == "notBreaching"


def test_inside_a_vpc_it_has_a_security_group_and_may_attach_network_interfaces(
    stack: Stack, runtime_code: Path, vpc: ec2.IVpc
) -> None:
    function = PythonFunction(stack, "Function", runtime_code=runtime_code, vpc=vpc)

    template = Template.from_stack(stack).to_json()
    assert only(template, "AWS::Lambda::Function")["VpcConfig"]["SubnetIds"] == ["subnet-0123456789abcdef0"]
    assert "SecurityGroupIngress" not in only(template, "AWS::EC2::SecurityGroup")
    assert permissions(template, role_of(stack, function))["ec2:CreateNetworkInterface"] == "*"


def test_existing_subnets_and_security_groups_are_taken(stack: Stack, runtime_code: Path, vpc: ec2.IVpc) -> None:
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")
    subnet = ec2.Subnet.from_subnet_id(stack, "Subnet", "subnet-00000000000000000")

    PythonFunction(
        stack,
        "Function",
        runtime_code=runtime_code,
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnets=[subnet]),
        security_groups=[group],
    )

    Template.from_stack(stack).has_resource_properties(
        "AWS::Lambda::Function",
        {"VpcConfig": {"SecurityGroupIds": ["sg-0123456789abcdef0"], "SubnetIds": ["subnet-00000000000000000"]}},
    )


def test_an_existing_role_is_taken_as_it_is(stack: Stack, runtime_code: Path) -> None:
    arn = "arn:aws:iam::111122223333:role/existing"
    role = iam.Role.from_role_arn(stack, "Role", arn, mutable=False)

    PythonFunction(stack, "Function", runtime_code=runtime_code, role=role)

    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::Lambda::Function", {"Role": arn})
    template.resource_count_is("AWS::IAM::Role", 0)
    template.resource_count_is("AWS::IAM::Policy", 0)


def test_a_key_encrypts_environment_and_logs_and_lets_cloudwatch_use_it(stack: Stack, runtime_code: Path) -> None:
    key = kms.Key(stack, "Key")

    PythonFunction(stack, "Function", runtime_code=runtime_code, encryption_key=key)

    template = Template.from_stack(stack)
    arn = {"Fn::GetAtt": [Match.string_like_regexp("^Key"), "Arn"]}
    template.has_resource_properties("AWS::Lambda::Function", {"KmsKeyArn": arn})
    template.has_resource_properties("AWS::Logs::LogGroup", {"KmsKeyId": arn})
    may_use_it = {
        "Action": Match.array_with(["kms:GenerateDataKey*"]),
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": Match.any_value()}},
        "Principal": {"Service": {"Fn::Join": ["", ["logs.", {"Ref": "AWS::Region"}, ".amazonaws.com"]]}},
    }
    template.has_resource_properties(
        "AWS::KMS::Key", {"KeyPolicy": {"Statement": Match.array_with([Match.object_like(may_use_it)])}}
    )


def test_its_role_may_use_the_key_of_its_dead_letter_queue(stack: Stack, runtime_code: Path) -> None:
    key = kms.Key(stack, "Key")
    queue = EncryptedQueue(stack, "Failed", encryption_key=key)

    function = PythonFunction(stack, "Function", runtime_code=runtime_code, dead_letter_queue=queue)

    may = permissions(Template.from_stack(stack).to_json(), role_of(stack, function))
    assert may["sqs:SendMessage"] == stack.resolve(queue.queue_arn)
    assert may["kms:GenerateDataKey"] == may["kms:Decrypt"] == stack.resolve(key.key_arn)


def test_snap_start_makes_an_alias_for_triggers(stack: Stack, runtime_code: Path) -> None:
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:us-east-1:111122223333:events")

    function = PythonFunction(
        stack,
        "Function",
        runtime_code=runtime_code,
        snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS,
        events=[SnsEventSource(topic)],
    )

    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::Lambda::Function", {"SnapStart": {"ApplyOn": "PublishedVersions"}})
    template.has_resource_properties(
        "AWS::SNS::Subscription", {"Endpoint": {"Ref": Match.string_like_regexp("^FunctionLive")}}
    )
    assert function.live is not function


def test_without_snap_start_triggers_invoke_the_function(stack: Stack, runtime_code: Path) -> None:
    function = PythonFunction(stack, "Function", runtime_code=runtime_code)

    assert function.live is function


def test_every_option_of_resources_reaches_the_function(stack: Stack, runtime_code: Path) -> None:
    queue = sqs.Queue.from_queue_arn(stack, "Queue", "arn:aws:sqs:us-east-1:111122223333:failed")

    PythonFunction(
        stack,
        "Function",
        runtime_code=runtime_code,
        handler="handler.other",
        runtime=lambda_.Runtime.PYTHON_3_13,
        environment={"TABLE_NAME": "Message"},
        function_name="Named",
        memory_size=10_240,
        ephemeral_storage=Size.gibibytes(10),
        timeout=Duration.minutes(15),
        architecture=lambda_.Architecture.X86_64,
        reserved_concurrency=0,
        dead_letter_queue=queue,
        log_level=lambda_.ApplicationLogLevel.DEBUG,
    )

    Template.from_stack(stack).has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Architectures": ["x86_64"],
            "DeadLetterConfig": {"TargetArn": queue.queue_arn},
            "Environment": {"Variables": {"TABLE_NAME": "Message"}},
            "EphemeralStorage": {"Size": 10_240},
            "FunctionName": "Named",
            "Handler": "runtime.handler.other",
            "LoggingConfig": {"ApplicationLogLevel": "DEBUG"},
            "MemorySize": 10_240,
            "ReservedConcurrentExecutions": 0,
            "Runtime": "python3.13",
            "Timeout": 900,
        },
    )


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"runtime": lambda_.Runtime.NODEJS_22_X}, "runtime is nodejs22.x: a Python runtime"),
    ({"function_name": ""}, "function_name is : 1 to 64 characters"),
    ({"function_name": "x" * 65}, f"function_name is {'x' * 65}: 1 to 64 characters"),
    ({"memory_size": 127}, "memory_size is 127: 128 to 10,240 MB"),
    ({"memory_size": 10_241}, "memory_size is 10241: 128 to 10,240 MB"),
    ({"ephemeral_storage": Size.mebibytes(511)}, "ephemeral_storage is 511 MiB: 512 to 10,240 MiB"),
    ({"ephemeral_storage": Size.gibibytes(11)}, "ephemeral_storage is 11,264 MiB: 512 to 10,240 MiB"),
    ({"timeout": Duration.seconds(0)}, "timeout is 0 s: 1 to 900 s"),
    ({"timeout": Duration.seconds(901)}, "timeout is 901 s: 1 to 900 s"),
    ({"reserved_concurrency": -1}, "reserved_concurrency is -1: 0 or more"),
    (
        {
            "snap_start": lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS,
            "ephemeral_storage": Size.mebibytes(513),
        },
        "ephemeral_storage is 513 MiB: SnapStart needs 512 MiB; leave out one of the two",
    ),
    ({"vpc_subnets": ec2.SubnetSelection()}, "vpc_subnets is given without vpc: give the vpc too"),
]


def test_it_refuses_a_dead_letter_queue_that_is_not_a_standard_one(stack: Stack, runtime_code: Path) -> None:
    queue = sqs.Queue(stack, "Failed", fifo=True)
    with pytest.raises(ValueError, match="dead_letter_queue is a FIFO queue: a standard queue"):
        PythonFunction(stack, "Function", runtime_code=runtime_code, dead_letter_queue=queue)


@pytest.mark.parametrize(("options", "problem"), REFUSED, ids=[problem[:40] for _, problem in REFUSED])
def test_it_refuses(stack: Stack, runtime_code: Path, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match="PythonFunction Empty/Function:") as refusal:
        PythonFunction(stack, "Function", runtime_code=runtime_code, **options)

    assert str(refusal.value).splitlines()[1:] == [f"  {problem}"]
    assert stack.node.children == []


def test_it_refuses_security_groups_without_a_vpc(stack: Stack, runtime_code: Path) -> None:
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")

    with pytest.raises(ValueError, match="security_groups is given without vpc: give the vpc too"):
        PythonFunction(stack, "Function", runtime_code=runtime_code, security_groups=[group])


def test_two_mistakes_are_named_in_one_error(stack: Stack, runtime_code: Path) -> None:
    with pytest.raises(ValueError, match=r"memory_size is 64.*\n.*timeout is 1,000 s"):
        PythonFunction(stack, "Function", runtime_code=runtime_code, memory_size=64, timeout=Duration.seconds(1000))


def test_a_value_that_only_cloudformation_knows_is_not_checked(stack: Stack, runtime_code: Path) -> None:
    memory = CfnParameter(stack, "Memory", type="Number", default=256)

    PythonFunction(stack, "Function", runtime_code=runtime_code, memory_size=int(memory.value_as_number))

    Template.from_stack(stack).has_resource_properties("AWS::Lambda::Function", {"MemorySize": {"Ref": "Memory"}})


def test_its_bundle_holds_the_tracing_beside_its_code(stack: Stack, runtime_code: Path) -> None:
    PythonFunction(stack, "Function", runtime_code=runtime_code)

    assert {"runtime", "tracing", "opentelemetry"} <= bundle(stack)


def test_other_shared_code_takes_the_place_of_the_tracing(stack: Stack, runtime_code: Path, tmp_path: Path) -> None:
    shared = tmp_path / "prices"
    shared.mkdir()
    (shared / "__init__.py").touch()

    PythonFunction(stack, "Function", runtime_code=runtime_code, shared_code=[shared])

    assert bundle(stack) == {"runtime", "prices"}


def bundle(stack: Stack) -> set[str]:
    """Synthesize, and list what is in the only bundle."""
    assembly = Path(App.of(stack).synth().directory)  # type: ignore[union-attr]
    [made] = assembly.glob("asset.*/runtime")
    return {path.name for path in made.parent.iterdir()}


def test_code_that_is_no_package_is_refused(stack: Stack, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"not a Python package, it has no __init__\.py"):
        PythonFunction(stack, "Function", runtime_code=tmp_path)
