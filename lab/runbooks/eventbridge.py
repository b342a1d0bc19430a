"""EventBridge: events go where their rules say, and nowhere else; what cannot be delivered is kept."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timedelta, timezone
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from lab import dead_letters
from lab.events import archives, buses
from lab.events.entries import Event, entry
from lab.events.inbox import Inbox, subscribed
from lab.events.records import MARK, Records
from lab.least_privilege import Attempt, answers_to
from lab.runbook import Evidence, Exhibit, Runbook, wait_for
from lab.runbooks import eventbridge_settings
from lab.target import TargetName

if TYPE_CHECKING:
    from lab.deployment import Deployment

runbook = Runbook()
# The rule asks for a total of 100 or more, as a number.
MATCHING = [100, 150.5, 1_000_000]
OTHERS = [
    ("shop.orders", "OrderPlaced", 99.99),
    ("shop.orders", "OrderPlaced", "150"),
    ("shop.orders", "OrderShipped", 150),
    ("shop.returns", "OrderPlaced", 150),
]
# A service's own events cannot be put: AWS keeps the sources that begin with aws. for itself. The first detail is what
# the rule waits for, the second is not.
BY_HAND: dict[tuple[str, str, str], tuple[Event, Event]] = {
    ("PortOpened", "by-hand.aws.ec2", "AWS API Call via CloudTrail"): (
        {"eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress"},
        {"eventSource": "ec2.amazonaws.com", "eventName": "DescribeSecurityGroups"},
    ),
    ("ImageScanned", "by-hand.aws.ecr", "ECR Image Scan"): (
        {"scan-status": "COMPLETE", "repository-name": "shop", "finding-severity-counts": {"CRITICAL": 1}},
        {"scan-status": "FAILED", "repository-name": "shop"},
    ),
    ("TaskStopped", "by-hand.aws.ecs", "ECS Task State Change"): (
        {"lastStatus": "STOPPED", "stoppedReason": "Essential container in task exited"},
        {"lastStatus": "RUNNING"},
    ),
}


@runbook.check(
    "An order of 100 or more reaches five kinds of targets, and nothing else does", evidence=Evidence.EMULATED
)
def orders_reach_every_target(deployed: Deployment) -> str:
    """Pattern, bus, targets: Lambda, SQS with an input transformer, SNS, an HTTP endpoint, another bus."""
    records, session = Records(deployed), deployed.target.session
    with subscribed(session, deployed.output("TopicArn")) as published:
        others = _put(deployed, [_order(total, source, kind) for source, kind, total in OTHERS])
        orders = _put(deployed, [_order(total) for total in MATCHING])
        expected = {_order_in(event): event["detail"] for event in orders.values()}
        ours = {_order_in(event) for event in [*orders.values(), *others.values()]}
        queued = _inbox(deployed, "QueueUrl").collect(lambda body: body.get("order"), set(expected), ours)
        events = {
            "another bus": _inbox(deployed, "AuditQueueUrl").collect(_order_in, set(expected), ours),
            "SNS": published.collect(_order_in, set(expected), ours),
        }
    recorders = {"Lambda": "OrderPlaced"} | ({"HTTP": "endpoint"} if _calls_its_own_endpoint(deployed) else {})
    for kind, rule in recorders.items():
        events[kind] = {_order_in(event): event for event in records.wait_for(orders, rule).values()}
    wrong = records.among(others)
    records.forget({*orders, *others})

    summaries = {
        name: {"order": name, "total": detail["total"], "text": f"Order {name} over {detail['total']}"}
        for name, detail in expected.items()
    }
    assert queued == summaries, f"the queue got {queued} and not {summaries}"
    for kind, delivered in events.items():
        told = {name: event["detail"] for name, event in delivered.items()}
        assert told == expected, f"{kind} got {told} and not {expected}"
    assert not wrong, f"what does not match was recorded: {wrong}"
    example = next(iter(summaries.values()))["text"]
    return (
        f"{len(orders)} of {len(orders) + len(others)} events reached SQS, {', '.join(sorted(events))}\n"
        f"transformed for SQS: {example}"
    )


@runbook.check("The HTTP endpoint refuses whoever lacks the connection's key", evidence=Evidence.EMULATED)
def endpoint_wants_the_key(deployed: Deployment) -> str:
    """So the events that the check before saw there came with it."""
    answers = {}
    for key in (None, "guessed"):
        event = json.dumps({"id": f"{MARK}{uuid.uuid4()}", "source": "nobody", "detail-type": "x", "detail": {}})
        headers = {"Content-Type": "application/json", **({"x-api-key": key} if key else {})}
        answers[key or "no key"] = _status(deployed, event, headers)
    assert set(answers.values()) <= {401, 403}, f"it answered {answers}"
    return ", ".join(f"{key}: {status}" for key, status in answers.items())


@runbook.check("An AWS API call and service events reach their function", evidence=Evidence.EMULATED)
def aws_events_reach_the_function(deployed: Deployment) -> str:
    """CloudTrail, ECR and ECS, put by hand on the default bus: "or trigger the event manually"."""
    records = Records(deployed)
    for (rule, source, detail_type), (detail, other) in BY_HAND.items():
        [wrong] = _put(deployed, [_event(source, detail_type, other)], bus="default")
        [right] = _put(deployed, [_event(source, detail_type, detail)], bus="default")
        recorded, also = records.wait_for([right], rule), records.among([wrong])
        records.forget([right, wrong])
        assert [event["detail"] for event in recorded.values()] == [detail], f"{rule} recorded {recorded}"
        assert not also, f"{rule} recorded what does not match: {also}"
    return f"{', '.join(rule for rule, *_ in BY_HAND)}: 1 of 2 events each"


@runbook.check("Archived events are replayed to their bus", evidence=Evidence.EMULATED)
def archive_is_replayed(deployed: Deployment) -> str:
    """On AWS an event may need ten minutes to reach the archive, so it is asked for again and again."""
    time.sleep(1)  # A replay takes whole seconds: no event of another check is in this one's.
    session, bus = deployed.target.session, deployed.output("BusName")
    started = datetime.now(timezone.utc)
    [event_id] = _put(deployed, [_event("shop.orders", "OrderShipped", {"id": f"{MARK}{uuid.uuid4()}"})])
    ended = started + timedelta(seconds=2)
    again: list[Event] = []

    def arrives() -> bool:
        archives.replay(session, deployed.output("ArchiveName"), started.replace(microsecond=0), ended, lambda _: None)
        again.extend(event for event in receive() if event["id"] == event_id and "replay-name" in event)
        return bool(again)

    with buses.tail(session, bus, {"detail-type": ["OrderShipped"], "replay-name": [{"exists": True}]}) as receive:
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
    """Of the rules' targets, of the buses and of the recorder; refused payments end in a queue of their own."""
    waiting = {}
    for name, url in dead_letters.queues(deployed).items():
        # What is put by hand to be refused may stay in this one, for as long as somebody looks at it.
        if name == "UnreliableDeadLetterQueue":
            continue
        attributes = deployed.client("sqs").get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        )["Attributes"]
        waiting[name] = sum(int(number) for number in attributes.values())
    assert not any(waiting.values()), f"{waiting}: `lab dlq show {deployed.section.id}`"
    return ", ".join(f"0 in {name}" for name in waiting)


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


@runbook.check("The recorder's role can delete neither its table nor a bus", evidence=Evidence.EMULATED)
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


runbook.checks += eventbridge_settings.runbook.checks


# Last: what was deployed at the beginning has had the time that the checks before took.
@runbook.check("The rate rule and the schedule fire, each once a minute", evidence=Evidence.EMULATED)
def schedules_fire(deployed: Deployment) -> str:
    """The first time a minute after a new deployment; the schedule's flexible window may add one more."""
    since, records = datetime.now(timezone.utc) - timedelta(minutes=2), Records(deployed)
    times: dict[str, str | None] = {}

    def have_fired() -> bool:
        times.update({rule: records.last_time(rule, since) for rule in ("EveryMinute", "Scheduled")})
        return all(times.values())

    fired = wait_for(have_fired, seconds=240)
    records.sweep()
    assert fired, f"within four minutes: {times}"
    return ", ".join(f"{rule} at {when}" for rule, when in times.items())


@runbook.show
def newest_events(deployed: Deployment) -> Exhibit:
    """What the function and the endpoint recorded."""
    records, columns = Records(deployed), ["Time", "Rule", "Source", "DetailType", "Event"]
    return Exhibit(
        f"The newest items in the table {records.table}",
        columns,
        [[shorten(item[column]["S"], 60, placeholder=" ...") for column in columns] for item in records.newest(5)],
    )


def _event(source: str, detail_type: str, detail: Event) -> Event:
    return {"source": source, "detail-type": detail_type, "detail": detail}


def _order(total: object, source: str = "shop.orders", detail_type: str = "OrderPlaced") -> Event:
    return _event(source, detail_type, {"id": f"{MARK}{uuid.uuid4()}", "total": total})


def _order_in(event: Event) -> str:
    return str(event.get("detail", {}).get("id"))


def _put(deployed: Deployment, made: list[Event], bus: str | None = None) -> dict[str, Event]:
    """Put events on a bus; return them by the ids that they got."""
    entries = [entry(event, "the runbook") for event in made]
    sent = buses.put(deployed.target.session, bus or deployed.output("BusName"), entries, lambda _: None)
    assert not sent.failures, f"EventBridge did not take all of them: {dict(sent.failures)}"
    return dict(zip(sent.event_ids, made, strict=True))


def _refused_payment(deployed: Deployment) -> dict[str, str]:
    """Put an event whose target refuses it; return what its dead letter says, and remove that."""
    [event_id] = _put(deployed, [_event("shop.orders", "PaymentRefused", {"id": f"{MARK}{uuid.uuid4()}"})])
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


def _inbox(deployed: Deployment, output: str) -> Inbox:
    return Inbox(deployed.client("sqs"), deployed.output(output), "")


def _calls_its_own_endpoint(deployed: Deployment) -> bool:
    """Whether ``-c endpoint=`` sends the events elsewhere, where nobody here can look."""
    destinations = deployed.client("events").list_api_destinations()["ApiDestinations"]
    return deployed.output("EndpointUrl") in {one["InvocationEndpoint"] for one in destinations}


def _status(deployed: Deployment, body: str, headers: dict[str, str]) -> int:
    """Post to the endpoint, and not by way of a proxy if it is here."""
    direct = [urllib.request.ProxyHandler({})] if deployed.target.name is TargetName.LOCAL else []
    request = urllib.request.Request(deployed.output("EndpointUrl"), body.encode(), headers)  # noqa: S310 - our own
    try:
        with urllib.request.build_opener(*direct).open(request, timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
