"""Values between PostgreSQL and the Data API: parameters with their types, and fields of results.

Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from pg8000.converters import string_array_in

if TYPE_CHECKING:
    from collections.abc import Callable

Field = dict[str, Any]

_UNKNOWN = 0
_BOOLEAN, _BYTES, _BIGINT, _TEXT, _FLOAT = 16, 17, 20, 25, 701
_INTEGERS = {20, 21, 23, 26}
_FLOATS = {700, _FLOAT}
_NUMERIC = 1700
_TIMESTAMPTZ = 1184
_HINTS = {"JSON": 114, "UUID": 2950, "TIMESTAMP": 1114, "DATE": 1082, "TIME": 1083, "DECIMAL": _NUMERIC}
_FORMATS = {
    "DATE": r"\d{4}-\d\d-\d\d",
    "TIME": r"\d\d:\d\d:\d\d(\.\d+)?",
    "TIMESTAMP": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?",
}
_TEXT_ARRAYS = {199, 1002, 1009, 1014, 1015, 1115, 1182, 1185, 1231, 2951, 3807}


def _boolean(text: str) -> bool:
    return text == "t"


#: Arrays by their type: where their elements go, and how they are read.
_ARRAYS: dict[int, tuple[str, Callable[[str], Any]]] = {
    1000: ("booleanValues", _boolean),
    **dict.fromkeys((1005, 1007, 1016), ("longValues", int)),
    **dict.fromkeys((1021, 1022), ("doubleValues", float)),
    **dict.fromkeys(_TEXT_ARRAYS, ("stringValues", str)),
}


#: How a result's value is read, by its type; what is not here is a text.
_FIELDS: dict[int, tuple[str, Callable[[str], Any]]] = {
    _BOOLEAN: ("booleanValue", _boolean),
    **dict.fromkeys(_INTEGERS, ("longValue", int)),
    **dict.fromkeys(_FLOATS, ("doubleValue", float)),
    _BYTES: ("blobValue", lambda text: base64.b64encode(bytes.fromhex(text[2:])).decode()),
    # In UTC, and without saying so.
    _TIMESTAMPTZ: ("stringValue", lambda text: text.removesuffix("+00")),
}
#: The type that a parameter is sent as, and how it is written.
_PARAMETERS: dict[str, tuple[int, Callable[[Any], str]]] = {
    "booleanValue": (_BOOLEAN, lambda value: "t" if value else "f"),
    "longValue": (_BIGINT, str),
    "doubleValue": (_FLOAT, lambda value: repr(float(value))),
    "blobValue": (_BYTES, lambda value: "\\x" + base64.b64decode(value).hex()),
}


class ParameterError(ValueError):
    """A parameter is none that the Data API takes."""


class UnsupportedResultError(ValueError):
    """A result is none that the Data API returns."""


def parameter(given: dict[str, Any]) -> tuple[int, str | None]:
    """Return a parameter's type and text, as PostgreSQL takes them.

    :raises ParameterError: saying why the Data API refuses it.
    """
    name, hint, values = given.get("name", ""), given.get("typeHint", ""), given.get("value") or {}
    if len(values) != 1:
        raise ParameterError(f"The parameter {name} has {len(values)} values, and needs one")
    if hint and hint not in _HINTS:
        raise ParameterError(f"The type hint {hint} of the parameter {name} does not exist")
    [(kind, value)] = values.items()
    match kind:
        case "isNull":
            return _HINTS.get(hint, _UNKNOWN), None
        case "stringValue" if not re.fullmatch(_FORMATS.get(hint, ".*"), value, re.DOTALL):
            raise ParameterError(f'Cannot parse {hint.lower()} "{value}" of the parameter {name}')
        case "stringValue":
            return _HINTS.get(hint, _TEXT), value
        case "booleanValue" | "longValue" | "doubleValue" | "blobValue":
            oid, write = _PARAMETERS[kind]
            return oid, write(value)
    raise ParameterError(f"The parameter {name} is an {kind}, which is not supported")


def field(text: str | None, oid: int, options: dict[str, str]) -> Field:
    """Return a value of a result as the Data API does.

    :param options: the request's ``resultSetOptions``.
    :raises UnsupportedResultError: for an array of arrays.
    """
    if text is None:
        return {"isNull": True}
    if oid in _ARRAYS:
        return {"arrayValue": _array(text, *_ARRAYS[oid])}
    if oid == _NUMERIC and options.get("decimalReturnType") == "DOUBLE_OR_LONG":
        return {"doubleValue": float(text)} if "." in text else {"longValue": int(text)}
    if oid in _FIELDS and not (oid in _INTEGERS and options.get("longReturnType") == "STRING"):
        kind, read = _FIELDS[oid]
        return {kind: read(text)}
    return {"stringValue": text}


def _array(text: str, kind: str, read: Callable[[str], Any]) -> dict[str, list[Any]]:
    elements = string_array_in(text)
    if any(isinstance(one, list) for one in elements):
        raise UnsupportedResultError("The result contains a multidimensional array")
    return {kind: [None if one is None else read(one) for one in elements]}
