"""The event bus block: who may put events, what is kept, where failures show."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Annotations, Match, Template

from lambda_src.event_bus.construct import ArchivedEventBus
from lambda_src.posture import Posture
from tests.stacks.synthesis import only, resources


def statement(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = only(Template.from_stack(stack).to_json(), "AWS::Events::EventBusPolicy")["Statement"]
    return found


def test_it_needs_nothing_and_keeps_its_events_for_a_week(stack: Stack) -> None:
    ArchivedEventBus(stack, "Bus", event_bus_name="Orders")

    template = Template.from_stack(stack)
    everything = {"source": [{"prefix": ""}]}
    template.has_resource(
        "AWS::Events::Archive",
        {"Properties": {"EventPattern": everything, "RetentionDays": 7}, "DeletionPolicy": "Delete"},
    )
    archived = only(template.to_json(), "AWS::Events::Archive")["SourceArn"]["Fn::Join"][1]
    assert archived[-1] == ":event-bus/Orders"
    template.has_resource_properties(
        "AWS::Events::EventBus", {"LogConfig": {"IncludeDetail": "NONE", "Level": "ERROR"}}
    )


def test_it_lets_itself_send_to_its_dead_letter_queue_and_nothing_else(stack: Stack) -> None:
    bus = ArchivedEventBus(stack, "Bus")

    template = Template.from_stack(stack)
    queue = stack.resolve(bus.dead_letter_queue.queue_arn)
    template.has_resource_properties("AWS::Events::EventBus", {"DeadLetterConfig": {"Arn": queue}})
    [policy] = resources(template.to_json(), "AWS::SQS::QueuePolicy").values()
    allowed = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    assert [{name: value for name, value in one.items() if name != "Sid"} for one in allowed] == [
        {
            "Action": "sqs:SendMessage",
            "Condition": {"ArnEquals": {"aws:SourceArn": stack.resolve(bus.event_bus_arn)}},
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Resource": queue,
        }
    ]


def test_the_account_alone_may_put_events(stack: Stack) -> None:
    ArchivedEventBus(stack, "Bus")

    allowed = statement(stack)
    assert allowed["Action"] == "events:PutEvents"
    assert allowed["Principal"]["AWS"]["Fn::Join"][1][-2:] == [{"Ref": "AWS::AccountId"}, ":root"]


def test_an_organization_may_put_events_when_it_is_named(stack: Stack) -> None:
    ArchivedEventBus(stack, "Bus", organization_id="o-a1b2c3d4e5")

    assert statement(stack)["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}


@pytest.mark.parametrize(
    ("level", "kinds"),
    [
        (events.Level.OFF, []),
        (events.Level.ERROR, ["ERROR_LOGS"]),
        (events.Level.INFO, ["ERROR_LOGS", "INFO_LOGS"]),
        (events.Level.TRACE, ["ERROR_LOGS", "INFO_LOGS", "TRACE_LOGS"]),
    ],
)
def test_the_logs_of_its_level_are_delivered_to_a_log_group(
    stack: Stack, level: events.Level, kinds: list[str]
) -> None:
    bus = ArchivedEventBus(stack, "Bus", log_level=level)

    template = Template.from_stack(stack).to_json()
    sources = resources(template, "AWS::Logs::DeliverySource")
    assert [source["LogType"] for source in sources.values()] == kinds
    assert all(source["ResourceArn"] == stack.resolve(bus.event_bus_arn) for source in sources.values())
    deliveries = resources(template, "AWS::Logs::Delivery").values()
    assert [delivery["DeliverySourceName"] for delivery in deliveries] == [{"Ref": source} for source in sources]
    assert (bus.log_group is None) == (not kinds)
    if bus.log_group:
        destination = only(template, "AWS::Logs::DeliveryDestination")
        assert destination["DestinationResourceArn"] == stack.resolve(bus.log_group.log_group_arn)


def test_production_keeps_the_archive_for_a_year_and_longer_than_the_stack(stack: Stack) -> None:
    ArchivedEventBus(stack, "Bus", posture=Posture.PRODUCTION)

    Template.from_stack(stack).has_resource(
        "AWS::Events::Archive",
        {"Properties": {"RetentionDays": 365}, "DeletionPolicy": "RetainExceptOnCreate"},
    )


def test_a_key_encrypts_everything_and_lets_eventbridge_use_it(stack: Stack) -> None:
    key = kms.Key(stack, "Key")

    ArchivedEventBus(stack, "Bus", encryption_key=key)

    template = Template.from_stack(stack)
    arn = stack.resolve(key.key_arn)
    template.has_resource_properties("AWS::Events::EventBus", {"KmsKeyIdentifier": arn})
    template.has_resource_properties("AWS::Events::Archive", {"KmsKeyIdentifier": arn})
    template.has_resource_properties("AWS::SQS::Queue", {"KmsMasterKeyId": arn})
    template.has_resource_properties("AWS::Logs::LogGroup", {"KmsKeyId": arn})
    sending = {
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        "Principal": {"Service": "events.amazonaws.com"},
    }
    template.has_resource_properties(
        "AWS::KMS::Key", {"KeyPolicy": {"Statement": Match.array_with([Match.object_like(sending)])}}
    )


def test_buses_may_share_a_key_whose_policy_then_has_no_two_statements_of_one_name(stack: Stack) -> None:
    key = kms.Key(stack, "Key")

    for name in ("First", "Second"):
        ArchivedEventBus(stack, name, event_bus_name=name, encryption_key=key)

    statements = only(Template.from_stack(stack).to_json(), "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    names = [statement["Sid"] for statement in statements if "Sid" in statement]
    assert len(names) == len(set(names))
    replayed = [one for one in statements if one["Action"] == ["kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncrypt*"]]
    buses = [
        str(one["Condition"]["StringEquals"]["kms:EncryptionContext:aws:events:event-bus:arn"]) for one in replayed
    ]
    assert ["First" in buses[0], "Second" in buses[1], len(buses)] == [True, True, 2]


def test_two_buses_may_share_a_dead_letter_queue(stack: Stack) -> None:
    first = ArchivedEventBus(stack, "First")
    second = ArchivedEventBus(stack, "Second", dead_letter_queue=first.dead_letter_queue)

    template = Template.from_stack(stack)
    template.resource_count_is("AWS::SQS::Queue", 1)
    sources = [
        one["Condition"]["ArnEquals"]["aws:SourceArn"]
        for one in only(template.to_json(), "AWS::SQS::QueuePolicy")["PolicyDocument"]["Statement"]
        if one["Effect"] == "Allow"
    ]
    assert sources == [stack.resolve(bus.event_bus_arn) for bus in (first, second)]


def test_an_existing_queue_that_cannot_be_opened_is_a_warning(stack: Stack) -> None:
    queue = sqs.Queue.from_queue_arn(stack, "Existing", "arn:aws:sqs:us-east-1:111122223333:failed")

    ArchivedEventBus(stack, "Bus", dead_letter_queue=queue)

    Annotations.from_stack(stack).has_warning(
        "/Empty/Existing", Match.string_like_regexp("its policy must let events.amazonaws.com send to it")
    )


def test_a_dead_letter_raises_an_alarm(stack: Stack) -> None:
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:us-east-1:111122223333:alarms")

    ArchivedEventBus(stack, "Bus", alarm_topic=topic)

    alarm = only(Template.from_stack(stack).to_json(), "AWS::CloudWatch::Alarm")
    assert (alarm["MetricName"], alarm["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 0)
    assert alarm["AlarmActions"] == [topic.topic_arn]


def test_it_goes_wherever_the_cdk_takes_a_bus(stack: Stack) -> None:
    bus = ArchivedEventBus(stack, "Bus", event_bus_name="Orders", description="What the shop sells.")

    events.Rule(stack, "Rule", event_bus=bus, event_pattern=events.EventPattern(source=["shop"]))

    Template.from_stack(stack).has_resource_properties(
        "AWS::Events::EventBus", {"Description": "What the shop sells.", "Name": "Orders"}
    )


ORGANIZATION = "o- and 10 to 32 small letters and digits, as `aws organizations describe-organization` prints it"
REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({"event_bus_name": ""}, ["event_bus_name is : 1 to 50 letters, digits, and any of _-"]),
    ({"event_bus_name": "a/b"}, ["event_bus_name is a/b: 1 to 50 letters, digits, and any of _-"]),
    ({"event_bus_name": "x" * 51}, [f"event_bus_name is {'x' * 51}: 1 to 50 letters, digits, and any of _-"]),
    ({"description": "x" * 513}, [f"description is {'x' * 513}: 512 characters at most"]),
    ({"organization_id": "acme"}, [f"organization_id is acme: {ORGANIZATION}"]),
    ({"archive_retention": Duration.hours(36)}, ["archive_retention is 1.5 days: 1 day or more, whole"]),
    ({"archive_retention": Duration.days(0)}, ["archive_retention is 0 days: 1 day or more, whole"]),
    (
        {"organization_id": "acme", "event_bus_name": "a b"},
        [
            "event_bus_name is a b: 1 to 50 letters, digits, and any of _-",
            f"organization_id is acme: {ORGANIZATION}",
        ],
    ),
]


@pytest.mark.parametrize(("options", "problems"), REFUSED, ids=[problems[0][:40] for _, problems in REFUSED])
def test_it_refuses(stack: Stack, options: dict[str, Any], problems: list[str]) -> None:
    with pytest.raises(ValueError, match="ArchivedEventBus Empty/Bus:") as refusal:
        ArchivedEventBus(stack, "Bus", **options)

    assert str(refusal.value).splitlines()[1:] == [f"  {problem}" for problem in problems]
    assert stack.node.children == []


def test_it_refuses_a_fifo_dead_letter_queue(stack: Stack) -> None:
    fifo = sqs.Queue.from_queue_arn(stack, "Fifo", "arn:aws:sqs:us-east-1:111122223333:failed.fifo")

    with pytest.raises(ValueError, match="dead_letter_queue is a FIFO queue: EventBridge takes a standard queue"):
        ArchivedEventBus(stack, "Bus", dead_letter_queue=fifo)


def test_it_refuses_a_dead_letter_queue_whose_key_is_closed_to_eventbridge(stack: Stack) -> None:
    closed = sqs.Queue(stack, "Closed", encryption=sqs.QueueEncryption.KMS_MANAGED)

    with pytest.raises(ValueError, match="dead_letter_queue is encrypted by AWS's key in KMS: that key is closed to E"):
        ArchivedEventBus(stack, "Bus", dead_letter_queue=closed)
