"""Filter expressions: every example of AWS's page, with a trace that matches and one that does not."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest

from lab.xray.matching import matches
from lab.xray.model import Trace
from lab.xray.traces import assemble
from lambda_src.trace_group.filter_expression import FilterExpressionError, RootCauseError, parse

TRACE_ID = "1-581cf771-a006649127e371903a2de979"


def trace(*documents: dict[str, Any]) -> Trace:
    """Make a trace of documents, of which each says only what matters."""
    return assemble(TRACE_ID, [json.dumps({"trace_id": TRACE_ID, **document}) for document in documents])


_ids = count(1)


def part(name: str = "front", *, seconds: float = 1, start: float = 1_478_293_361, **more: Any) -> dict[str, Any]:
    """Make a segment or a subsegment, with an id of its own."""
    own = {"id": f"{next(_ids):016x}", "name": name, "start_time": start, **more}
    return own if own.get("in_progress") else {"end_time": start + seconds, **own}


def request(status: int | None = None, **request: str) -> dict[str, Any]:
    """Tell of a request, with the flags that go with the response's status."""
    response = {"response": {"status": status}} if status else {}
    flags = {"error": (status or 0) // 100 == 4, "fault": (status or 0) // 100 == 5, "throttle": status == 429}
    return {"http": {"request": request, **response}, **flags}


def calling(caller: str, called: str, **of_call: Any) -> Trace:
    """Make a trace in which a service calls another one, which sends a segment too."""
    call = part(called, namespace="remote", **of_call)
    return trace(part(caller, subsegments=[call]), part(called, parent_id=call["id"], start=1_478_293_361.2))


LAMBDA = "AWS::Lambda"
FUNCTION = "AWS::Lambda::Function"


def function(*, type_with_error: str) -> Trace:
    """Make the two segments that a Lambda function has, of which one has an error."""
    service = part("random-name", origin=LAMBDA, error=type_with_error == LAMBDA)
    own = part("random-name", origin=FUNCTION, error=type_with_error == FUNCTION, parent_id=service["id"])
    return trace(part("front"), service, own)


API = "http://api.example.com/v2/users"
EXAMPLES = [
    ("responsetime > 5", trace(part(seconds=5.5)), trace(part(seconds=5))),
    ("duration >= 5 AND duration <= 8", trace(part(seconds=8)), trace(part(seconds=8.1))),
    ("ok", trace(part(**request(200))), trace(part(**request(404)))),
    ("!ok", trace(part(fault=True)), trace(part())),
    ("ok = false", trace(part(**request(503))), trace(part(**request(201)))),
    (
        'service("data-plane") {root = true and fault = true}',
        trace(part("data-plane", fault=True)),
        trace(part(fault=True)),
    ),
    ("http.status != 200", trace(part(**request(302))), trace(part(**request(200)))),
    ("ok !partial duration <3", trace(part(seconds=2)), trace(part(seconds=2), part(in_progress=True))),
    (
        'http.url CONTAINS "/api/game/"',
        trace(part(**request(url="https://x/api/game/1"))),
        trace(part(**request(url="https://x/api/user/1"))),
    ),
    ('user CONTAINS ""', trace(part(), part(user="5M388M1E")), trace(part())),
    (
        'service("api.example.com") { fault }',
        trace(part(), part("api.example.com", fault=True)),
        trace(part(fault=True), part("api.example.com")),
    ),
    ("service() { fault }", trace(part(), part("back", fault=True)), trace(part(error=True), part("back"))),
    (
        'edge("api.example.com", "backend.example.com") { error }',
        calling("api.example.com", "backend.example.com", error=True),
        calling("backend.example.com", "api.example.com", error=True),
    ),
    (
        'http.url BEGINSWITH "http://api.example.com/" AND http.url CONTAINS "/v2/" AND !service("api.example.com")',
        trace(part(**request(url=API))),
        trace(part(**request(url=API)), part("api.example.com")),
    ),
    ("http.url AND responseTime > 2", trace(part(seconds=3, **request(url=API))), trace(part(seconds=3))),
    (
        'annotation.gameid = "817DL6VO"',
        trace(part(subsegments=[part(annotations={"gameid": "817DL6VO"})])),
        trace(part(annotations={"gameid": "817dl6vo"})),
    ),
    ("annotation.age", trace(part(annotations={"age": 0})), trace(part(annotations={"Age": 1}))),
    ("!annotation.age", trace(part()), trace(part(annotations={"age": 30}))),
    ("annotation.age > 29", trace(part(annotations={"age": 30})), trace(part(annotations={"age": "thirty"}))),
    ("annotation[age] > 29", trace(part(annotations={"age": 29.5})), trace(part(annotations={"age": 29}))),
    (
        'service(id(name: "random-name", type: "AWS::Lambda::Function")) { error }',
        function(type_with_error=FUNCTION),
        function(type_with_error=LAMBDA),
    ),
    ('service("random-name") { error }', function(type_with_error=LAMBDA), function(type_with_error="")),
    (
        'service(id(type: "AWS::Lambda::Function")) { error }',
        function(type_with_error=FUNCTION),
        function(type_with_error=LAMBDA),
    ),
    (
        'service(id(account.id:"111122223333")) OR service(id(account.id:"444455556666"))',
        trace(part(), part("back", aws={"account_id": "444455556666"})),
        trace(part(aws={"account_id": "777788889999"})),
    ),
    (
        'service("api.example.com") { fault = true OR responsetime > 2.5 } AND annotation.account = "12345"',
        trace(part("api.example.com", seconds=3), part(annotations={"account": "12345"})),
        trace(part("api.example.com", seconds=2), part(annotations={"account": "12345"})),
    ),
]
KEYWORDS = [
    ("error", trace(part(error=True)), trace(part(), part("back", error=True))),
    ("throttle", trace(part(), part("back", **request(429))), trace(part(error=True))),
    ("fault", trace(part(**request(500))), trace(part(), part("back", **request(500)))),
    ("partial", trace(part(subsegments=[part(in_progress=True)])), trace(part())),
    (
        "inferred",
        trace(part(subsegments=[part("DynamoDB", namespace="aws")])),
        trace(part(subsegments=[part("own work")])),
    ),
    ("service() { inferred }", trace(part(subsegments=[part("api", namespace="remote")])), calling("front", "back")),
    ('service() { name = "api" AND !root }', trace(part(), part("api")), trace(part("api"), part("front"))),
    ('service() { type BEGINSWITH "AWS::EC2" }', trace(part(origin="AWS::EC2::Instance")), trace(part())),
    ('http.method = "POST"', trace(part(**request(method="POST"))), trace(part(), part(**request(method="POST")))),
    ('http.useragent CONTAINS "curl"', trace(part(**request(user_agent="curl/8"))), trace(part())),
    ('http.clientip != "127.0.0.1"', trace(part(**request(client_ip="::1"))), trace(part())),
    (
        'availabilityzone ENDSWITH "2c"',
        trace(part(), part("back", aws={"ec2": {"availability_zone": "us-west-2c"}})),
        trace(part(aws={"ec2": {"availability_zone": "us-west-2a"}})),
    ),
    ("instance.id", trace(part(aws={"ec2": {"instance_id": "i-1"}})), trace(part(aws={"ec2": {}}))),
    ('resource.arn ENDSWITH ":function:f"', trace(part(resource_arn="arn:aws:lambda:r:1:function:f")), trace(part())),
    ("duration > 1.5", trace(part(), part(start=1_478_293_362)), trace(part(), part(start=1_478_293_361.4))),
    ("responsetime < 1.5", trace(part(), part(start=1_478_293_362)), trace(part(seconds=2))),
    ("annotation.paid = true", trace(part(annotations={"paid": True})), trace(part(annotations={"paid": 1}))),
    ("annotation.paid", trace(part(annotations={"paid": True})), trace(part(annotations={"paid": False}))),
    (
        "annotation.n != 1",
        trace(part(annotations={"n": 2})),
        trace(part(annotations={"n": 1}), part(annotations={"n": 2})),
    ),
    ("annotation[http.route] = 1", trace(part(annotations={"http.route": 1})), trace(part(annotations={"route": 1}))),
    ('edge("a", "b")', calling("a", "b"), calling("a", "c")),
    (
        'edge(id(name: "a"), id(type: "remote"))',
        trace(part("a", subsegments=[part("b", namespace="remote")])),
        calling("a", "b"),
    ),
    (
        f'edge("random-name", id(type: "{FUNCTION}")) {{ error }}',
        function(type_with_error=FUNCTION),
        function(type_with_error=LAMBDA),
    ),
    ("ok AND error OR duration < 9", trace(part(error=True)), trace(part(error=True, seconds=9))),
    ("ok AND (error OR duration < 9)", trace(part()), trace(part(error=True))),
    ('user = "say \\"a\\\\b\\""', trace(part(user='say "a\\b"')), trace(part(user='say "a\\\\b"'))),
    ("OK=TRUE", trace(part()), trace(part(error=True))),
]


@pytest.mark.parametrize(
    ("text", "fits", "does_not"), EXAMPLES + KEYWORDS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_expression_finds_what_it_describes_and_nothing_else(text: str, fits: Trace, does_not: Trace) -> None:
    expression = parse(text)
    assert matches(expression, fits)
    assert not matches(expression, does_not)


def test_a_group_stands_for_its_expression() -> None:
    arn = "arn:aws:xray:us-east-1:000000000000:group/high_response_time/A"
    slow = parse("responseTime > 3")
    groups = {"high_response_time": slow, arn: slow}
    found, too_fast = trace(part(seconds=4, user="alice")), trace(part(seconds=3, user="alice"))
    for text in ('group.name = "high_response_time" AND user = "alice"', f'group.arn = "{arn}"'):
        assert matches(parse(text), found, groups)
        assert not matches(parse(text), too_fast, groups)
    assert matches(parse('group.name != "high_response_time"'), too_fast, groups)
    assert not matches(parse('group.name = "another"'), found, groups)


def test_a_group_that_names_itself_comes_to_an_end() -> None:
    itself = parse('group.name = "me" OR fault')
    assert not matches(itself, trace(part()), {"me": itself})
    assert matches(itself, trace(part(fault=True)), {"me": itself})


ROOT_CAUSES = [
    'rootcause.fault.entity { last and name = "deserialize" }',
    'rootcause.responsetime.entity { remote and coverage > 0.7 and name = "traces" }',
    'rootcause.fault.service { inferred and name = "traces" and type = "AWS::DynamoDB" }',
    "rootcause.fault.service { index > 5 }",
    "rootcause.responsetime.entity { last and coverage > 0.8 }",
    'rootcause.fault.service { name = "Auth" }',
    'rootcause.responsetime.service { last and type = "AWS::DynamoDB" }',
    'rootcause.fault.exception { last and message = "Access Denied for account_id: 1234567890" }',
    'rootcause.json = #[{ "Services": [ { "Name": "GetWeatherData", '
    '"EntityPath": [{ "Name": "GetWeatherData" }, { "Name": "get_temperature" } ] }, '
    '{ "Name": "GetTemperature", "EntityPath": [ { "Name": "GetTemperature" } ] } ] }]',
]


@pytest.mark.parametrize("text", ROOT_CAUSES)
def test_root_causes_are_understood_and_left_to_x_ray(text: str) -> None:
    with pytest.raises(RootCauseError, match="Root causes are what X-Ray itself finds out") as refused:
        parse(f"ok AND {text} OR error")
    assert refused.value.position == len("ok AND ")


@pytest.mark.parametrize("text", ["rootcause.fault.service { name = traces }", "rootcause.fault.service { last and "])
def test_a_mistake_inside_of_a_root_cause_is_a_mistake(text: str) -> None:
    with pytest.raises(FilterExpressionError) as refused:
        parse(text)
    assert not isinstance(refused.value, RootCauseError)


def test_nothing_is_known_of_a_trace_without_segments() -> None:
    nothing = Trace(TRACE_ID, ())
    for text in ("ok", "responsetime >= 0", "duration >= 0", "service()", "user", "http.status != 200", "inferred"):
        assert not matches(parse(text), nothing)
