"""Values on their way into the Data API and back: what goes in comes out, with its type."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from data_access.values import parameters, row

UUID_1 = UUID("6a1bd2ae-7f41-4f4e-9b0e-4d7d0d5a3d11")
SUMMER = timezone(timedelta(hours=2))


@pytest.mark.parametrize("value", [object(), {1, 2}, 1j, timedelta(1)], ids=lambda value: type(value).__name__)
def test_a_type_that_has_no_equivalent_is_refused_by_the_parameters_name(value: object) -> None:
    with pytest.raises(TypeError, match=f"The parameter wrong is of the type {type(value).__name__}"):
        parameters({"right": 1, "wrong": value})


@pytest.mark.parametrize(
    ("value", "field", "hint"),
    [
        (None, {"isNull": True}, None),
        (True, {"booleanValue": True}, None),
        (2**63 - 1, {"longValue": 2**63 - 1}, None),
        (2**63, {"stringValue": "9223372036854775808"}, "DECIMAL"),
        (0.5, {"doubleValue": 0.5}, None),
        ("text", {"stringValue": "text"}, None),
        (b"\0", {"blobValue": b"\0"}, None),
        (Decimal("1.10"), {"stringValue": "1.10"}, "DECIMAL"),
        (UUID_1, {"stringValue": str(UUID_1)}, "UUID"),
        (date(2026, 1, 2), {"stringValue": "2026-01-02"}, "DATE"),
        (time(3, 4, 5), {"stringValue": "03:04:05"}, "TIME"),
        (datetime(2026, 1, 2, 3, 4, 5), {"stringValue": "2026-01-02 03:04:05"}, "TIMESTAMP"),
        (datetime(2026, 1, 2, 3, 4, 5, 60_000), {"stringValue": "2026-01-02 03:04:05.060"}, "TIMESTAMP"),
        (datetime(2026, 1, 2, 3, 4, 5, 60), {"stringValue": "2026-01-02 03:04:05.000060"}, "TIMESTAMP"),
        (datetime(2026, 7, 2, 1, tzinfo=SUMMER), {"stringValue": "2026-07-01 23:00:00"}, "TIMESTAMP"),
        ({"a": [1]}, {"stringValue": '{"a": [1]}'}, "JSON"),
        ([1, None], {"stringValue": "[1, null]"}, "JSON"),
    ],
)
def test_a_parameter_says_its_type(value: object, field: dict[str, Any], hint: str | None) -> None:
    [made] = parameters({"name": value})

    assert made.pop("name") == "name"
    assert made == {"value": field, **({"typeHint": hint} if hint else {})}


@pytest.mark.parametrize(
    ("field", "kind", "value"),
    [
        ({"isNull": True}, "uuid", None),
        ({"longValue": 1}, "int8", 1),
        ({"booleanValue": False}, "bool", False),
        ({"blobValue": b"\0"}, "bytea", b"\0"),
        ({"stringValue": "1.10"}, "numeric", Decimal("1.10")),
        ({"stringValue": "1.10"}, "text", "1.10"),
        ({"stringValue": str(UUID_1)}, "uuid", UUID_1),
        ({"stringValue": '{"a": [1]}'}, "jsonb", {"a": [1]}),
        ({"stringValue": "2026-01-02"}, "date", date(2026, 1, 2)),
        ({"stringValue": "03:04:05.5"}, "time", time(3, 4, 5, 500_000)),
        ({"stringValue": "2026-01-02 03:04:05"}, "timestamp", datetime(2026, 1, 2, 3, 4, 5)),
        ({"stringValue": "2026-01-02 03:04:05.99"}, "timestamp", datetime(2026, 1, 2, 3, 4, 5, 990_000)),
        ({"arrayValue": {"stringValues": [str(UUID_1), None]}}, "_uuid", [UUID_1, None]),
        ({"arrayValue": {"longValues": [1, None]}}, "_int4", [1, None]),
    ],
)
def test_a_field_becomes_what_its_column_is(field: dict[str, Any], kind: str, value: object) -> None:
    assert row([field], [{"label": "column", "typeName": kind}]) == {"column": value}


@pytest.mark.parametrize("text", ["2026-01-02 03:04:05.5", "2026-01-02 03:04:05.5+00", "2026-01-02 05:04:05.5+02:00"])
def test_a_moment_is_in_utc_whether_it_says_so_or_not(text: str) -> None:
    read = row([{"stringValue": text}], [{"label": "at", "typeName": "timestamptz"}])["at"]

    assert read == datetime(2026, 1, 2, 3, 4, 5, 500_000, tzinfo=timezone.utc)
    assert read.utcoffset() == timedelta(0)


def test_what_json_holds_goes_as_json() -> None:
    [made] = parameters({"profile": {"name": "Łukasz"}})

    assert json.loads(made["value"]["stringValue"]) == {"name": "Łukasz"}
