"""Values of Python as the Data API takes them, and fields of its results as values of Python.

Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.calling.html
"""

from __future__ import annotations

import json
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Parameter = dict[str, Any]
_LONG = range(-(2**63), 2**63)
#: In Python True is an int too.
_AS_THEY_ARE = {
    bool: "booleanValue",
    int: "longValue",
    float: "doubleValue",
    str: "stringValue",
    bytes: "blobValue",
}


def parameters(values: Mapping[str, Any]) -> list[Parameter]:
    """Write parameters with their types: numbers, texts, bytes, dates, times, UUIDs; JSON of a dict or a list; null.

    A ``datetime`` with a time zone is sent as UTC, which is the Data API's; one without is sent as it is.

    >>> parameters({"paid": Decimal("9.90")})
    [{'name': 'paid', 'value': {'stringValue': '9.90'}, 'typeHint': 'DECIMAL'}]

    :raises TypeError: naming a parameter whose type has no equivalent.
    """
    return [_parameter(name, value) for name, value in values.items()]


def row(record: list[dict[str, Any]], columns: list[dict[str, Any]]) -> dict[str, Any]:
    """Read one record of a result, by what its columns are: UUIDs, decimals, dates, times, JSON, arrays, null.

    Moments (``timestamptz``) are in UTC.
    """
    return {
        column["label"]: _value(field, column.get("typeName", ""))
        for field, column in zip(record, columns, strict=True)
    }


def _parameter(name: str, value: Any) -> Parameter:
    if value is None:
        return {"name": name, "value": {"isNull": True}}
    for kind, field in _AS_THEY_ARE.items():
        if isinstance(value, kind) and (field != "longValue" or value in _LONG):
            return {"name": name, "value": {field: value}}
    text, hint = _hinted(name, value)
    return {"name": name, "value": {"stringValue": text}, "typeHint": hint}


def _hinted(name: str, value: Any) -> tuple[str, str]:
    """Write what goes as a text with a hint."""
    match value:
        case Decimal() | int():
            return str(value), "DECIMAL"
        case UUID():
            return str(value), "UUID"
        case datetime():
            return _in_utc(value).isoformat(" ", _precision(value)), "TIMESTAMP"
        case date():
            return value.isoformat(), "DATE"
        case time():
            return value.isoformat(_precision(value)), "TIME"
        case dict() | list():
            return json.dumps(value), "JSON"
    raise TypeError(f"The parameter {name} is of the type {type(value).__name__}, which the database has no type for")


def _in_utc(value: datetime) -> datetime:
    return value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value


def _precision(value: datetime | time) -> str:
    """Write the milliseconds that AWS documents, and more only where there is more."""
    return "microseconds" if value.microsecond % 1000 else "milliseconds" if value.microsecond else "seconds"


def _moment(text: str) -> datetime:
    read = _timestamp(text)
    return read.astimezone(timezone.utc) if read.tzinfo else read.replace(tzinfo=timezone.utc)


def _timestamp(text: str) -> datetime:
    return datetime.fromisoformat(_padded(text))


def _padded(text: str) -> str:
    """Give fractions of a second six digits and an offset its minutes, which Python 3.10 wants."""
    head, point, tail = text.partition(".")
    digits = tail.split("+")[0].split("-")[0]
    offset = tail[len(digits) :] if point else ""
    if offset and ":" not in offset:
        offset += ":00"
    return f"{head}.{digits:0<6}{offset}" if point else head


_READERS: dict[str, Callable[[str], Any]] = {
    "numeric": Decimal,
    "uuid": UUID,
    "json": json.loads,
    "jsonb": json.loads,
    "date": date.fromisoformat,
    "time": lambda text: time.fromisoformat(_padded(text)),
    "timestamp": _timestamp,
    "timestamptz": _moment,
}


def _value(field: dict[str, Any], kind: str) -> Any:
    [(name, value)] = field.items()
    if name == "isNull":
        return None
    if name == "arrayValue":
        [elements] = value.values()
        return [one if one is None else _read(one, kind.removeprefix("_")) for one in elements]
    return _read(value, kind)


def _read(value: Any, kind: str) -> Any:
    return _READERS[kind](value) if isinstance(value, str) and kind in _READERS else value
