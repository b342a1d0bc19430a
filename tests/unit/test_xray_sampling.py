"""Sampling: which rule decides, and how many requests it lets through, by AWS's documented rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import cycle
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.xray.sampling import DEFAULT_RULE, Request, Sampler, SamplingRule, Statistics

if TYPE_CHECKING:
    from collections.abc import Callable


def rule(name: str = "rule", priority: int = 100, *, reservoir: int = 0, rate: float = 1.0, **patterns) -> SamplingRule:
    return SamplingRule(name, priority, reservoir, rate, **patterns)


class Clock:
    """A time that passes when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1_530_920_505.0

    def __call__(self) -> float:
        return self.seconds


def always(number: float) -> Callable[[], float]:
    return lambda: number


def decided_by(rules: list[SamplingRule], request: Request) -> str:
    return Sampler(rules).decide(request).rule_name


# The rules of AWS's page on sampling rules and the X-Ray API.
SCOREKEEP = [
    SamplingRule.of(
        {
            "RuleName": name,
            "RuleARN": f"arn:aws:xray:us-east-1::sampling-rule/{name}",
            "ResourceARN": "*",
            "Priority": priority,
            "FixedRate": rate,
            "ReservoirSize": reservoir,
            "ServiceName": service,
            "ServiceType": "*",
            "Host": "*",
            "HTTPMethod": method,
            "URLPath": path,
            "Version": 1,
            "Attributes": {},
        }
    )
    for name, priority, rate, reservoir, service, method, path in [
        ("Default", 10_000, 0.01, 0, "*", "*", "*"),
        ("base-scorekeep", 9000, 0.1, 2, "Scorekeep", "*", "*"),
        ("polling-scorekeep", 5000, 0.003, 0, "Scorekeep", "GET", "/api/state/*"),
    ]
]


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (Request("Scorekeep", http_method="GET", url_path="/api/state/1"), "polling-scorekeep"),
        (Request("Scorekeep", http_method="POST", url_path="/api/state/1"), "base-scorekeep"),
        (Request("Scorekeep", http_method="GET", url_path="/api/user"), "base-scorekeep"),
        (Request("Other", http_method="GET", url_path="/api/state/1"), "Default"),
    ],
)
def test_the_first_rule_that_matches_decides(request_: Request, name: str) -> None:
    assert decided_by(SCOREKEEP, request_) == name


def test_rules_of_the_same_priority_are_tried_by_name() -> None:
    assert decided_by([rule("b"), rule("a"), rule("c", 99, host="none")], Request(host="example.com")) == "a"


def test_the_default_rule_is_the_last_whatever_its_priority() -> None:
    assert decided_by([rule("Default", 1), rule("mine", 9999)], Request()) == "mine"


def test_the_default_rule_takes_every_request() -> None:
    assert decided_by([replace(DEFAULT_RULE, host="elsewhere")], Request(host="here")) == "Default"


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("*", "", True),
        ("", "", True),
        ("", "a", False),
        ("/history/*", "/history/", True),
        ("/history/*", "/history/1/2", True),
        ("/history/*", "/history", False),
        ("/users/?", "/users/1", True),
        ("/users/?", "/users/12", False),
        ("/users/?", "/users/", False),
        ("*.example.*", "api.example.com", True),
        ("a.c", "abc", False),
        ("[ab]*", "[ab]c", True),
        ("[ab]*", "bc", False),
        ("put", "PUT", True),
        ("*a*b*", "xxaxx\nxxbxx", True),
    ],
)
def test_a_pattern_has_a_star_for_any_characters_and_a_question_mark_for_one(pattern, text, matches) -> None:
    assert rule(url_path=pattern).matches(Request(url_path=text)) is matches


def test_many_stars_take_no_time() -> None:
    assert not rule(url_path="*a" * 60 + "b").matches(Request(url_path="a" * 10_000))


@given(st.text("ab*?", max_size=8), st.text("abAB", max_size=8))
def test_patterns_agree_with_their_definition(pattern: str, text: str) -> None:
    def fits(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return any(fits(pattern[1:], text[start:]) for start in range(len(text) + 1))
        return bool(text) and pattern[0] in {"?", text[0].lower()} and fits(pattern[1:], text[1:])

    assert rule(host=pattern).matches(Request(host=text)) is fits(pattern, text)


@pytest.mark.parametrize("field", ["service_name", "service_type", "host", "http_method", "url_path", "resource_arn"])
def test_every_field_of_a_rule_has_to_match_and_what_is_not_known_does(field: str) -> None:
    only = rule(**{field: "this"})
    assert only.matches(Request(**{field: "this"}))
    assert not only.matches(Request(**{field: "that"}))
    assert only.matches(Request())


def test_all_attributes_of_a_rule_are_asked_for() -> None:
    both = rule(attributes={"x-tenant": "gold*", "x-debug": "?"})
    assert both.matches(Request(attributes={"x-tenant": "golden", "x-debug": "1", "host": "a"}))
    assert not both.matches(Request(attributes={"x-tenant": "golden"}))
    assert not both.matches(Request(attributes={"x-tenant": "silver", "x-debug": "1"}))


def test_the_reservoir_is_used_first_every_second_and_then_the_rate() -> None:
    clock = Clock()
    sampler = Sampler([rule(reservoir=2, rate=0.1)], now=clock, random=cycle([0.1, 0.0999]).__next__)
    decisions = [sampler.decide(Request()).sampled for _ in range(6)]
    assert decisions == [True, True, False, True, False, True]
    clock.seconds += 0.4
    assert not sampler.decide(Request()).sampled
    clock.seconds += 0.6
    assert [sampler.decide(Request()).sampled for _ in range(3)] == [True, True, True]


def test_each_rule_has_a_reservoir_of_its_own() -> None:
    rules = [rule("orders", reservoir=1, rate=0, url_path="/orders"), rule("users", reservoir=1, rate=0)]
    sampler = Sampler(rules, now=Clock())
    orders, users = Request(url_path="/orders"), Request(url_path="/users")
    assert [sampler.decide(one).sampled for one in (orders, orders, users, users)] == [True, False, True, False]


def test_a_rule_that_records_nothing_and_one_that_records_all_do_so() -> None:
    for number in (0.0, 0.999999):
        assert not Sampler([rule(rate=0.0)], random=always(number)).decide(Request()).sampled
        assert Sampler([rule(rate=1.0)], random=always(number)).decide(Request()).sampled


def test_without_rules_it_is_one_a_second_and_five_percent_of_the_others() -> None:
    clock, random = Clock(), Random(15)  # noqa: S311 - for the same numbers every time
    sampler = Sampler(now=clock, random=random.random)
    sampled = 0
    for _ in range(100):
        sampled += sum(sampler.decide(Request()).sampled for _ in range(1001))
        clock.seconds += 1
    assert sampled == pytest.approx(100 + 100 * 1000 * 0.05, rel=0.05)


def test_it_reports_what_was_decided_since_the_last_report() -> None:
    sampler = Sampler([rule("orders", reservoir=1, rate=0, url_path="/orders")], now=Clock(), random=always(0.9))
    for path in ("/orders", "/orders", "/orders", "/users"):
        sampler.decide(Request(url_path=path))
    assert sampler.report() == [Statistics("orders", 3, 1), Statistics("Default", 1, 1)]
    assert sampler.report() == []


def test_new_rules_do_not_fill_a_reservoir_again() -> None:
    clock = Clock()
    sampler = Sampler([rule(reservoir=1, rate=0)], now=clock)
    assert sampler.decide(Request()).sampled
    sampler.use([rule(reservoir=1, rate=0, priority=1)])
    assert not sampler.decide(Request()).sampled
    sampler.use([])
    assert sampler.decide(Request()).rule_name == "Default"


@given(
    reservoir=st.integers(0, 5),
    rate=st.sampled_from([0.0, 0.25, 1.0]),
    arrivals=st.lists(st.integers(0, 3), max_size=60),
    seed=st.integers(),
)
def test_never_more_than_the_reservoir_and_the_rate_and_never_less_than_the_reservoir(
    reservoir: int, rate: float, arrivals: list[int], seed: int
) -> None:
    clock, random = Clock(), Random(seed)  # noqa: S311 - for the same numbers every time
    drawn: list[float] = []

    def draw() -> float:
        drawn.append(random.random())
        return drawn[-1]

    sampler = Sampler([rule(reservoir=reservoir, rate=rate)], now=clock, random=draw)
    arrived, sampled = Counter[int](), Counter[int]()
    for wait in arrivals:
        clock.seconds += wait
        second = int(clock.seconds)
        arrived[second] += 1
        sampled[second] += sampler.decide(Request()).sampled
    from_reservoirs = sum(min(reservoir, number) for number in arrived.values())
    assert sum(sampled.values()) == from_reservoirs + sum(number < rate for number in drawn)
    assert all(sampled[second] >= min(reservoir, arrived[second]) for second in arrived)
