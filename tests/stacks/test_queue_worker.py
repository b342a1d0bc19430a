"""The queue worker: two queues, what passes messages to the function, and every combination that loses some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Match, Template

from lambda_src.function.construct import PythonFunction
from lambda_src.posture import Posture
from lambda_src.queue_worker.construct import QueueWorker
from tests.stacks.synthesis import only, permissions, resources

if TYPE_CHECKING:
    from pathlib import Path

FUNCTION_ARN = "arn:aws:lambda:us-east-1:111122223333:function:existing"


@pytest.fixture
def function(stack: Stack, runtime_code: Path) -> PythonFunction:
    """A function of ours with a timeout of 10 s."""
    return PythonFunction(stack, "Function", runtime_code=runtime_code)


def queues(stack: Stack) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the queue, and the dead-letter queue, of the only worker."""
    found = resources(Template.from_stack(stack).to_json(), "AWS::SQS::Queue").values()
    [queue] = [properties for properties in found if "RedrivePolicy" in properties]
    [dead_letter_queue] = [properties for properties in found if "RedrivePolicy" not in properties]
    return queue, dead_letter_queue


def test_a_function_is_all_that_it_needs(stack: Stack, function: PythonFunction) -> None:
    QueueWorker(stack, "Worker", function=function)

    queue, dead_letter_queue = queues(stack)
    assert queue["SqsManagedSseEnabled"] is dead_letter_queue["SqsManagedSseEnabled"] is True
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 3
    assert queue["MessageRetentionPeriod"] == 4 * 86_400
    assert dead_letter_queue["MessageRetentionPeriod"] == 14 * 86_400


def test_messages_come_in_batches_and_failed_ones_go_back_alone(stack: Stack, function: PythonFunction) -> None:
    worker = QueueWorker(stack, "Worker", function=function)

    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::Lambda::EventSourceMapping",
        {
            "BatchSize": 10,
            "EventSourceArn": stack.resolve(worker.queue.queue_arn),
            "FunctionName": stack.resolve(function.function_name),
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "MaximumBatchingWindowInSeconds": Match.absent(),
            "ScalingConfig": {"MaximumConcurrency": 10},
        },
    )
    assert worker.event_source_mapping.node.scope is worker


@pytest.mark.parametrize(
    ("timeout", "window", "visibility"), [(1, None, 6), (10, None, 60), (10, 5, 65), (900, 300, 5700)]
)
def test_visibility_is_six_timeouts_and_the_window(
    stack: Stack, runtime_code: Path, timeout: int, window: int | None, visibility: int
) -> None:
    function = PythonFunction(stack, "Function", runtime_code=runtime_code, timeout=Duration.seconds(timeout))

    QueueWorker(stack, "Worker", function=function, batching_window=Duration.seconds(window) if window else None)

    queue, _ = queues(stack)
    assert queue["VisibilityTimeout"] == visibility


def test_only_its_queue_may_use_the_dead_letter_queue(stack: Stack, function: PythonFunction) -> None:
    QueueWorker(stack, "Worker", function=function, queue_name="Messages")

    _, dead_letter_queue = queues(stack)
    [source] = dead_letter_queue["RedriveAllowPolicy"]["sourceQueueArns"]
    assert dead_letter_queue["RedriveAllowPolicy"]["redrivePermission"] == "byQueue"
    assert source["Fn::Join"][1][-1] == ":Messages"


def test_without_a_name_the_dead_letter_queue_still_names_its_queue(stack: Stack, function: PythonFunction) -> None:
    QueueWorker(stack, "Worker", function=function)

    queue, dead_letter_queue = queues(stack)
    [source] = dead_letter_queue["RedriveAllowPolicy"]["sourceQueueArns"]
    assert source["Fn::Join"][1][-1] == f":{queue['QueueName']}"


def test_nobody_reaches_a_queue_without_tls(stack: Stack, function: PythonFunction) -> None:
    worker = QueueWorker(stack, "Worker", function=function)

    template = Template.from_stack(stack)
    for queue in (worker.queue, worker.dead_letter_queue):
        refusal = {
            "Action": "sqs:*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Resource": stack.resolve(queue.queue_arn),
        }
        template.has_resource_properties("AWS::SQS::QueuePolicy", {"PolicyDocument": {"Statement": [refusal]}})


def test_the_function_may_consume_from_its_queue_alone(stack: Stack, function: PythonFunction) -> None:
    worker = QueueWorker(stack, "Worker", function=function)

    assert function.role
    role = stack.resolve(function.role.role_arn)["Fn::GetAtt"][0]
    allowed = permissions(Template.from_stack(stack).to_json(), role)
    assert {action: resource for action, resource in allowed.items() if action.startswith("sqs:")} == dict.fromkeys(
        [
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ReceiveMessage",
        ],
        stack.resolve(worker.queue.queue_arn),
    )


def test_alarms_tell_the_topic_of_old_messages_and_of_dead_letters(stack: Stack, function: PythonFunction) -> None:
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:us-east-1:111122223333:alarms")

    worker = QueueWorker(stack, "Worker", function=function, max_age=Duration.minutes(5), alarm_topic=topic)

    alarms = {
        alarm["MetricName"]: (alarm["Threshold"], alarm["Dimensions"][0]["Value"])
        for alarm in resources(Template.from_stack(stack).to_json(), "AWS::CloudWatch::Alarm").values()
        if alarm.get("AlarmActions") == [topic.topic_arn]
    }
    assert len(worker.alarms) == 2
    assert alarms == {
        "ApproximateAgeOfOldestMessage": (300, stack.resolve(worker.queue.queue_name)),
        "ApproximateNumberOfMessagesVisible": (0, stack.resolve(worker.dead_letter_queue.queue_name)),
    }


def test_a_fifo_queue_has_a_fifo_dead_letter_queue(stack: Stack, function: PythonFunction) -> None:
    QueueWorker(stack, "Worker", function=function, fifo=True)

    queue, dead_letter_queue = queues(stack)
    assert queue["FifoQueue"] is dead_letter_queue["FifoQueue"] is True
    assert queue["QueueName"].endswith(".fifo")


def test_a_key_encrypts_both_queues_and_the_function_may_decrypt(stack: Stack, function: PythonFunction) -> None:
    key = kms.Key(stack, "Key")

    QueueWorker(stack, "Worker", function=function, encryption_key=key)

    arn = stack.resolve(key.key_arn)
    assert [queue["KmsMasterKeyId"] for queue in queues(stack)] == [arn, arn]
    assert function.role
    role = stack.resolve(function.role.role_arn)["Fn::GetAtt"][0]
    assert permissions(Template.from_stack(stack).to_json(), role)["kms:Decrypt"] == arn


@pytest.mark.parametrize(
    ("posture", "deletion"), [(Posture.LAB, "Delete"), (Posture.PRODUCTION, "RetainExceptOnCreate")]
)
def test_posture_says_whether_the_queues_outlive_their_stack(
    stack: Stack, function: PythonFunction, posture: Posture, deletion: str
) -> None:
    QueueWorker(stack, "Worker", function=function, posture=posture)

    Template.from_stack(stack).all_resources("AWS::SQS::Queue", {"DeletionPolicy": deletion})


def test_large_batches_need_a_window_and_have_it(stack: Stack, function: PythonFunction) -> None:
    QueueWorker(
        stack,
        "Worker",
        function=function,
        batch_size=10_000,
        batching_window=Duration.minutes(5),
        max_concurrency=1000,
    )

    mapping = only(Template.from_stack(stack).to_json(), "AWS::Lambda::EventSourceMapping")
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (10_000, 300)
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 1000}


def test_with_snap_start_messages_go_to_the_published_version(stack: Stack, runtime_code: Path) -> None:
    function = PythonFunction(
        stack,
        "Function",
        runtime_code=runtime_code,
        snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS,
    )

    QueueWorker(stack, "Worker", function=function)

    mapping = only(Template.from_stack(stack).to_json(), "AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionName"] == stack.resolve(function.live.function_name)


def test_a_plain_function_of_the_cdk_is_accepted_with_its_own_timeout(stack: Stack) -> None:
    function = lambda_.Function(
        stack,
        "Function",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
    )

    QueueWorker(stack, "Worker", function=function)

    queue, _ = queues(stack)
    assert queue["VisibilityTimeout"] == 18  # six times the 3 s that are AWS Lambda's default


def test_an_alias_is_accepted_with_its_functions_timeout(stack: Stack, function: PythonFunction) -> None:
    QueueWorker(stack, "Worker", function=function.add_alias("stable"))

    queue, _ = queues(stack)
    assert queue["VisibilityTimeout"] == 60


def test_an_existing_function_is_accepted_with_its_timeout_said(stack: Stack) -> None:
    function = lambda_.Function.from_function_arn(stack, "Existing", FUNCTION_ARN)

    QueueWorker(stack, "Worker", function=function, function_timeout=Duration.seconds(30))

    queue, _ = queues(stack)
    assert queue["VisibilityTimeout"] == 180
    Template.from_stack(stack).resource_count_is("AWS::IAM::Policy", 0)


def test_an_existing_function_with_its_role_is_granted_what_it_needs(stack: Stack) -> None:
    role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/existing")
    function = lambda_.Function.from_function_attributes(stack, "Existing", function_arn=FUNCTION_ARN, role=role)

    QueueWorker(stack, "Worker", function=function, function_timeout=Duration.seconds(30))

    Template.from_stack(stack).has_resource_properties("AWS::IAM::Policy", {"Roles": ["existing"]})


def test_an_existing_dead_letter_queue_is_taken(stack: Stack, function: PythonFunction) -> None:
    arn = "arn:aws:sqs:us-east-1:111122223333:failed"
    existing = sqs.Queue.from_queue_arn(stack, "Existing", arn)

    worker = QueueWorker(stack, "Worker", function=function, dead_letter_queue=existing)

    template = Template.from_stack(stack)
    template.resource_count_is("AWS::SQS::Queue", 1)
    template.has_resource_properties(
        "AWS::SQS::Queue", {"RedrivePolicy": {"deadLetterTargetArn": arn, "maxReceiveCount": 3}}
    )
    assert worker.dead_letter_queue is existing


REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({"queue_name": "a b"}, ["queue_name is a b: 1 to 80 letters, digits, and any of _-"]),
    ({"queue_name": ""}, ["queue_name is : 1 to 80 letters, digits, and any of _-"]),
    ({"queue_name": "x" * 81}, [f"queue_name is {'x' * 81}: 1 to 80 letters, digits, and any of _-"]),
    (
        {"queue_name": "orders.fifo"},
        ["queue_name is orders.fifo: the name of a FIFO queue, and of no other, ends in .fifo"],
    ),
    (
        {"queue_name": "orders", "fifo": True},
        ["queue_name is orders: the name of a FIFO queue, and of no other, ends in .fifo"],
    ),
    ({"batch_size": 0}, ["batch_size is 0: 1 to 10,000"]),
    ({"batch_size": 10_001, "batching_window": Duration.seconds(1)}, ["batch_size is 10001: 1 to 10,000"]),
    ({"batch_size": 11}, ["batch_size is 11: above 10 needs a batching_window of 1 s or more"]),
    ({"batching_window": Duration.seconds(301)}, ["batching_window is 301 s: 0 to 300 s"]),
    ({"fifo": True, "batch_size": 11}, ["batch_size is 11: 10 at most from a FIFO queue"]),
    (
        {"fifo": True, "batching_window": Duration.seconds(5)},
        ["batching_window is 5 s: a FIFO queue has none; leave it out"],
    ),
    ({"max_concurrency": 1}, ["max_concurrency is 1: 2 to 1,000"]),
    ({"max_concurrency": 1001}, ["max_concurrency is 1001: 2 to 1,000"]),
    ({"max_receives": 1}, ["max_receives is 1: 2 to 1,000, or one failure buries a message"]),
    ({"max_receives": 1001}, ["max_receives is 1001: 2 to 1,000, or one failure buries a message"]),
    ({"retention": Duration.days(14)}, ["retention is 1,209,600 s: 60 s to 13 days"]),
    (
        {"retention": Duration.seconds(180), "max_age": Duration.seconds(60)},
        [
            "retention is 180 s: longer than 3 attempts of 60 s, "
            "or a message expires before it reaches the dead-letter queue"
        ],
    ),
    ({"max_age": Duration.seconds(59)}, ["max_age is 59 s: 60 s or more and below 345,600 s"]),
    ({"max_age": Duration.days(4)}, ["max_age is 345,600 s: 60 s or more and below 345,600 s"]),
    (
        {"batch_size": 20, "max_concurrency": 1},
        [
            "batch_size is 20: above 10 needs a batching_window of 1 s or more",
            "max_concurrency is 1: 2 to 1,000",
        ],
    ),
]


@pytest.mark.parametrize(("options", "problems"), REFUSED, ids=[problems[0][:40] for _, problems in REFUSED])
def test_it_refuses(stack: Stack, function: PythonFunction, options: dict[str, Any], problems: list[str]) -> None:
    with pytest.raises(ValueError, match="QueueWorker Empty/Worker:") as refusal:
        QueueWorker(stack, "Worker", function=function, **options)

    assert str(refusal.value).splitlines()[1:] == [f"  {problem}" for problem in problems]
    assert stack.node.try_find_child("Worker") is None


def test_it_refuses_more_concurrency_than_the_function_reserves(stack: Stack, runtime_code: Path) -> None:
    function = PythonFunction(stack, "Function", runtime_code=runtime_code, reserved_concurrency=5)

    with pytest.raises(ValueError, match="max_concurrency is 10: at most the function's reserved_concurrency of 5"):
        QueueWorker(stack, "Worker", function=function)


def test_it_refuses_an_existing_function_whose_timeout_is_unknown(stack: Stack) -> None:
    function = lambda_.Function.from_function_arn(stack, "Existing", FUNCTION_ARN)

    with pytest.raises(ValueError, match="function_timeout is unknown: give it for a function"):
        QueueWorker(stack, "Worker", function=function)


@pytest.mark.parametrize(("name", "fifo"), [("failed", True), ("failed.fifo", False)])
def test_it_refuses_a_dead_letter_queue_of_the_other_kind(
    stack: Stack, function: PythonFunction, name: str, fifo: bool
) -> None:
    other = sqs.Queue.from_queue_arn(stack, "Other", f"arn:aws:sqs:us-east-1:111122223333:{name}")

    with pytest.raises(ValueError, match="dead_letter_queue is of the other kind"):
        QueueWorker(stack, "Worker", function=function, dead_letter_queue=other, fifo=fifo)
