"""Filter expressions that are wrong: the mistake is pointed at, and nothing but that is ever raised."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.xray.matching import matches
from lab.xray.model import Trace
from lab.xray.traces import assemble
from lambda_src.trace_group.filter_expression import FilterExpressionError, parse


# `¦` stands where the mistake is.
@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("¦", "is empty"),
        ("¦reponsetime > 5", "did you mean responsetime?"),
        ("ok AND ¦servce()", "did you mean service?"),
        ("ok ¦foo", "There is no keyword foo"),
        ("responsetime > ¦", "takes a number"),
        ('responsetime > ¦"5"', "takes a number"),
        ("ok = ¦5", "takes true or false"),
        ("user = ¦alice", "in quotation marks"),
        ("user = ¦'alice'", "straight double quotation marks"),
        ('user = ¦"alice', "no quotation mark at its end"),
        ('user ¦> "a"', "CONTAINS, BEGINSWITH or ENDSWITH"),
        ('responsetime ¦CONTAINS "5"', "goes with =, !=, <"),
        ("annotation.age > ¦true", "takes a number"),
        ("annotation.age CONTAINS ¦5", "in quotation marks"),
        ("¦annotation", "annotation[key]"),
        ("¦annotation.", "annotation[key]"),
        ("¦annotation[]", "annotation[key]"),
        ("annotation¦[age", "annotation[key]"),
        ("ok AND ¦", "keyword such as responsetime is missing here, before the end"),
        ("ok AND ¦OR error", 'before "OR"'),
        ("(ok OR error¦", 'The "(" at 1 is not closed'),
        ("ok¦)", 'and not ")"'),
        ('service("x") { fault ¦', 'The "{" at 14 is not closed'),
        ('service("x") { ¦}', "braces are empty"),
        ('service("x") { ¦annotation.a = 1 }', "cannot stand in the braces of service() and edge()"),
        ('service("x") { ¦service("y") }', "cannot stand in the braces"),
        ("¦last", "cannot stand outside of braces, but in the braces of rootcause"),
        ("service¦", 'service is written service("name")'),
        ("service(¦x)", "a name in quotation marks"),
        ('edge("a" ¦"b")', "comma"),
        ('edge("a"¦)', "comma"),
        ('service(id(¦nme: "x"))', "name, type and account.id"),
        ('service(id(name ¦"x"))', "colon"),
        ("service(id(name: ¦x))", "in quotation marks"),
        ("group.name¦", 'group.name = "..."'),
        ('group.name ¦CONTAINS "x"', 'group.name = "..."'),
        ("rootcause.json = ¦5", "JSON list after #"),
        ("rootcause.json = #[{¦", "not JSON"),
        ("rootcause.fault.entity { ¦ok }", "cannot stand in the braces of rootcause, but outside of braces"),
        ("ok ¦&& error", 'has the sign "&"'),
        ("!" * 50 + "¦ok", "nested more than 50 deep"),
        ("ok AND\n  ¦eror", "did you mean error?"),
    ],
)
def test_the_place_of_a_mistake_is_pointed_at(marked: str, said: str) -> None:
    text, position = marked.replace("¦", ""), marked.index("¦")
    with pytest.raises(FilterExpressionError) as refused:
        parse(text)
    assert said in refused.value.message
    assert refused.value.position == position
    message, line, caret = str(refused.value).split("\n")
    assert message == refused.value.message
    assert text[position : position + 5].startswith(line[len(caret) - 1 :][:5])


def test_a_long_expression_is_shown_where_it_is_wrong() -> None:
    text = " OR ".join(["duration > 1"] * 40 + ["durtion > 2"] + ["fault"] * 40)
    with pytest.raises(FilterExpressionError) as refused:
        parse(text)
    _, line, caret = str(refused.value).split("\n")
    assert len(line) <= 80
    assert line[len(caret) - 1 :].startswith("durtion > 2")


def joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(" ".join)


texts = st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False).replace("\\u", "u"))
numbers = st.one_of(st.integers().map(str), st.floats(allow_nan=False, allow_infinity=False).map(repr))
truths = st.sampled_from(["true", "false", "TRUE"])
comparisons = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
equalities = st.sampled_from(["=", "!="])
searches = st.sampled_from(["CONTAINS", "beginswith", "EndsWith"])
booleans = st.sampled_from(["ok", "error", "throttle", "fault", "partial", "inferred", "Fault"])
amounts = st.sampled_from(["responsetime", "duration", "http.status", "responseTime"])
words = st.sampled_from(["http.url", "http.method", "http.useragent", "http.clientip", "user", "availabilityzone"])
annotations = st.one_of(
    st.from_regex(r"annotation\.[A-Za-z0-9_.]+", fullmatch=True),
    st.from_regex(r"annotation\[[a-z. -]+\]", fullmatch=True),
)


def compared(keyword: st.SearchStrategy[str], *others: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(keyword, *(joined(keyword, other) for other in others))


simple = st.one_of(
    compared(booleans, joined(equalities, truths)),
    compared(amounts, joined(comparisons, numbers)),
    compared(words, joined(equalities, texts), joined(searches, texts)),
)
annotated = compared(annotations, joined(comparisons, numbers), joined(searches, texts), joined(equalities, truths))


def compound(conditions: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        conditions,
        lambda inner: st.one_of(
            joined(inner, st.sampled_from(["AND", "or", "OR", ""]), inner),
            inner.map(lambda one: f"!({one})"),
            inner.map(lambda one: f"({one})"),
        ),
        max_leaves=6,
    )


of_parts = compound(st.one_of(simple, st.sampled_from(["root", "!root"]), joined(st.just("name ="), texts)))
braces = st.one_of(st.just(""), of_parts.map(lambda inner: f"{{ {inner} }}"))
ids = st.fixed_dictionaries({"name": texts}, optional={"type": texts, "account.id": texts}).map(
    lambda fields: f"id({', '.join(f'{name}: {value}' for name, value in fields.items())})"
)
selectors = st.one_of(texts, ids)
services = st.tuples(st.one_of(st.just(""), selectors), braces).map(lambda two: f"service({two[0]}) {two[1]}")
edges = st.tuples(selectors, selectors, braces).map(lambda three: f"edge({three[0]}, {three[1]}) {three[2]}")
groups = joined(st.sampled_from(["group.name =", "group.arn !="]), texts)
expressions = compound(st.one_of(simple, annotated, services, edges, groups))

TRACE_ID = "1-581cf771-a006649127e371903a2de979"
TRACE = assemble(
    TRACE_ID,
    [
        json.dumps(
            {
                "trace_id": TRACE_ID,
                "id": "0" * 15 + "1",
                "name": "front",
                "start_time": 1,
                "end_time": 2,
                "user": "",
                "http": {"request": {"url": "http://x"}, "response": {"status": 429}},
                "annotations": {"a": 1, "b": True, "c": "x"},
                "subsegments": [
                    {"id": "0" * 15 + "2", "name": "api", "start_time": 1, "in_progress": True, "namespace": "remote"},
                    {"id": "0" * 15 + "3", "name": "DynamoDB", "start_time": 1, "end_time": 1, "namespace": "aws"},
                ],
            }
        )
    ],
)


@given(expressions)
def test_whatever_the_grammar_can_write_is_read_and_decided(text: str) -> None:
    expression = parse(text)
    for trace in (TRACE, Trace(TRACE_ID, ())):
        assert matches(expression, trace) in {True, False}
        assert matches(parse(f"!({text})"), trace) is not matches(expression, trace)


@given(expressions, st.data())
def test_whatever_happens_to_an_expression_the_mistake_has_a_place_in_it(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 5)))
    put_in = data.draw(st.one_of(st.text(max_size=3), st.sampled_from(list('"\\(){}[]#!=<>,:.-'))))
    check(text[:start] + put_in + text[end:])


@given(st.text())
def test_any_text_at_all_is_read_or_refused(text: str) -> None:
    check(text)


@pytest.mark.parametrize("text", ["(" * 10_000, "!" * 10_000, "#" + "[" * 100_000, "#" + "9" * 10_000, "ok " * 10_000])
def test_no_expression_is_too_deep_or_too_long_for_an_answer(text: str) -> None:
    check(text)


def check(text: str) -> None:
    try:
        assert matches(parse(text), TRACE) in {True, False}
    except FilterExpressionError as error:
        refused = error
    else:
        return
    assert 0 <= refused.position <= len(text)
    assert str(refused).startswith(refused.message)
