"""A pattern matches the events that AWS's documentation says it matches, and no others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.event_rule.matching import InvalidPatternError, matches

#: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
EC2: dict[str, Any] = {
    "version": "0",
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "111122223333",
    "time": "2017-12-22T18:43:48Z",
    "region": "us-west-1",
    "resources": ["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"],
    "detail": {"instance-id": "i-1234567890abcdef0", "state": "terminated"},
}
#: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-null-values.html
LAUNCH: dict[str, Any] = {
    "version": "0",
    "id": "3e3c153a-8339-4e30-8c35-687ebef853fe",
    "detail-type": "EC2 Instance Launch Successful",
    "source": "aws.autoscaling",
    "account": "123456789012",
    "time": "2015-11-11T21:31:47Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {"eventVersion": "", "responseElements": None},
}
TERMINATED = {
    "source": ["aws.ec2"],
    "detail-type": ["EC2 Instance State-change Notification"],
    "detail": {"state": ["terminated"]},
}
NUMBERS = {
    "detail": {
        "c-count": [{"numeric": [">", 0, "<=", 5]}],
        "d-count": [{"numeric": ["<", 10]}],
        "x-limit": [{"numeric": ["=", 3.018e2]}],
    }
}
EITHER_METRIC = {
    "source": ["aws.cloudwatch"],
    "detail": {
        "$or": [
            {"metricName": ["CPUUtilization", "ReadLatency"]},
            {"metricType": ["MetricType"], "namespace": ["AWS/EC2", "AWS/ES"]},
        ]
    },
}
BUCKET = {"detail": {"s3": {"bucket": {"name": [{"prefix": "logs-"}]}, "object": {"key": [{"suffix": ".png"}]}}}}


def detail(**fields: Any) -> dict[str, Any]:
    return {"detail": {name.replace("_", "-"): value for name, value in fields.items()}}


#: The comparisons of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html and the
#: pages beside it: a pattern, events that match it, and events that do not.
DOCUMENTED: list[tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]] = [
    (TERMINATED, [EC2], [{**EC2, "source": "aws.ec3"}, {**EC2, "detail": {"state": "running"}}, LAUNCH]),
    ({"source": ["aws.ec2", "aws.fargate"]}, [EC2, {"source": "aws.fargate"}], [LAUNCH, {}]),
    # and
    (
        detail(Location=["New York"], Day=["Monday"]),
        [detail(Location="New York", Day="Monday")],
        [detail(Location="New York", Day="Sunday"), detail(Location="New York")],
    ),
    # or: several values, several fields
    (detail(PaymentType=["Credit", "Debit"]), [detail(PaymentType="Debit")], [detail(PaymentType="Cash"), detail()]),
    (
        {"detail": {"$or": [{"Location": ["New York"]}, {"Day": ["Monday"]}]}},
        [detail(Location="New York", Day="Sunday"), detail(Day="Monday")],
        [detail(Location="Paris", Day="Sunday"), detail()],
    ),
    (
        EITHER_METRIC,
        [
            {"source": "aws.cloudwatch", "detail": {"metricName": "ReadLatency"}},
            {"source": "aws.cloudwatch", "detail": {"metricType": "MetricType", "namespace": "AWS/ES"}},
        ],
        [
            {"source": "aws.cloudwatch", "detail": {"metricType": "MetricType"}},
            {"source": "aws.ec2", "detail": {"metricName": "ReadLatency"}},
        ],
    ),
    # empty, null, equal
    (detail(eventVersion=[""]), [LAUNCH], [EC2, detail(eventVersion=None)]),
    (detail(responseElements=[None]), [LAUNCH], [EC2, detail(responseElements="")]),
    (detail(Name=["Alice"]), [detail(Name="Alice")], [detail(Name="alice"), detail(Name="Alice ")]),
    (detail(UserID=[None]), [detail(UserID=None)], [detail(UserID="null"), detail()]),
    (
        detail(Name=[{"equals-ignore-case": "alice"}]),
        [detail(Name="Alice"), detail(Name="ALICE")],
        [detail(Name="Alicia"), detail(Name=1)],
    ),
    # numbers: as they are written, but for the operator
    (detail(Price=[300]), [detail(Price=300)], [detail(Price=300.0), detail(Price="300"), detail(Price=True)]),
    (
        detail(Price=[{"numeric": ["=", 100]}]),
        [detail(Price=100), detail(Price=100.0)],
        [detail(Price="100"), detail(Price=101), detail()],
    ),
    (
        detail(Price=[{"numeric": [">", 10, "<=", 20]}]),
        [detail(Price=10.01), detail(Price=20)],
        [detail(Price=10), detail(Price=20.01), detail(Price=None)],
    ),
    (
        NUMBERS,
        [{"detail": {"c-count": 5, "d-count": 3, "x-limit": 301.8}}],
        [{"detail": {"c-count": 0, "d-count": 3, "x-limit": 301.8}}, {"detail": {"c-count": 5, "x-limit": 301.8}}],
    ),
    # begins and ends with
    (detail(Region=[{"prefix": "us-"}]), [detail(Region="us-east-1")], [detail(Region="eu-west-1"), detail(Region=1)]),
    ({"time": [{"prefix": "2017-12-22"}]}, [EC2], [LAUNCH]),
    (
        detail(service=[{"prefix": {"equals-ignore-case": "eventb"}}]),
        [detail(service="EventBridge"), detail(service="EVENTB")],
        [detail(service="event"), detail(service="xeventb")],
    ),
    (detail(FileName=[{"suffix": ".png"}]), [detail(FileName="a.png")], [detail(FileName="a.PNG"), detail()]),
    (
        detail(service=[{"suffix": {"equals-ignore-case": "tBridge"}}]),
        [detail(service="EventBridge"), detail(service="EVENTBRIDGE")],
        [detail(service="EventBridges")],
    ),
    # wildcards
    (
        detail(FilePath=[{"wildcard": "dir/*.png"}]),
        [detail(FilePath="dir/a.png"), detail(FilePath="dir/sub/.png")],
        [detail(FilePath="dir/a.jpg"), detail(FilePath="x/dir/a.png"), detail(FilePath=1)],
    ),
    (
        detail(EventBusArn=[{"wildcard": "arn:aws:events:us-east-1:*:event-bus/*"}]),
        [detail(EventBusArn="arn:aws:events:us-east-1:123456789012:event-bus/orders")],
        [detail(EventBusArn="arn:aws:events:us-west-2:123456789012:event-bus/orders")],
    ),
    (
        detail(text=[{"wildcard": r"a\*b\\c.*"}]),
        [detail(text=r"a*b\c.d"), detail(text="a*b\\c.\n")],
        [detail(text=r"axb\c.d"), detail(text=r"a*b\cxd")],
    ),
    # anything but
    (
        detail(state=[{"anything-but": "initializing"}]),
        [detail(state="running"), detail(state=1), detail(state=None)],
        [detail(state="initializing"), detail()],
    ),
    (detail(x_limit=[{"anything-but": 123}]), [detail(x_limit=124), detail(x_limit="123")], [detail(x_limit=123.0)]),
    (
        detail(state=[{"anything-but": ["stopped", "overloaded"]}]),
        [detail(state="running")],
        [detail(state="stopped"), detail(state="overloaded")],
    ),
    (
        detail(x_limit=[{"anything-but": [100, 200, 300]}]),
        [detail(x_limit=150), detail(x_limit=True)],
        [detail(x_limit=200)],
    ),
    (
        detail(state=[{"anything-but": {"equals-ignore-case": ["initializing", "stopped"]}}]),
        [detail(state="running")],
        [detail(state="INITIALIZING"), detail(state="Stopped")],
    ),
    (detail(state=[{"anything-but": {"prefix": "init"}}]), [detail(state="running")], [detail(state="initializing")]),
    (
        detail(FileName=[{"anything-but": {"suffix": [".txt", ".rtf"]}}]),
        [detail(FileName="a.png")],
        [detail(FileName="a.txt"), detail(FileName="b.rtf")],
    ),
    (
        detail(FilePath=[{"anything-but": {"wildcard": "*/lib/*"}}]),
        [detail(FilePath="/usr/bin/x")],
        [detail(FilePath="/usr/lib/x")],
    ),
    # addresses
    (
        detail(sourceIPAddress=[{"cidr": "10.0.0.0/24"}]),
        [detail(sourceIPAddress="10.0.0.255")],
        [detail(sourceIPAddress="10.0.1.0"), detail(sourceIPAddress="ec2.amazonaws.com"), detail(sourceIPAddress=1)],
    ),
    (
        detail(sourceIPAddress=[{"cidr": "2001:db8::/32"}]),
        [detail(sourceIPAddress="2001:db8::1")],
        [detail(sourceIPAddress="2001:db9::1"), detail(sourceIPAddress="10.0.0.1")],
    ),
    # exists: only of what has a value
    (
        detail(ProductName=[{"exists": True}]),
        [detail(ProductName="x"), detail(ProductName=None)],
        [detail(), {}, detail(ProductName={"name": "x"}), detail(ProductName=[])],
    ),
    (
        detail(ProductName=[{"exists": False}]),
        [detail(), {}, detail(ProductName={"name": "x"})],
        [detail(ProductName="x")],
    ),
    (detail(state=[{"exists": False}, "ok"]), [detail(), detail(state="ok")], [detail(state="bad")]),
    # arrays: one element is enough, and two fields are compared in the same one
    (
        {"resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-b188560f", "arn:aws:ec2:other"]},
        [{"resources": ["arn:aws:autoscaling:x", "arn:aws:ec2:us-east-1:123456789012:instance/i-b188560f"]}],
        [{"resources": ["arn:aws:autoscaling:x"]}, {"resources": []}],
    ),
    (
        {"detail": {"employees": {"firstName": ["Anna"], "lastName": ["Smith"]}}},
        [detail(employees=[[{"firstName": "John", "lastName": "Doe"}, {"firstName": "Anna", "lastName": "Smith"}]])],
        [detail(employees=[{"firstName": "Anna", "lastName": "Jones"}, {"firstName": "Tom", "lastName": "Smith"}])],
    ),
    # deeper
    (
        BUCKET,
        [detail(s3={"bucket": {"name": "logs-1"}, "object": {"key": "a.png"}})],
        [detail(s3={"bucket": {"name": "logs-1"}, "object": {"key": "a.txt"}}), detail(s3="logs-1")],
    ),
]


@pytest.mark.parametrize(
    ("pattern", "matching", "others"), DOCUMENTED, ids=[str(pattern)[:70] for pattern, *_ in DOCUMENTED]
)
def test_it_matches_as_awss_documentation_says(
    pattern: dict[str, Any], matching: list[dict[str, Any]], others: list[dict[str, Any]]
) -> None:
    assert [event for event in matching if not matches(pattern, event)] == []
    assert [event for event in others if matches(pattern, event)] == []


def test_fields_beside_or_have_to_match_too() -> None:
    pattern = {"source": ["a"], "$or": [{"detail": {"x": [1]}}, {"detail": {"y": [1]}}], "detail": {"z": [1]}}

    assert matches(pattern, {"source": "a", "detail": {"y": 1, "z": 1}})
    assert not matches(pattern, {"source": "a", "detail": {"y": 1}})
    assert not matches(pattern, {"source": "a", "detail": {"z": 1}})


def test_a_field_that_is_a_value_and_an_object_matches_nothing() -> None:
    pattern = {"detail": {"x": [1], "$or": [{"x": {"y": [1]}}, {"z": [1]}]}}

    assert not matches(pattern, {"detail": {"x": 1}})
    assert matches(pattern, {"detail": {"x": 1, "z": 1}})


def test_an_impossible_pattern_is_refused_rather_than_never_matching() -> None:
    with pytest.raises(
        InvalidPatternError, match=r"^source: an empty array.*\ndetail\.x\[0\]\.exist: there is no such"
    ):
        matches({"source": [], "detail": {"x": [{"exist": True}]}}, EC2)


def test_a_reference_of_a_template_cannot_be_compared() -> None:
    with pytest.raises(InvalidPatternError, match="Ref: only CloudFormation knows this value: write the value itself"):
        matches({"account": [{"Ref": "AWS::AccountId"}]}, EC2)


leaves = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9, allow_nan=False) | st.text(max_size=3)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=5)


@given(values, leaves)
def test_of_a_value_and_anything_but_it_one_matches_unless_there_is_no_value(value: Any, wanted: Any) -> None:
    event = {"detail": {"x": value}}
    exists = matches({"detail": {"x": [{"exists": True}]}}, event)
    if isinstance(wanted, str):
        equal = matches({"detail": {"x": [wanted]}}, event)
        other = matches({"detail": {"x": [{"anything-but": wanted}]}}, event)
        assert (equal or other) == exists
    assert matches({"detail": {"x": [{"exists": False}]}}, event) != exists


@given(leaves)
def test_every_leaf_matches_itself(leaf: Any) -> None:
    assert matches({"detail": {"x": [leaf]}}, {"detail": {"x": ["other", leaf]}})
