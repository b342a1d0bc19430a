"""X-Ray: an order is traced through everything that handles it, and what went wrong can be found."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from typing import TYPE_CHECKING, Any

from lab import traces
from lab.least_privilege import Attempt, answers_to
from lab.runbook import Evidence, Exhibit, NotMadeError, Runbook, wait_for
from lab.runbooks import xray_orders as orders

if TYPE_CHECKING:
    from lab.deployment import Deployment
    from lab.xray.model import Segment, Trace

runbook = Runbook()
_ORDERS = 5
_HEALTH_CHECKS = 40
# On AWS a stage knows new rules some minutes after they were made.
_RULES_SECONDS = 600
# The parts of a function's own segment, which are there or not, as Lambda sees fit.
_PHASES = {"Initialization", "Restore", "Invocation", "Overhead"}
_ROOT = ("AWS::ApiGateway::Stage", "Lambda", "AWS::Lambda", "AWS::Lambda::Function", "handler")


@runbook.check("Tracing is on in the stage, the functions and the topic", evidence=Evidence.CONTROL_PLANE_ONLY)
def tracing_is_on(deployed: Deployment) -> str:
    """Each is a toggle: API Gateway's in its stage, Lambda's in the function, Amazon SNS's in the topic."""
    stage = deployed.client("apigateway").get_stage(
        restApiId=deployed.output("ApiId"), stageName=deployed.output("StageName")
    )
    assert stage["tracingEnabled"], "the stage does not trace"
    functions = ("FrontFunctionName", "PricesFunctionName", "StoreFunctionName")
    modes = {name: _configuration(deployed, name)["TracingConfig"]["Mode"] for name in functions}
    assert set(modes.values()) == {"Active"}, f"functions: {modes}"
    topic = deployed.client("sns").get_topic_attributes(TopicArn=deployed.output("TopicArn"))["Attributes"]
    assert topic.get("TracingConfig") == "Active", "the topic does not trace"
    return "1 stage, 3 functions, 1 topic"


@runbook.check("One order is one trace, and the trace of what it set off is linked to it", evidence=Evidence.EMULATED)
def one_order_is_one_trace(deployed: Deployment) -> str:
    """API Gateway, Lambda, a call of an HTTP endpoint, Amazon SNS; then Amazon SQS, Lambda, Amazon DynamoDB."""
    answer = orders.place(deployed)
    front, store = orders.whole(deployed, answer.trace_id)
    placed = (*_ROOT, "place order")
    assert _way_to(front, "SNS") == placed, f"the call of SNS is below {_way_to(front, 'SNS')}"
    assert _way_to(front, "AWS::SNS") == (*placed, "SNS"), f"the topic is below {_way_to(front, 'AWS::SNS')}"
    [outside] = [part for part in front.walk() if part.namespace == "remote"]
    assert _way(front, outside) == placed, f"the call of {outside.name} is below {_way(front, outside)}"
    if _asks_own_prices(deployed):
        [prices] = [part for part in front.segments if part.parent_id == outside.id]
        assert prices.name == deployed.output("PricesFunctionName"), f"{prices.name} answered the call"
    way = _way_to(store, "DynamoDB")
    assert way == ("AWS::Lambda", "AWS::Lambda::Function", "handler", "store"), f"DynamoDB's call is below {way}"
    assert not front.orphans + store.orphans, f"without their parent: {front.orphans + store.orphans}"
    parts = [part for trace in (front, store) for part in trace.walk()]
    unfinished = [part.name for part in parts if part.in_progress]
    assert not unfinished, f"not finished: {unfinished}"
    return f"{front.id}: {len(list(front.walk()))} parts; linked: {store.id}, {len(list(store.walk()))} parts"


@runbook.check(
    "The service graph has the services of an order and their calls, and no other", evidence=Evidence.EMULATED
)
def graph_is_exact(deployed: Deployment) -> str:
    """Of the two traces of one order; the dashed edge from the queue is between them."""
    front, store = orders.whole(deployed, orders.place(deployed).trace_id)
    expected = _expected_edges(deployed)
    found: set[tuple[str, str]] = set()

    def complete() -> bool:
        graph = deployed.client("xray").get_trace_graph(TraceIds=[front.id, store.id])["Services"]
        found.clear()
        found.update(_edges(deployed, graph))
        return found == expected

    wait_for(complete, seconds=orders.ARRIVES_SECONDS)
    assert found == expected, f"missing {sorted(expected - found)}, beside it {sorted(found - expected)}"
    return ", ".join(f"{caller} -> {called}" for caller, called in sorted(found))


@runbook.check("The time that a message spends in topic and queue is seen", evidence=Evidence.EMULATED)
def waiting_is_seen(deployed: Deployment) -> str:
    """Of the topic it is its segment; of the queue the age of the messages on the edge to their consumer."""
    front, store = orders.whole(deployed, orders.place(deployed).trace_id)
    ages: list[float] = []

    def seen() -> bool:
        graph = deployed.client("xray").get_trace_graph(TraceIds=[front.id, store.id])["Services"]
        edges = [edge for service in graph for edge in service["Edges"]]
        ages[:] = [entry["Value"] for edge in edges for entry in edge.get("ReceivedEventAgeHistogram", [])]
        return bool(ages)

    assert wait_for(seen, seconds=orders.ARRIVES_SECONDS), "no edge tells the age of the messages"
    [topic] = [segment for segment in front.segments if segment.origin.startswith("AWS::SNS")]
    return f"topic {topic.duration * 1000:.1f} ms, queue {min(ages) * 1000:.1f} ms"


@runbook.check("An error, a throttle and a fault show as such", evidence=Evidence.EMULATED)
def failures_show(deployed: Deployment) -> str:
    """An order can ask for each: 400, 429, and an exception."""
    answers = orders.one_of_each(deployed)
    for kind, status in orders.FAILURES.items():
        assert answers[kind].status == status, f"{kind} was answered with {answers[kind].status}"
    summaries = {one.id: one for one in orders.summaries(deployed, answers.values())}
    flags = {kind: set(summaries[answer.trace_id].flags) - {"partial"} for kind, answer in answers.items()}
    assert flags == {"ok": set(), "error": {"error"}, "throttle": {"error", "throttle"}, "fault": {"fault"}}, str(flags)
    [fault] = traces.get(deployed.client("xray"), [answers["fault"].trace_id])
    causes = [part.document["cause"]["exceptions"][0] for part in fault.walk() if part.document.get("cause")]
    assert causes, "no part of the fault's trace says what was raised"
    assert causes[0]["stack"], "the exception has no stack trace"
    return f"400, 429, and {causes[0]['type']} with {len(causes[0]['stack'])} frames"


@runbook.check("A filter expression finds just what it describes", evidence=Evidence.EMULATED)
def filters_find(deployed: Deployment) -> str:
    """By flag, by status, by service, and by an annotation of the code's own."""
    answers = orders.one_of_each(deployed)
    orders.summaries(deployed, answers.values())
    front, order_id = deployed.output("FrontFunctionName"), answers["ok"].body["id"]
    expressions = {
        "throttle": {"throttle"},
        "fault": {"fault"},
        "error AND !throttle": {"error"},
        f'service("{front}") {{ fault }}': {"fault"},
        "http.status = 400": {"error"},
        "ok": {"ok"},
        f'annotation.order_id = "{order_id}"': {"ok"},
    }
    for expression, kinds in expressions.items():
        found = orders.found(deployed, answers, expression)
        assert found == kinds, f"{expression} finds {sorted(found)}"
    return f"{len(expressions)} expressions"


@runbook.check("A group holds just its traces", evidence=Evidence.EMULATED)
def groups_hold(deployed: Deployment) -> str:
    """All orders, and those that failed."""
    answers = orders.one_of_each(deployed)
    orders.summaries(deployed, answers.values())
    groups = {"OrdersGroupName": set(answers), "FailedOrdersGroupName": set(orders.FAILURES)}
    for output, kinds in groups.items():
        name = deployed.output(output)
        found = orders.found(deployed, answers, f'group.name = "{name}"')
        assert found == kinds, f"{name} holds {sorted(found)}"
    return ", ".join(deployed.output(output) for output in groups)


@runbook.check("The groups watch for insights", evidence=Evidence.CONTROL_PLANE_ONLY)
def groups_watch(deployed: Deployment) -> str:
    """An anomaly of a group becomes an insight, and an event; nothing looks for any on the emulator."""
    names = [deployed.output(output) for output in ("OrdersGroupName", "FailedOrdersGroupName")]
    for name in names:
        group = deployed.client("xray").get_group(GroupName=name)["Group"]
        assert group["InsightsConfiguration"]["InsightsEnabled"], f"{name} does not watch for insights"
    return ", ".join(names)


@runbook.check("A request that is not sampled leaves no trace, and keeps its header", evidence=Evidence.EMULATED)
def unsampled_leaves_none(deployed: Deployment) -> str:
    """The header decides before any rule does."""
    given = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    answer = orders.place(deployed, X_Amzn_Trace_Id=f"Root={given};Sampled=0")
    assert answer.status == 202, f"it was answered with {answer.status}"
    assert (answer.trace_id, answer.sampled) == (given, False), f"its header became {answer.trace_id}"
    orders.wait_until_stored(deployed, answer)
    # What comes after it has arrived, so it would have too.
    orders.whole(deployed, orders.place(deployed).trace_id)
    assert not traces.get(deployed.client("xray"), [given]), "there is a trace of it"
    return f"{given}: order stored, nothing recorded"


@runbook.check("The sampling rules keep every order and hardly any health check", evidence=Evidence.EMULATED)
def rules_decide(deployed: Deployment) -> str:
    """The answer's header says what the stage decided."""
    kept_all = wait_for(lambda: all(orders.place(deployed).sampled for _ in range(_ORDERS)), seconds=_RULES_SECONDS)
    assert kept_all, f"not every one of {_ORDERS} orders was kept"
    checks = [orders.ask(deployed, "GET", "/health") for _ in range(_HEALTH_CHECKS)]
    assert {answer.status for answer in checks} == {200}, "a health check failed"
    kept = sum(answer.sampled for answer in checks)
    # One in a hundred is kept: six of forty happen in one of 300,000 runs.
    assert kept <= 5, f"{kept} of {_HEALTH_CHECKS} health checks were kept"
    return f"{_ORDERS} of {_ORDERS} orders, {kept} of {_HEALTH_CHECKS} health checks"


@runbook.check("Nothing secret is in the traces", evidence=Evidence.EMULATED)
def nothing_secret(deployed: Deployment) -> str:
    """Neither what an order says, nor the caller's signature and key."""
    secret, key = f"item-{uuid.uuid4()}", f"key-{uuid.uuid4()}"
    answer = orders.place(deployed, item=secret, X_Secret_Key=key)
    assert answer.status == 202, f"it was answered with {answer.status}"
    recorded = json.dumps([traces.as_json(trace) for trace in orders.whole(deployed, answer.trace_id)])
    signature = answer.authorization.rpartition("=")[2]
    for name, text in {"the order": secret, "a header": key, "the signature": signature}.items():
        assert text not in recorded, f"{name} is in the trace {answer.trace_id}"
    return f"order, header and signature are not among {len(recorded)} characters"


@runbook.check("The roles can do no more than their function needs", evidence=Evidence.EMULATED)
def roles_are_least_privilege(deployed: Deployment) -> str:
    """Tried by functions that have the same roles."""
    table, topic, queue = deployed.output("TableName"), deployed.output("TopicArn"), deployed.output("QueueUrl")
    table_arn = deployed.client("dynamodb").describe_table(TableName=table)["Table"]["TableArn"]
    attributes = deployed.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    attempts = {
        "FrontFunctionName": [
            Attempt("dynamodb:Scan", table_arn, {"TableName": table}, "scan"),
            Attempt("sqs:ReceiveMessage", attributes["QueueArn"], {"QueueUrl": queue}, "receive_message"),
        ],
        "StoreFunctionName": [
            Attempt("sns:Publish", topic, {"TopicArn": topic, "Message": "{}"}, "publish"),
            Attempt("dynamodb:Scan", table_arn, {"TableName": table}, "scan"),
        ],
        "PricesFunctionName": [Attempt("sns:Publish", topic, {"TopicArn": topic, "Message": "{}"}, "publish")],
    }
    for output, tried in attempts.items():
        for action, answer in answers_to(deployed, deployed.output(output), tried).items():
            refused = answer.startswith("AccessDenied") or answer == "AuthorizationError"
            assert refused, f"{output}: {action} was not refused: {answer}"
    return f"{sum(map(len, attempts.values()))} attempts refused"


@runbook.check("Callers without a signature are refused", evidence=Evidence.EMULATED)
def unsigned_is_refused(deployed: Deployment) -> str:
    """The API lets in whom IAM lets in."""
    answer = orders.ask(deployed, "POST", "/orders", {"item": "book"}, signed=False)
    assert answer.status == 403, f"it was answered with {answer.status}"
    return "403"


@runbook.check("Amazon SNS may send the topic's segments to X-Ray", evidence=Evidence.AWS_ONLY)
def topic_may_send_segments(deployed: Deployment) -> str:
    """X-Ray's resource policies are in force on AWS alone."""
    pages = deployed.client("xray").get_paginator("list_resource_policies").paginate()
    policies = [policy for page in pages for policy in page["ResourcePolicies"]]
    ours = [policy["PolicyName"] for policy in policies if deployed.output("TopicArn") in policy["PolicyDocument"]]
    assert ours, f"none of {len(policies)} resource policies names the topic"
    return ", ".join(ours)


@runbook.check("The account's traces are encrypted with its own key", evidence=Evidence.CONTROL_PLANE_ONLY)
def traces_are_encrypted(deployed: Deployment) -> str:
    """Encryption is the account's, and an option: -c xray_account=configured."""
    _require_account_settings(deployed)
    encryption = deployed.client("xray").get_encryption_config()["EncryptionConfig"]
    assert encryption["Type"] == "KMS", f"traces are encrypted with {encryption['Type']}"
    [key] = deployed.physical_ids("AWS::KMS::Key")
    assert encryption["KeyId"].endswith(key), f"they are encrypted with {encryption['KeyId']}"
    return f"{encryption['KeyId']}: {encryption['Status']}"


@runbook.check("All spans of the account can be searched", evidence=Evidence.AWS_ONLY)
def spans_are_searchable(deployed: Deployment) -> str:
    """Transaction Search is the account's, and an option: -c xray_account=configured."""
    _require_account_settings(deployed)
    destination = deployed.client("xray").get_trace_segment_destination()
    assert destination["Destination"] == "CloudWatchLogs", f"segments go to {destination['Destination']}"
    return f"Transaction Search {destination['Status']}"


@runbook.show
def newest_traces(deployed: Deployment) -> Exhibit:
    """The last traces, as `lab traces list` shows them."""
    newest = traces.summaries(deployed.client("xray"), seconds=600, limit=8)
    rows = [
        [
            one.time,
            one.id,
            one.method or one.name,
            str(one.status or ""),
            f"{one.duration or 0:.3f}",
            " ".join(one.flags),
        ]
        for one in newest
    ]
    return Exhibit("The newest traces", ["Time", "Trace", "Request", "Status", "Seconds", "Flags"], rows)


def _require_account_settings(deployed: Deployment) -> None:
    if not deployed.physical_ids("Custom::XRayEncryptionConfig"):
        raise NotMadeError("Deployed without the account's settings: `-c xray_account=configured` changes them.")


def _way_to(trace: Trace, wanted: str) -> tuple[str, ...]:
    """Name what is above the one part with this name, or of this origin."""
    parts = [part for part in trace.walk() if orders.label(part) == wanted]
    assert len(parts) == 1, f"{trace.id} has {len(parts)} parts {wanted}"
    return _way(trace, parts[0])


def _way(trace: Trace, part: Segment) -> tuple[str, ...]:
    parts = {one.id: one for one in trace.walk()}
    above: list[str] = []
    while part.parent_id in parts:
        part = parts[part.parent_id]
        if part.name not in _PHASES:
            above.insert(0, orders.label(part))
    return tuple(above)


def _expected_edges(deployed: Deployment) -> set[tuple[str, str]]:
    edges = {
        ("client", "stage"),
        ("stage", "Front"),
        ("Front", "Front's code"),
        ("Front's code", "topic"),
        ("topic", "queue"),
        ("queue", "Store"),
        ("Store", "Store's code"),
        ("Store's code", "table"),
    }
    if _asks_own_prices(deployed):
        return edges | {("Front's code", "Prices"), ("Prices", "Prices's code")}
    return edges | {("Front's code", "outside")}


def _edges(deployed: Deployment, services: list[dict[str, Any]]) -> set[tuple[str, str]]:
    parts = {service["ReferenceId"]: _part(deployed, service) for service in services}
    return {
        # The messages' consumer is the function, whichever of its two nodes their link leads to.
        (parts[service["ReferenceId"]], parts[edge["ReferenceId"]].removesuffix("'s code" if _is_link(edge) else ""))
        for service in services
        for edge in service["Edges"]
    }


def _is_link(edge: dict[str, Any]) -> bool:
    return str(edge.get("EdgeType", "")).lower() == "link"


def _part(deployed: Deployment, service: dict[str, Any]) -> str:
    """Name a node of the graph as the section does."""
    kinds = {
        "client": "client",
        "AWS::ApiGateway": "stage",
        "AWS::SNS": "topic",
        "AWS::SQS": "queue",
        "AWS::Dyn": "table",
    }
    for beginning, name in kinds.items():
        if service.get("Type", "").startswith(beginning):
            return name
    for name in ("Front", "Prices", "Store"):
        if service["Name"] == deployed.output(f"{name}FunctionName"):
            return f"{name}'s code" if service["Type"] == "AWS::Lambda::Function" else name
    return "outside"


def _configuration(deployed: Deployment, output: str) -> dict[str, Any]:
    return dict(deployed.client("lambda").get_function_configuration(FunctionName=deployed.output(output)))


def _asks_own_prices(deployed: Deployment) -> bool:
    """Tell whether the stack's own function says the prices, and not another endpoint (``-c endpoint=...``)."""
    variables = _configuration(deployed, "FrontFunctionName")["Environment"]["Variables"]
    return bool(variables["PRICES_URL"].rstrip("/") == deployed.output("PricesUrl").rstrip("/"))
