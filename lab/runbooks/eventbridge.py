"""EventBridge: events go where their rules say, and nowhere else; what cannot be delivered is kept."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from lab import events
from lab.least_privilege import Attempt, answers_to
from lab.runbook import Evidence, Exhibit, NotMadeError, Runbook, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.deployment import Deployment

runbook = Runbook()
Event = dict[str, Any]
# The rule asks for a total of 100 or more, as a number.
MATCHING = [100, 150.5, 1_000_000]
OTHERS = [
    ("shop.orders", "OrderPlaced", 99.99),
    ("shop.orders", "OrderPlaced", "150"),
    ("shop.orders", "OrderShipped", 150),
    ("shop.returns", "OrderPlaced", 150),
]
# A service's own events cannot be put: AWS keeps the sources that begin with aws. for itself.
BY_HAND: list[tuple[str, str, str, Event, Event]] = [
    (
        "SecurityGroupOpened",
        "by-hand.aws.ec2",
        "AWS API Call via CloudTrail",
        {"eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress"},
        {"eventSource": "ec2.amazonaws.com", "eventName": "DescribeSecurityGroups"},
    ),
    (
        "ImageScanned",
        "by-hand.aws.ecr",
        "ECR Image Scan",
        {"scan-status": "COMPLETE", "repository-name": "shop", "finding-severity-counts": {"CRITICAL": 1}},
        {"scan-status": "FAILED", "repository-name": "shop"},
    ),
    (
        "TaskStopped",
        "by-hand.aws.ecs",
        "ECS Task State Change",
        {"lastStatus": "STOPPED", "stoppedReason": "Essential container in task exited"},
        {"lastStatus": "RUNNING"},
    ),
]


@runbook.check(
    "An order of 100 or more reaches five kinds of targets, and nothing else does", evidence=Evidence.EMULATED
)
def orders_reach_every_target(deployed: Deployment) -> str:
    """Pattern, bus, targets: Lambda, SQS with an input transformer, SNS, an HTTP endpoint, another bus."""
    with _subscribed(deployed) as published:
        others = _put(deployed, [_order(total, source, kind) for source, kind, total in OTHERS])
        orders = _put(deployed, [_order(total) for total in MATCHING])
        by_order = {event["detail"]["id"]: event for event in orders.values()}
        transformed = {
            name: {
                "order": name,
                "total": event["detail"]["total"],
                "text": f"Order {name} over {event['detail']['total']}",
            }
            for name, event in by_order.items()
        }
        ours = {event["detail"]["id"] for event in [*orders.values(), *others.values()]}
        found = {
            "SQS": _taken(_inbox(deployed, "QueueUrl"), lambda body: body.get("order"), set(by_order), ours),
            "another bus": _taken(_inbox(deployed, "AuditQueueUrl"), _order_of, set(by_order), ours),
            "SNS": _taken(published, _order_of, set(by_order), ours),
        }
    recorded = {kind: _recorded(deployed, kind, orders) for kind in ("OrderPlaced", "endpoint")}
    wrong = _recorded_at_all(deployed, others)
    _forget(deployed, {*orders, *others})

    assert found["SQS"] == transformed, f"the queue got {found['SQS']} and not {transformed}"
    for kind in ("another bus", "SNS"):
        told = {name: event["detail"] for name, event in found[kind].items()}
        assert told == {name: event["detail"] for name, event in by_order.items()}, f"{kind} got {told}"
    for kind, items in recorded.items():
        if kind == "endpoint" and not _calls_its_own_endpoint(deployed):
            continue
        told = {event_id: event["detail"] for event_id, event in items.items()}
        assert told == {event_id: event["detail"] for event_id, event in orders.items()}, f"{kind} recorded {told}"
    assert not wrong, f"what does not match was recorded: {wrong}"
    [example] = [text["text"] for text in transformed.values() if text["total"] == MATCHING[0]]
    return (
        f"{len(orders)} of {len(orders) + len(others)} events reached Lambda, SQS, SNS, the HTTP endpoint and the "
        f"other bus\ntransformed for SQS: {example}"
    )


@runbook.check("The HTTP endpoint refuses whoever lacks the connection's key", evidence=Evidence.EMULATED)
def endpoint_wants_the_key(deployed: Deployment) -> str:
    """So the events that the check before saw there came with it."""
    answers = {}
    for key in (None, "guessed"):
        event = json.dumps({"id": f"runbook-{uuid.uuid4()}", "source": "nobody", "detail-type": "x", "detail": {}})
        headers = {"Content-Type": "application/json", **({"x-api-key": key} if key else {})}
        answers[key or "no key"] = _status(deployed.output("EndpointUrl"), event, headers)
    assert set(answers.values()) <= {401, 403}, f"it answered {answers}"
    return ", ".join(f"{key}: {status}" for key, status in answers.items())


@runbook.check("An AWS API call and service events reach their function", evidence=Evidence.EMULATED)
def aws_events_reach_the_function(deployed: Deployment) -> str:
    """CloudTrail, ECR and ECS, put by hand on the default bus: "or trigger the event manually"."""
    seen = []
    for rule, source, detail_type, detail, other in BY_HAND:
        [wrong] = _put(deployed, [_event(source, detail_type, other)], bus="default")
        right = _put(deployed, [_event(source, detail_type, detail)], bus="default")
        recorded, also = _recorded(deployed, rule, right), _recorded_at_all(deployed, {wrong})
        _forget(deployed, {*right, wrong})
        assert [event["detail"] for event in recorded.values()] == [detail], f"{rule} recorded {recorded}"
        assert not also, f"{rule} recorded what does not match: {also}"
        seen.append(rule)
    return f"{', '.join(seen)}: 1 of 2 events each"


@runbook.check("Archived events are replayed to their bus", evidence=Evidence.EMULATED)
def archive_is_replayed(deployed: Deployment) -> str:
    """On AWS an event may need ten minutes to reach the archive, so it is asked for again and again."""
    time.sleep(1)  # A replay takes whole seconds: no event of another check is in this one's.
    session, bus = deployed.target.session, deployed.output("BusName")
    started = datetime.now(timezone.utc)
    [event_id] = _put(deployed, [_event("shop.orders", "OrderShipped", {"id": f"runbook-{uuid.uuid4()}"})])
    ended = started + timedelta(seconds=2)
    again: list[Event] = []

    def arrives() -> bool:
        events.replay(session, deployed.output("ArchiveName"), started.replace(microsecond=0), ended, lambda _: None)
        again.extend(event for event in receive() if event["id"] == event_id and "replay-name" in event)
        return bool(again)

    with events.tail(session, bus, {"detail-type": ["OrderShipped"], "replay-name": [{"exists": True}]}) as receive:
        replayed = wait_for(arrives, seconds=900)
    assert replayed, f"{event_id} was not replayed within 15 minutes"
    return f"{event_id} once more, by {again[0]['replay-name']}"


@runbook.check("An event that cannot be delivered is in its target's dead-letter queue", evidence=Evidence.EMULATED)
def failed_event_is_kept(deployed: Deployment) -> str:
    """With the reason; the queue takes it because its policy permits the rule to send."""
    attributes = _refused_payment(deployed)
    missing = {"RULE_ARN", "TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE"} - set(attributes)
    assert not missing, f"it lacks {missing}"
    assert "Unreliable" in attributes["RULE_ARN"], f"it came from {attributes['RULE_ARN']}"
    return f"{attributes['ERROR_CODE']}: {attributes['ERROR_MESSAGE']}"


@runbook.check("Nothing else is in a dead-letter queue", evidence=Evidence.EMULATED)
def nothing_is_lost(deployed: Deployment) -> str:
    """Neither of the rules' targets' nor of the bus itself."""
    waiting = {}
    for output in ("DeadLetterQueueUrl", "BusDeadLetterQueueUrl"):
        attributes = deployed.client("sqs").get_queue_attributes(
            QueueUrl=deployed.output(output),
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        waiting[output] = sum(int(number) for number in attributes.values())
    assert not any(waiting.values()), f"{waiting}: `lab dlq show {deployed.section.id}`"
    return "0 of the rules' targets, 0 of the buses"


@runbook.check("Every target has a dead-letter queue and a retry policy", evidence=Evidence.TEMPLATE)
def targets_are_reliable(deployed: Deployment) -> str:
    """Those of the rules, and the schedule's."""
    resources = deployed.template()["Resources"]
    targets = [
        (name, target)
        for name, resource in resources.items()
        for target in (
            resource["Properties"].get("Targets", [])
            if resource["Type"] == "AWS::Events::Rule"
            else [resource["Properties"]["Target"]]
            if resource["Type"] == "AWS::Scheduler::Schedule"
            else []
        )
    ]
    bare = [name for name, target in targets if not {"DeadLetterConfig", "RetryPolicy"} <= set(target)]
    assert not bare, f"without: {', '.join(bare)}"
    return f"{len(targets)} of {len(targets)} targets"


@runbook.check("The buses take events from no other account", evidence=Evidence.TEMPLATE)
def buses_keep_strangers_out(deployed: Deployment) -> str:
    """Every statement of a bus policy names this account, or asks for the organization."""
    statements = [
        resource["Properties"].get("Statement") or resource["Properties"]
        for resource in deployed.template()["Resources"].values()
        if resource["Type"] == "AWS::Events::EventBusPolicy"
    ]
    if not statements:
        raise NotMadeError("The buses have no policy, and so take events from their own account alone.")
    account = deployed.client("sts").get_caller_identity()["Account"]
    strangers = [
        statement
        for statement in statements
        if statement.get("Effect", "Allow") == "Allow"
        and not any(name in json.dumps(statement.get("Principal")) for name in ("AWS::AccountId", account))
        and "aws:PrincipalOrgID" not in json.dumps(statement.get("Condition", {}))
    ]
    assert not strangers, f"open to others: {strangers}"
    return f"{len(statements)} of {len(statements)} statements name who may put events"


@runbook.check("The buses are set to log what fails", evidence=Evidence.CONTROL_PLANE_ONLY)
def buses_log(deployed: Deployment) -> str:
    """The level is the bus's own setting."""
    levels = {
        bus: deployed.client("events").describe_event_bus(Name=bus).get("LogConfig", {}).get("Level", "OFF")
        for bus in (deployed.output("BusName"), deployed.output("AuditBusName"))
    }
    assert "OFF" not in levels.values(), f"levels: {levels}"
    return ", ".join(f"{bus}: {level}" for bus, level in levels.items())


@runbook.check("What fails is in the log of its bus", evidence=Evidence.AWS_ONLY)
def log_has_lines(deployed: Deployment) -> str:
    """The emulator's buses write no log."""
    logs, started = deployed.client("logs"), int(time.time() * 1000)
    destinations = [
        logs.get_delivery_destination(name=name)["deliveryDestination"]["deliveryDestinationConfiguration"]
        for name in deployed.physical_ids("AWS::Logs::DeliveryDestination")
    ]
    groups = {one["destinationResourceArn"].split(":log-group:")[1].removesuffix(":*") for one in destinations}
    assert groups, "no log group is a destination of the buses' logs"
    _refused_payment(deployed)

    def lines() -> int:
        return sum(len(logs.filter_log_events(logGroupName=group, startTime=started)["events"]) for group in groups)

    logged = wait_for(lambda: lines() > 0, seconds=600)
    assert logged, f"nothing in {', '.join(groups)} after ten minutes"
    return f"{lines()} in {', '.join(groups)}"


@runbook.check("Buses and rules are tagged", evidence=Evidence.CONTROL_PLANE_ONLY)
def everything_is_tagged(deployed: Deployment) -> str:
    """The chapter's step 4: "You need to tag everything"."""
    client = deployed.client("events")
    buses = [client.describe_event_bus(Name=deployed.output(name))["Arn"] for name in ("BusName", "AuditBusName")]
    rules = [
        rule["Arn"]
        for bus in ("default", deployed.output("BusName"), deployed.output("AuditBusName"))
        for rule in client.list_rules(EventBusName=bus, NamePrefix=deployed.section.stack_id)["Rules"]
    ]
    untagged = [
        arn
        for arn in [*buses, *rules]
        if "section" not in {tag["Key"] for tag in client.list_tags_for_resource(ResourceARN=arn)["Tags"]}
    ]
    assert rules, "there are no rules"
    assert not untagged, f"without tags: {', '.join(untagged)}"
    return f"{len(buses)} buses, {len(rules)} rules"


@runbook.check("The recorder's role can neither put events nor delete the table", evidence=Evidence.EMULATED)
def role_is_least_privilege(deployed: Deployment) -> str:
    """Tried by a function that has the same role."""
    table, bus = deployed.output("TableName"), deployed.output("BusName")
    answers = answers_to(
        deployed,
        deployed.output("FunctionName"),
        [
            Attempt(
                "dynamodb:DeleteTable",
                deployed.client("dynamodb").describe_table(TableName=table)["Table"]["TableArn"],
                {"TableName": table},
                "delete_table",
            ),
            Attempt(
                "events:DeleteEventBus",
                deployed.client("events").describe_event_bus(Name=bus)["Arn"],
                {"Name": bus},
                "delete_event_bus",
            ),
        ],
    )
    for action, answer in answers.items():
        assert answer.startswith("AccessDenied"), f"{action} was not refused: {answer}"
    return f"refused: {', '.join(answers)}"


@runbook.check("The topic sends email", evidence=Evidence.CONTROL_PLANE_ONLY)
def topic_sends_email(deployed: Deployment) -> str:
    """An address is given by context; who has it must confirm it by a link."""
    subscriptions = deployed.client("sns").list_subscriptions_by_topic(TopicArn=deployed.output("TopicArn"))
    addresses = [one["Endpoint"] for one in subscriptions["Subscriptions"] if one["Protocol"] == "email"]
    if not addresses:
        raise NotMadeError("Deployed without an address: `-c email=you@example.com` subscribes it.")
    return f"{len(addresses)} subscribed"


@runbook.check("The schedule has a time zone and a flexible window", evidence=Evidence.TEMPLATE)
def schedule_has_a_time_zone(deployed: Deployment) -> str:
    """The emulator's schedules know neither."""
    [schedule] = [
        resource["Properties"]
        for resource in deployed.template()["Resources"].values()
        if resource["Type"] == "AWS::Scheduler::Schedule"
    ]
    window = schedule["FlexibleTimeWindow"]
    assert window["Mode"] == "FLEXIBLE", f"the window is {window['Mode']}"
    assert schedule.get("ScheduleExpressionTimezone"), "it has no time zone"
    minutes = window["MaximumWindowInMinutes"]
    return f"{schedule['ScheduleExpression']}, {schedule['ScheduleExpressionTimezone']}, within {minutes} min"


# Last: what was deployed at the beginning has had the time that the checks before took.
@runbook.check("The rate rule and the schedule fire", evidence=Evidence.EMULATED)
def schedules_fire(deployed: Deployment) -> str:
    """Each minute; the schedule's flexible window may add one more."""
    since = datetime.now(timezone.utc) - timedelta(minutes=2)
    times: dict[str, str] = {}

    def have_fired() -> bool:
        for rule in ("EveryMinute", "Scheduled"):
            times.update(_last_fired(deployed, rule, since))
        return len(times) == 2

    fired = wait_for(have_fired, seconds=240)
    _sweep(deployed)
    assert fired, f"within four minutes only {times or 'none'} fired"
    return ", ".join(f"{rule} at {when}" for rule, when in sorted(times.items()))


@runbook.show
def newest_events(deployed: Deployment) -> Exhibit:
    """What the function and the endpoint recorded."""
    items = deployed.client("dynamodb").scan(TableName=deployed.output("TableName"), Limit=1000)["Items"]
    newest = sorted(items, key=lambda item: str(item["Time"]["S"]), reverse=True)[:5]
    columns = ["Time", "Rule", "Source", "DetailType", "Event"]
    return Exhibit(
        f"Items in the table {deployed.output('TableName')}: the newest of {len(items)} that were read",
        columns,
        [[shorten(item[column]["S"], 60, placeholder=" ...") for column in columns] for item in newest],
    )


def _event(source: str, detail_type: str, detail: Event) -> Event:
    return {"source": source, "detail-type": detail_type, "detail": detail}


def _order(total: object, source: str = "shop.orders", detail_type: str = "OrderPlaced") -> Event:
    return _event(source, detail_type, {"id": f"runbook-{uuid.uuid4()}", "total": total})


def _order_of(event: Event) -> str | None:
    name: str | None = event.get("detail", {}).get("id")
    return name


def _put(deployed: Deployment, made: list[Event], bus: str | None = None) -> dict[str, Event]:
    """Put events on a bus; return them by the ids that they got."""
    entries = [events.entry(event, "the runbook") for event in made]
    sent = events.put(deployed.target.session, bus or deployed.output("BusName"), entries, lambda _: None)
    assert not sent.failures, f"EventBridge did not take all of them: {dict(sent.failures)}"
    return dict(zip(sent.event_ids, made, strict=True))


def _refused_payment(deployed: Deployment) -> dict[str, str]:
    """Put an event whose target refuses it; return what its dead letter says, and remove that."""
    [event_id] = _put(deployed, [_event("shop.orders", "PaymentRefused", {"id": f"runbook-{uuid.uuid4()}"})])
    sqs, url = deployed.client("sqs"), deployed.output("UnreliableDeadLetterQueueUrl")
    letters: list[dict[str, Any]] = []

    def arrives() -> bool:
        messages = sqs.receive_message(
            QueueUrl=url, MessageAttributeNames=["All"], MaxNumberOfMessages=10, WaitTimeSeconds=1
        ).get("Messages", [])
        letters.extend(message for message in messages if json.loads(message["Body"])["id"] == event_id)
        return bool(letters)

    arrived = wait_for(arrives, seconds=300)
    assert arrived, f"{event_id} is not in the dead-letter queue"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=letters[0]["ReceiptHandle"])
    return {name: value["StringValue"] for name, value in letters[0]["MessageAttributes"].items()}


@contextmanager
def _subscribed(deployed: Deployment) -> Iterator[events.Inbox]:
    """Subscribe a queue to the topic for a while."""
    sns, topic, name = deployed.client("sns"), deployed.output("TopicArn"), f"lab-runbook-{uuid.uuid4()}"
    with events.temporary_queue(deployed.target.session, name, "sns.amazonaws.com", topic) as inbox:
        subscription = sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=inbox.arn,
            Attributes={"RawMessageDelivery": "true"},
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        try:
            yield inbox
        finally:
            sns.unsubscribe(SubscriptionArn=subscription)


def _inbox(deployed: Deployment, output: str) -> events.Inbox:
    return events.Inbox(deployed.client("sqs"), deployed.output(output), "")


def _taken(
    inbox: events.Inbox, key: Callable[[Event], str | None], expected: set[str], ours: set[str]
) -> dict[str, Event]:
    """Take messages until all that are expected came; return those that are ours."""
    found: dict[str, Event] = {}

    def all_came() -> bool:
        found.update({str(name): body for body in inbox.receive() if (name := key(body)) in ours})
        return expected <= set(found)

    wait_for(all_came, seconds=120)
    return found


def _calls_its_own_endpoint(deployed: Deployment) -> bool:
    """Whether ``-c endpoint=`` sends the events elsewhere, where nobody here can look."""
    destinations = deployed.client("events").list_api_destinations()["ApiDestinations"]
    return deployed.output("EndpointUrl") in {one["InvocationEndpoint"] for one in destinations}


def _status(url: str, body: str, headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, body.encode(), headers)  # noqa: S310 - the stack's own address
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def _items(deployed: Deployment, event_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = deployed.client("dynamodb").query(
        TableName=deployed.output("TableName"),
        KeyConditionExpression="EventId = :id",
        ExpressionAttributeValues={":id": {"S": event_id}},
        ConsistentRead=True,
    )["Items"]
    return found


def _recorded(deployed: Deployment, rule: str, event_ids: dict[str, Event]) -> dict[str, Event]:
    """Wait until events are in the table, recorded for ``rule``; return those that are."""
    found: dict[str, Event] = {}

    def all_are() -> bool:
        for event_id in set(event_ids) - set(found):
            for item in _items(deployed, event_id):
                if item["Rule"]["S"] == rule:
                    found[event_id] = json.loads(item["Event"]["S"])
        return set(found) == set(event_ids)

    wait_for(all_are, seconds=60)
    return found


def _recorded_at_all(deployed: Deployment, event_ids: Any) -> list[str]:
    return [event_id for event_id in event_ids if _items(deployed, event_id)]


def _forget(deployed: Deployment, event_ids: set[str]) -> None:
    for event_id in event_ids:
        for item in _items(deployed, event_id):
            key = {"EventId": item["EventId"], "Rule": item["Rule"]}
            deployed.client("dynamodb").delete_item(TableName=deployed.output("TableName"), Key=key)


def _sweep(deployed: Deployment) -> None:
    """Remove what a slow endpoint recorded when it was called once more, after the check had removed it."""
    dynamodb, table = deployed.client("dynamodb"), deployed.output("TableName")
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="contains(Event, :mark)",
        ExpressionAttributeValues={":mark": {"S": '"runbook-'}},
    )
    _forget(deployed, {item["EventId"]["S"] for page in pages for item in page["Items"]})


def _last_fired(deployed: Deployment, rule: str, since: datetime) -> dict[str, str]:
    pages = (
        deployed.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=deployed.output("TableName"),
            FilterExpression="#rule = :rule AND #time >= :since",
            ExpressionAttributeNames={"#rule": "Rule", "#time": "Time"},
            ExpressionAttributeValues={
                ":rule": {"S": rule},
                ":since": {"S": since.strftime("%Y-%m-%dT%H:%M:%S")},
            },
        )
    )
    times = [item["Time"]["S"] for page in pages for item in page["Items"]]
    return {rule: max(times)} if times else {}
