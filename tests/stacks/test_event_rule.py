"""The event rule block: no target without a way out for what it refuses, and no rule that AWS would not take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Aws, Duration, SecretValue, Stack, TimeZone
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Annotations, Match, Template

from lambda_src.event_rule.aws_events import api_call
from lambda_src.event_rule.construct import EventRule
from lambda_src.event_rule.schedule import FunctionSchedule
from lambda_src.function.construct import PythonFunction
from lambda_src.posture import Posture
from tests.stacks.synthesis import only, permissions, resources

if TYPE_CHECKING:
    from pathlib import Path

PATTERN = {"source": ["shop.orders"], "detail-type": ["OrderPlaced"], "detail": {"total": [{"numeric": [">=", 100]}]}}


@pytest.fixture
def queue(stack: Stack) -> sqs.Queue:
    return sqs.Queue(stack, "Queue", encryption=sqs.QueueEncryption.SQS_MANAGED)


@pytest.fixture
def target(queue: sqs.Queue) -> events.IRuleTarget:
    return targets.SqsQueue(queue)


def connection(stack: Stack) -> events.Connection:
    key = events.Authorization.api_key("x-api-key", SecretValue.secrets_manager("key"))
    return events.Connection(stack, "Connection", authorization=key)


def rule_of(stack: Stack) -> dict[str, Any]:
    return only(Template.from_stack(stack).to_json(), "AWS::Events::Rule")


def allowed(stack: Stack, queue: sqs.IQueue) -> list[dict[str, Any]]:
    """What the policy of the queue allows, without the statements' names."""
    [policy] = [
        policy
        for policy in resources(Template.from_stack(stack).to_json(), "AWS::SQS::QueuePolicy").values()
        if policy["Queues"] == [stack.resolve(queue.queue_url)]
    ]
    statements = policy["PolicyDocument"]["Statement"]
    return [{k: v for k, v in one.items() if k != "Sid"} for one in statements if one["Effect"] == "Allow"]


def test_a_pattern_and_a_target_are_all_that_it_needs(stack: Stack, target: events.IRuleTarget) -> None:
    EventRule(stack, "Rule", event_pattern=PATTERN, targets=[target])

    rule = rule_of(stack)
    assert rule["EventPattern"] == PATTERN
    assert rule["State"] == "ENABLED"
    assert {"Name", "EventBusName", "ScheduleExpression"}.isdisjoint(rule)


def test_every_kind_of_target_is_tried_again_and_then_kept(stack: Stack, queue: sqs.Queue, runtime_code: Path) -> None:
    destination = events.ApiDestination(
        stack, "Destination", connection=connection(stack), endpoint="https://example.com/orders"
    )
    rule = EventRule(
        stack,
        "Rule",
        event_pattern=PATTERN,
        targets=[
            targets.LambdaFunction(PythonFunction(stack, "Function", runtime_code=runtime_code)),
            targets.SqsQueue(queue),
            targets.SnsTopic(sns.Topic(stack, "Topic")),
            targets.ApiDestination(destination),
            targets.EventBus(events.EventBus(stack, "Other")),
        ],
    )

    made = rule_of(stack)["Targets"]
    assert len(made) == 5
    dead_letters = {"Arn": stack.resolve(rule.dead_letter_queue.queue_arn)}
    for target in made:
        assert target["DeadLetterConfig"] == dead_letters
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}


def test_a_target_keeps_what_it_says_itself(stack: Stack, queue: sqs.Queue) -> None:
    own = sqs.Queue(stack, "Own")
    transformed = targets.SqsQueue(
        queue,
        dead_letter_queue=own,
        message=events.RuleTargetInput.from_object({"order": events.EventField.from_path("$.detail.id")}),
    )
    brief = targets.SqsQueue(queue, retry_attempts=1, max_event_age=Duration.minutes(2))

    rule = EventRule(stack, "Rule", event_pattern=PATTERN, targets=[transformed, brief], retry_attempts=7)

    first, second = rule_of(stack)["Targets"]
    assert first["DeadLetterConfig"]["Arn"] == stack.resolve(own.queue_arn)
    assert first["InputTransformer"]["InputTemplate"] == '{"order":<detail-id>}'
    assert first["RetryPolicy"]["MaximumRetryAttempts"] == 7
    assert second["DeadLetterConfig"]["Arn"] == stack.resolve(rule.dead_letter_queue.queue_arn)
    assert second["RetryPolicy"] == {"MaximumEventAgeInSeconds": 120, "MaximumRetryAttempts": 1}


def test_the_dead_letter_queue_takes_from_this_rule_alone(stack: Stack, target: events.IRuleTarget) -> None:
    rule = EventRule(stack, "Rule", event_pattern=PATTERN, targets=[target])

    assert allowed(stack, rule.dead_letter_queue) == [
        {
            "Action": "sqs:SendMessage",
            "Condition": {"ArnEquals": {"aws:SourceArn": stack.resolve(rule.rule.rule_arn)}},
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Resource": stack.resolve(rule.dead_letter_queue.queue_arn),
        }
    ]


def test_rules_may_share_a_dead_letter_queue(stack: Stack, target: events.IRuleTarget) -> None:
    first = EventRule(stack, "First", event_pattern=PATTERN, targets=[target])
    shared = first.dead_letter_queue
    second = EventRule(stack, "Second", event_pattern=PATTERN, targets=[target], dead_letter_queue=shared)

    sources = [one["Condition"]["ArnEquals"]["aws:SourceArn"] for one in allowed(stack, shared)]
    assert sources == [stack.resolve(rule.rule.rule_arn) for rule in (first, second)]


def test_an_existing_queue_that_cannot_be_opened_is_a_warning(stack: Stack, target: events.IRuleTarget) -> None:
    existing = sqs.Queue.from_queue_arn(stack, "Existing", "arn:aws:sqs:us-east-1:111122223333:failed")

    EventRule(stack, "Rule", event_pattern=PATTERN, targets=[target], dead_letter_queue=existing)

    Annotations.from_stack(stack).has_warning(
        "/Empty/Existing", Match.string_like_regexp("its policy must let events.amazonaws.com send to it")
    )


def test_a_key_encrypts_the_dead_letter_queue_and_lets_eventbridge_use_it(
    stack: Stack, target: events.IRuleTarget
) -> None:
    key = kms.Key(stack, "Key")

    EventRule(stack, "Rule", event_pattern=PATTERN, targets=[target], encryption_key=key)

    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::SQS::Queue", {"KmsMasterKeyId": stack.resolve(key.key_arn)})
    use = {"Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Principal": {"Service": "events.amazonaws.com"}}
    template.has_resource_properties(
        "AWS::KMS::Key", {"KeyPolicy": {"Statement": Match.array_with([Match.object_like(use)])}}
    )


@pytest.mark.parametrize(
    ("schedule", "expression"),
    [
        (Duration.minutes(1), "rate(1 minute)"),
        (Duration.hours(12), "rate(12 hours)"),
        (events.Schedule.rate(Duration.days(2)), "rate(2 days)"),
        (events.Schedule.cron(minute="0", hour="8"), "cron(0 8 * * ? *)"),
        (events.Schedule.expression("cron(0 8 ? * MON-FRI *)"), "cron(0 8 ? * MON-FRI *)"),
    ],
)
def test_a_schedule_is_a_rate_or_a_cron_expression(
    stack: Stack, target: events.IRuleTarget, schedule: events.Schedule | Duration, expression: str
) -> None:
    EventRule(stack, "Rule", schedule=schedule, targets=[target])

    assert rule_of(stack)["ScheduleExpression"] == expression


def test_on_the_default_bus_a_rule_may_have_a_pattern_and_a_schedule(stack: Stack, target: events.IRuleTarget) -> None:
    default = events.EventBus.from_event_bus_name(stack, "Default", "default")

    EventRule(stack, "Rule", event_pattern=PATTERN, schedule=Duration.hours(1), event_bus=default, targets=[target])

    rule = rule_of(stack)
    assert rule["EventPattern"] == PATTERN
    assert rule["ScheduleExpression"] == "rate(1 hour)"


def test_the_cdks_matchers_and_tokens_are_part_of_a_pattern(stack: Stack, target: events.IRuleTarget) -> None:
    pattern = {
        "account": [stack.account],
        "source": events.Match.prefix("shop."),
        "detail": {"id": events.Match.exists(), "topic": [f"arn:aws:sns:us-east-1:{stack.account}:orders"]},
    }

    EventRule(stack, "Rule", event_pattern=pattern, targets=[target])

    written = rule_of(stack)["EventPattern"]
    assert written["account"] == [{"Ref": "AWS::AccountId"}]
    assert written["source"] == [{"prefix": "shop."}]
    assert written["detail"]["id"] == [{"exists": True}]


def test_a_mistake_in_the_cdks_matchers_is_found_too(stack: Stack, target: events.IRuleTarget) -> None:
    with pytest.raises(ValueError, match=r"event_pattern at detail\.ip\[0\]\.cidr: \"10\.0\.0\.1/32\"|one address"):
        EventRule(stack, "Rule", event_pattern={"detail": {"ip": events.Match.cidr("10.0.0.1/32")}}, targets=[target])


def test_null_which_a_template_cannot_have_is_written_as_text(stack: Stack, target: events.IRuleTarget) -> None:
    EventRule(
        stack,
        "Rule",
        event_pattern={
            "account": [stack.account],
            "source": events.Match.prefix("aws."),
            "detail": {"responseElements": [None]},
        },
        targets=[target],
    )

    text = rule_of(stack)["EventPattern"]["Fn::Join"][1]
    assert "".join(part if isinstance(part, str) else "ACCOUNT" for part in text) == (
        '{"account": ["ACCOUNT"], "source": [{"prefix": "aws."}], "detail": {"responseElements": [null]}}'
    )


def test_null_is_written_as_text_where_there_is_nothing_else_to_resolve(
    stack: Stack, target: events.IRuleTarget
) -> None:
    EventRule(stack, "Rule", event_pattern={"detail": {"error": [None]}}, targets=[target])

    assert rule_of(stack)["EventPattern"] == '{"detail": {"error": [null]}}'


@pytest.mark.parametrize("custom", [True, False])
def test_an_event_that_not_even_the_dead_letter_queue_took_raises_an_alarm(
    stack: Stack, target: events.IRuleTarget, custom: bool
) -> None:
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:us-east-1:111122223333:alarms")
    bus = events.EventBus(stack, "Bus") if custom else None

    rule = EventRule(stack, "Rule", event_pattern=PATTERN, event_bus=bus, targets=[target], alarm_topic=topic)

    alarms = {
        alarm["MetricName"]: alarm
        for alarm in resources(Template.from_stack(stack).to_json(), "AWS::CloudWatch::Alarm").values()
    }
    assert set(alarms) == {"ApproximateNumberOfMessagesVisible", "InvocationsFailedToBeSentToDlq"}
    assert all(alarm["AlarmActions"] == [topic.topic_arn] for alarm in alarms.values())
    dimensions = {one["Name"]: one["Value"] for one in alarms["InvocationsFailedToBeSentToDlq"]["Dimensions"]}
    # An ARN has .../rule/NAME, or .../rule/BUS/NAME.
    part = 2 if custom else 1
    assert dimensions.pop("RuleName") == {"Fn::Select": [part, {"Fn::Split": ["/", stack.resolve(rule.rule.rule_arn)]}]}
    assert dimensions == ({"EventBusName": stack.resolve(bus.event_bus_name)} if bus else {})


def test_every_other_option_reaches_the_rule(stack: Stack, target: events.IRuleTarget) -> None:
    EventRule(
        stack,
        "Rule",
        event_pattern=PATTERN,
        targets=[target],
        rule_name="order-placed",
        description="Large orders.",
        enabled=False,
        retry_attempts=0,
        max_event_age=Duration.minutes(1),
        posture=Posture.PRODUCTION,
    )

    rule = rule_of(stack)
    assert (rule["Name"], rule["Description"], rule["State"]) == ("order-placed", "Large orders.", "DISABLED")
    assert rule["Targets"][0]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}
    Template.from_stack(stack).has_resource("AWS::SQS::Queue", {"DeletionPolicy": "RetainExceptOnCreate"})


WHOLE_MINUTES = "a rate of whole minutes, one or more"
EXPRESSIONS = "rate(1 minute), rate(5 minutes), or cron() with six fields, such as cron(0 8 ? * MON-FRI *)"
REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["event_pattern is None: give what to wait for: it, or a schedule"]),
    ({"event_pattern": {}}, ["event_pattern at the whole: an empty object says nothing: name the fields to compare"]),
    (
        {"event_pattern": {"detail": {"total": [{"numeric": [">=", "100"]}]}}},
        [
            'event_pattern at detail.total[0].numeric: compares with a number, and "100" is text: '
            "write the number without quotes"
        ],
    ),
    ({"schedule": Duration.seconds(30)}, [f"schedule is every 30 s: {WHOLE_MINUTES}"]),
    ({"schedule": Duration.seconds(90)}, [f"schedule is every 90 s: {WHOLE_MINUTES}"]),
    ({"schedule": Duration.minutes(0)}, [f"schedule is every 0 s: {WHOLE_MINUTES}"]),
    (
        {"schedule": events.Schedule.expression("rate(30 seconds)")},
        [f"schedule is rate(30 seconds): {EXPRESSIONS}"],
    ),
    ({"schedule": events.Schedule.expression("rate(1 minutes)")}, [f"schedule is rate(1 minutes): {EXPRESSIONS}"]),
    ({"schedule": events.Schedule.expression("rate(5 minute)")}, [f"schedule is rate(5 minute): {EXPRESSIONS}"]),
    ({"schedule": events.Schedule.expression("cron(0 8 * * *)")}, [f"schedule is cron(0 8 * * *): {EXPRESSIONS}"]),
    ({"event_pattern": PATTERN, "rule_name": "a b"}, ["rule_name is a b: 1 to 64 letters, digits, and any of ._-"]),
    ({"event_pattern": PATTERN, "retry_attempts": 186}, ["retry_attempts is 186: 0 to 185"]),
    ({"event_pattern": PATTERN, "retry_attempts": -1}, ["retry_attempts is -1: 0 to 185"]),
    (
        {"event_pattern": PATTERN, "max_event_age": Duration.seconds(59)},
        ["max_event_age is 59 s: 60 s to 24 hours"],
    ),
    (
        {"event_pattern": PATTERN, "max_event_age": Duration.hours(25)},
        ["max_event_age is 90,000 s: 60 s to 24 hours"],
    ),
    (
        {"event_pattern": {"source": []}, "schedule": Duration.seconds(1), "retry_attempts": 200},
        [
            "event_pattern at source: an empty array matches no event: name a value, or leave the field out",
            f"schedule is every 1 s: {WHOLE_MINUTES}",
            "retry_attempts is 200: 0 to 185",
        ],
    ),
]


@pytest.mark.parametrize(("options", "problems"), REFUSED, ids=[problems[0][:50] for _, problems in REFUSED])
def test_it_refuses(stack: Stack, target: events.IRuleTarget, options: dict[str, Any], problems: list[str]) -> None:
    with pytest.raises(ValueError, match="EventRule Empty/Rule:") as refusal:
        EventRule(stack, "Rule", targets=[target], **options)

    assert str(refusal.value).splitlines()[1:] == [f"  {problem}" for problem in problems]
    assert stack.node.try_find_child("Rule") is None


@pytest.mark.parametrize("pattern", [None, PATTERN])
def test_it_refuses_a_schedule_on_a_bus_of_ones_own(
    stack: Stack, target: events.IRuleTarget, pattern: dict[str, Any] | None
) -> None:
    bus = events.EventBus(stack, "Bus")

    with pytest.raises(
        ValueError, match="event_bus is given with a schedule: EventBridge runs schedules on the default"
    ):
        EventRule(stack, "Rule", event_pattern=pattern, schedule=Duration.hours(1), event_bus=bus, targets=[target])


def test_calls_that_only_read_start_a_rule_that_asks_for_them(stack: Stack, target: events.IRuleTarget) -> None:
    EventRule(stack, "Rule", event_pattern=api_call("kms", "DescribeKey"), targets=[target], read_only_calls=True)

    assert rule_of(stack)["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def test_other_rules_are_just_enabled(stack: Stack, target: events.IRuleTarget) -> None:
    EventRule(stack, "Rule", event_pattern=api_call("kms", "DisableKey"), targets=[target])

    assert rule_of(stack)["State"] == "ENABLED"


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.kms"]},
        {"detail-type": ["KMS CMK Rotation", {"prefix": "AWS API Call"}]},
        {"detail-type": [Aws.STACK_NAME]},
    ],
    ids=["of any type", "of that type too", "of a type that CloudFormation knows"],
)
def test_any_pattern_that_may_be_for_calls_can_ask_for_those_that_only_read(
    stack: Stack, target: events.IRuleTarget, pattern: dict[str, Any]
) -> None:
    EventRule(stack, "Rule", event_pattern=pattern, targets=[target], read_only_calls=True)

    assert rule_of(stack)["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"event_pattern": PATTERN}, "no AWS API Call via CloudTrail is among the pattern's detail-type"),
        ({"schedule": Duration.minutes(5)}, "without an event_pattern the rule waits for no event"),
        (
            {"event_pattern": api_call("kms", "DescribeKey"), "enabled": False},
            "the rule is not enabled, and gets no event at all",
        ),
    ],
    ids=["another pattern", "a schedule", "not enabled"],
)
def test_it_refuses_to_ask_in_vain_for_calls_that_only_read(
    stack: Stack, target: events.IRuleTarget, options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match="EventRule Empty/Rule:") as refusal:
        EventRule(stack, "Rule", targets=[target], read_only_calls=True, **options)
    assert str(refusal.value).splitlines()[1:] == [f"  read_only_calls is True: {problem}; mend that, or leave it out"]


def test_it_refuses_to_wait_for_calls_on_a_partners_bus(stack: Stack, target: events.IRuleTarget) -> None:
    partner = events.EventBus.from_event_bus_arn(
        stack, "Partner", "arn:aws:events:us-east-1:111122223333:event-bus/aws.partner/example.com/1"
    )

    with pytest.raises(ValueError, match="read_only_calls is True: the bus is a partner's, where no event of AWS"):
        EventRule(
            stack, "Rule", event_bus=partner, event_pattern={"account": ["1"]}, targets=[target], read_only_calls=True
        )


@pytest.mark.parametrize("count", [0, 6])
def test_it_refuses_no_target_and_more_than_five(stack: Stack, target: events.IRuleTarget, count: int) -> None:
    with pytest.raises(ValueError, match=f"targets is {count} of them: 1 to 5; share more out over several rules"):
        EventRule(stack, "Rule", event_pattern=PATTERN, targets=[target] * count)


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http://example.com/orders", "http://example.com/orders"),
        (f"http://{Aws.URL_SUFFIX}/orders", "http://..."),
        (f"ftp://{Aws.URL_SUFFIX}", "ftp://..."),
    ],
    ids=["http", "http to a host that CloudFormation knows", "ftp"],
)
def test_it_refuses_an_api_destination_over_anything_but_https(stack: Stack, endpoint: str, said: str) -> None:
    destination = events.ApiDestination(stack, "Destination", connection=connection(stack), endpoint=endpoint)

    with pytest.raises(ValueError, match="EventBridge calls https alone: give a URL") as refusal:
        EventRule(stack, "Rule", event_pattern=PATTERN, targets=[targets.ApiDestination(destination)])
    assert f"  endpoint of targets[0] is {said}: EventBridge" in str(refusal.value)


@pytest.mark.parametrize(
    "endpoint", [f"https://{Aws.URL_SUFFIX}/orders", Aws.URL_SUFFIX], ids=["its host", "all of it"]
)
def test_an_endpoint_that_only_cloudformation_knows_is_taken(stack: Stack, endpoint: str) -> None:
    destination = events.ApiDestination(stack, "Destination", connection=connection(stack), endpoint=endpoint)

    EventRule(stack, "Rule", event_pattern=PATTERN, targets=[targets.ApiDestination(destination)])

    assert len(rule_of(stack)["Targets"]) == 1


def test_it_refuses_a_target_queue_whose_key_is_closed_to_eventbridge(stack: Stack) -> None:
    closed = sqs.Queue(stack, "Closed", encryption=sqs.QueueEncryption.KMS_MANAGED)

    with pytest.raises(ValueError, match=r"targets\[0\] is a queue encrypted by AWS's key in KMS: that key is closed"):
        EventRule(stack, "Rule", event_pattern=PATTERN, targets=[targets.SqsQueue(closed)])


def test_it_refuses_dead_letter_queues_that_eventbridge_cannot_use(stack: Stack, target: events.IRuleTarget) -> None:
    closed = sqs.Queue(stack, "Closed", encryption=sqs.QueueEncryption.KMS_MANAGED)
    fifo = sqs.Queue.from_queue_arn(stack, "Fifo", "arn:aws:sqs:us-east-1:111122223333:failed.fifo")

    with pytest.raises(ValueError, match="dead_letter_queue is encrypted by AWS's key in KMS: that key is closed to"):
        EventRule(stack, "First", event_pattern=PATTERN, targets=[target], dead_letter_queue=closed)
    with pytest.raises(ValueError, match="dead_letter_queue is a FIFO queue: EventBridge takes a standard queue"):
        EventRule(stack, "Second", event_pattern=PATTERN, targets=[target], dead_letter_queue=fifo)


def schedule_of(stack: Stack, runtime_code: Path, **options: Any) -> FunctionSchedule:
    return FunctionSchedule(
        stack,
        "Nightly",
        function=PythonFunction(stack, "Function", runtime_code=runtime_code),
        schedule=scheduler.ScheduleExpression.cron(hour="2", minute="30", time_zone=TimeZone.EUROPE_BERLIN),
        payload={"what": "everything"},
        dead_letter_queue=sqs.Queue(stack, "DeadLetters"),
        **options,
    )


def test_a_schedule_of_the_scheduler_knows_its_time_zone_and_loses_nothing(stack: Stack, runtime_code: Path) -> None:
    schedule_of(stack, runtime_code, flexible_window=Duration.minutes(15))

    template = Template.from_stack(stack).to_json()
    [group] = resources(template, "AWS::Scheduler::ScheduleGroup")
    made = only(template, "AWS::Scheduler::Schedule")
    assert (made["ScheduleExpression"], made["ScheduleExpressionTimezone"]) == ("cron(30 2 * * ? *)", "Europe/Berlin")
    assert made["FlexibleTimeWindow"] == {"MaximumWindowInMinutes": 15, "Mode": "FLEXIBLE"}
    assert made["Target"]["Input"] == '{"what":"everything"}'
    assert made["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
    assert "DeadLetterConfig" in made["Target"]
    assert made["GroupName"] == {"Ref": group}


def test_the_schedules_role_may_invoke_the_function_and_keep_what_failed_and_nothing_else(
    stack: Stack, runtime_code: Path
) -> None:
    nightly = schedule_of(stack, runtime_code)

    template = Template.from_stack(stack).to_json()
    role = stack.resolve(nightly.role.role_arn)["Fn::GetAtt"][0]
    made = only(template, "AWS::Scheduler::Schedule")["Target"]
    assert permissions(template, role) == {
        "lambda:InvokeFunction": made["Arn"],
        "sqs:SendMessage": made["DeadLetterConfig"]["Arn"],
    }
    [trust] = template["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"] == {
        "aws:SourceAccount": {"Ref": "AWS::AccountId"},
        "aws:SourceArn": stack.resolve(nightly.group.schedule_group_arn),
    }


def test_a_schedule_refuses_what_the_scheduler_would(stack: Stack, runtime_code: Path) -> None:
    with pytest.raises(ValueError, match="FunctionSchedule Empty/Nightly:") as refusal:
        schedule_of(
            stack,
            runtime_code,
            flexible_window=Duration.seconds(30),
            retry_attempts=186,
            max_event_age=Duration.seconds(1),
        )

    assert str(refusal.value).splitlines()[1:] == [
        "  flexible_window is 0.5 minutes: 1 minute to 24 hours; or leave it out",
        "  retry_attempts is 186: 0 to 185",
        "  max_event_age is 1 s: 60 s to 24 hours",
    ]
