"""The EventBridge section as the chapter tells it: patterns, buses, targets, tags, and what else can be wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab_stacks import catalog
from lambda_src.event_rule.matching import matches
from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from tests.stacks.synthesis import Form, Synthesized, only, permissions, resources, synthesize
from tests.stacks.test_sections import can_be_tagged

LAB = Form(catalog.section("eventbridge"), Posture.LAB)


@pytest.fixture
def template(synthesized_forms: dict[Form, Synthesized]) -> dict[str, Any]:
    return synthesized_forms[LAB].template


def with_settings(**context: str) -> dict[str, Any]:
    return synthesize({"section": "eventbridge", **context})["eventbridge"].template


def rules(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The properties of every rule, by the rule's name in the stack."""
    return {name.partition("Rule")[0]: rule for name, rule in resources(template, "AWS::Events::Rule").items()}


def event(source: str, detail_type: str, **detail: Any) -> dict[str, Any]:
    return {"source": source, "detail-type": detail_type, "detail": detail}


def cloudtrail(source: str, name: str = "AuthorizeSecurityGroupIngress") -> dict[str, Any]:
    return event(source, "AWS API Call via CloudTrail", eventSource="ec2.amazonaws.com", eventName=name)


def test_every_choice_of_the_chapter_is_there(template: dict[str, Any]) -> None:
    assert {
        name: ("ScheduleExpression" if "ScheduleExpression" in rule else rule.get("EventBusName", "default bus"))
        for name, rule in rules(template).items()
    } == {
        "OrderPlaced": {"Ref": next(name for name in template["Resources"] if name.startswith("OrdersA"))},
        "Unreliable": {"Ref": next(name for name in template["Resources"] if name.startswith("OrdersA"))},
        "Audited": {"Ref": next(name for name in template["Resources"] if name.startswith("Audit3"))},
        "PortOpened": "default bus",
        "ImageScanned": "default bus",
        "TaskStopped": "default bus",
        "EveryMinute": "ScheduleExpression",
    }


@pytest.mark.parametrize(
    ("rule", "matching", "others"),
    [
        (
            "OrderPlaced",
            [event("shop.orders", "OrderPlaced", total=100), event("shop.orders", "OrderPlaced", total=100.5)],
            [
                event("shop.orders", "OrderPlaced", total=99.99),
                event("shop.orders", "OrderPlaced", total="100"),
                event("shop.orders", "OrderPlaced"),
                event("shop.orders", "PaymentRefused", total=100),
                event("shop.returns", "OrderPlaced", total=100),
            ],
        ),
        ("Unreliable", [event("shop.orders", "PaymentRefused")], [event("shop.orders", "OrderPlaced", total=100)]),
        (
            "PortOpened",
            [cloudtrail("aws.ec2"), cloudtrail("by-hand.aws.ec2")],
            [cloudtrail("aws.s3"), cloudtrail("aws.ec2", "RevokeSecurityGroupIngress")],
        ),
        (
            "ImageScanned",
            [event("aws.ecr", "ECR Image Scan", **{"scan-status": "COMPLETE"})],
            [event("aws.ecr", "ECR Image Scan", **{"scan-status": "FAILED"}), event("aws.ecr", "ECR Image Action")],
        ),
        (
            "TaskStopped",
            [event("by-hand.aws.ecs", "ECS Task State Change", lastStatus="STOPPED")],
            [event("aws.ecs", "ECS Task State Change", lastStatus="RUNNING")],
        ),
    ],
)
def test_a_rule_waits_for_its_events_and_no_others(
    template: dict[str, Any], rule: str, matching: list[dict[str, Any]], others: list[dict[str, Any]]
) -> None:
    pattern = rules(template)[rule]["EventPattern"]

    assert all(matches(pattern, one) for one in matching)
    assert not any(matches(pattern, one) for one in others)


def test_an_order_goes_to_every_kind_of_target(template: dict[str, Any]) -> None:
    names = [json.dumps(target["Arn"]) for target in rules(template)["OrderPlaced"]["Targets"]]

    kinds = ["RecorderFunction", "Queue", "Topic", "Website", "Audit"]
    assert all(kind in name for kind, name in zip(kinds, names, strict=True)), names


def test_the_queue_gets_a_summary_and_the_recorder_the_whole_event(template: dict[str, Any]) -> None:
    recorder, queue, *_ = rules(template)["OrderPlaced"]["Targets"]

    assert recorder["InputTransformer"] == {
        "InputTemplate": '{"rule": "OrderPlaced", "event": <aws.events.event.json>}'
    }
    assert queue["InputTransformer"] == {
        "InputPathsMap": {"detail-id": "$.detail.id", "detail-total": "$.detail.total"},
        "InputTemplate": '{"order":<detail-id>,"total":<detail-total>,"text":"Order <detail-id> over <detail-total>"}',
    }


def test_no_target_is_without_a_dead_letter_queue_and_a_retry_policy(template: dict[str, Any]) -> None:
    every = [target for rule in rules(template).values() for target in rule["Targets"]]
    every.append(only(template, "AWS::Scheduler::Schedule")["Target"])

    assert len(every) == 12
    assert all({"DeadLetterConfig", "RetryPolicy"} <= set(target) for target in every)


def test_every_rule_and_bus_may_send_to_the_dead_letter_queue_that_it_names(template: dict[str, Any]) -> None:
    senders = [
        (one["Resource"], source)
        for policy in resources(template, "AWS::SQS::QueuePolicy").values()
        for one in policy["PolicyDocument"]["Statement"]
        if one["Effect"] == "Allow"
        for source in [one["Condition"]["ArnEquals"]["aws:SourceArn"]]
    ]
    for name, rule in resources(template, "AWS::Events::Rule").items():
        for target in rule["Targets"]:
            assert (target["DeadLetterConfig"]["Arn"], {"Fn::GetAtt": [name, "Arn"]}) in senders
    for name, bus in resources(template, "AWS::Events::EventBus").items():
        assert (bus["DeadLetterConfig"]["Arn"], {"Fn::GetAtt": [name, "Arn"]}) in senders


def test_no_queue_has_the_key_of_awss_that_is_closed_to_eventbridge(template: dict[str, Any]) -> None:
    queues = resources(template, "AWS::SQS::Queue").values()

    assert len(queues) == 6
    assert all(queue["SqsManagedSseEnabled"] and "KmsMasterKeyId" not in queue for queue in queues)


def test_the_schedule_has_a_time_zone_and_a_flexible_window(template: dict[str, Any]) -> None:
    schedule = only(template, "AWS::Scheduler::Schedule")

    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert schedule["FlexibleTimeWindow"] == {"MaximumWindowInMinutes": 1, "Mode": "FLEXIBLE"}
    assert rules(template)["EveryMinute"]["ScheduleExpression"] == "rate(1 minute)"


def test_the_api_key_is_in_secrets_manager_and_nowhere_else(template: dict[str, Any]) -> None:
    [secret] = resources(template, "AWS::SecretsManager::Secret")
    key = only(template, "AWS::Events::Connection")["AuthParameters"]["ApiKeyAuthParameters"]

    assert key["ApiKeyName"] == "x-api-key"
    assert key["ApiKeyValue"]["Fn::Join"][1] == ["{{resolve:secretsmanager:", {"Ref": secret}, ":SecretString:::}}"]


def test_the_recorders_functions_may_put_items_and_nothing_more(template: dict[str, Any]) -> None:
    [table] = resources(template, "AWS::DynamoDB::GlobalTable")
    for name, function in resources(template, "AWS::Lambda::Function").items():
        own = {"dynamodb:PutItem", "logs:CreateLogStream", "logs:PutLogEvents"}
        own |= {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
        more = {"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"}
        allowed = permissions(template, function["Role"]["Fn::GetAtt"][0])
        assert allowed["dynamodb:PutItem"] == {"Fn::GetAtt": [table, "Arn"]}
        assert set(allowed) == own | (more if "Endpoint" in name else {"sqs:SendMessage"})


def test_what_cannot_be_tagged_is_known(template: dict[str, Any]) -> None:
    kinds = {resource["Type"] for resource in template["Resources"].values()}

    assert {kind for kind in kinds if not can_be_tagged(kind)} == {
        "AWS::Events::ApiDestination",
        "AWS::Events::Archive",
        "AWS::Events::Connection",
        "AWS::Events::EventBusPolicy",
        "AWS::IAM::Policy",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Url",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::Scheduler::Schedule",  # its group is
    }


def test_outputs_are_what_the_runbook_needs(template: dict[str, Any]) -> None:
    assert set(template["Outputs"]) == {
        "ArchiveName",
        "AuditBusName",
        "AuditQueueUrl",
        "BusDeadLetterQueueUrl",
        "BusName",
        "DeadLetterQueueUrl",
        "EndpointFunctionName",
        "EndpointUrl",
        "FunctionName",
        "QueueUrl",
        "RecorderDeadLetterQueueUrl",
        "TableName",
        "TopicArn",
        "UnreliableDeadLetterQueueUrl",
    }


def test_production_outlives_its_stack_and_the_lab_does_not(synthesized_forms: dict[Form, Synthesized]) -> None:
    for posture, deletion in ((Posture.LAB, "Delete"), (Posture.PRODUCTION, "RetainExceptOnCreate")):
        made = synthesized_forms[Form(LAB.entry, posture)].template["Resources"].values()
        kinds = ("AWS::DynamoDB::GlobalTable", "AWS::Events::Archive", "AWS::Logs::LogGroup", "AWS::SQS::Queue")
        assert {one["DeletionPolicy"] for one in made if one["Type"] in kinds} == {deletion}


def test_nobody_gets_e_mail_unless_an_address_is_given(template: dict[str, Any]) -> None:
    assert resources(template, "AWS::SNS::Subscription") == {}

    subscription = only(with_settings(email="me@example.com"), "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "me@example.com")


def test_orders_go_to_another_endpoint_when_it_is_given_and_refused_payments_still_nowhere() -> None:
    destinations = resources(with_settings(endpoint="https://example.com/orders"), "AWS::Events::ApiDestination")

    endpoints = {name: one["InvocationEndpoint"] for name, one in destinations.items()}
    [orders] = [endpoint for name, endpoint in endpoints.items() if name.startswith("Website")]
    [nowhere] = [endpoint for name, endpoint in endpoints.items() if name.startswith("Nowhere")]
    assert orders == "https://example.com/orders"
    assert nowhere["Fn::Join"][1][1] == "nowhere"


def test_the_buses_can_be_renamed_and_opened_to_an_organization() -> None:
    template = with_settings(bus_name="Shop", audit_bus_name="Log", organization_id="o-a1b2c3d4e5")

    assert [bus["Name"] for bus in resources(template, "AWS::Events::EventBus").values()] == ["Shop", "Log"]
    policies = resources(template, "AWS::Events::EventBusPolicy").values()
    assert [policy["Statement"]["Condition"] for policy in policies] == [
        {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    ] * 2


@pytest.mark.parametrize("email", ["nobody", "a@b", "a b@example.com", "a@example.", "@example.com"])
def test_an_e_mail_address_that_is_none_is_refused(email: str) -> None:
    with pytest.raises(InvalidOptionsError, match=f"email is {email}: give one address, such as name@example.com"):
        with_settings(email=email)


@pytest.mark.parametrize("endpoint", ["http://example.com", "example.com", "https://", "https:///orders"])
def test_an_endpoint_that_an_api_destination_cannot_call_is_refused(endpoint: str) -> None:
    with pytest.raises(InvalidOptionsError, match=f"endpoint is {endpoint}: EventBridge calls https alone: give a URL"):
        with_settings(endpoint=endpoint)


def test_all_wrong_settings_are_named_in_one_error_with_what_to_do() -> None:
    with pytest.raises(InvalidOptionsError) as refusal:
        with_settings(email="nobody", endpoint="http://example.com", organization_id="acme")

    assert str(refusal.value).splitlines() == [
        "EventBridge EventBridge:",
        "  email is nobody: give one address, such as name@example.com, or leave it out",
        "  endpoint is http://example.com: EventBridge calls https alone: give a URL such as https://example.com/orders",
        "  organization_id is acme: o- and 10 to 32 small letters and digits, as `aws organizations "
        "describe-organization` prints it",
    ]
