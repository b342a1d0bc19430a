"""DynamoDB's typed values, to and from what a resolver's JavaScript has.

Source: https://docs.aws.amazon.com/appsync/latest/devguide/js-resolver-reference-dynamodb.html
"""

from __future__ import annotations

from typing import Any

_TYPES = {"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"}


def typed(value: Any) -> dict[str, Any]:
    """Type a value; one that a resolver typed itself stays as it is."""
    if isinstance(value, dict):
        is_typed = len(value) == 1 and next(iter(value)) in _TYPES
        return value if is_typed else {"M": typed_map(value)}
    if isinstance(value, list):
        return {"L": [typed(one) for one in value]}
    if isinstance(value, bool):
        return {"BOOL": value}
    if value is None:
        return {"NULL": True}
    return {"S": value} if isinstance(value, str) else {"N": str(value)}


def typed_map(values: dict[str, Any] | None) -> dict[str, Any]:
    """Type every value of a key or of an item."""
    return {name: typed(value) for name, value in (values or {}).items()}


def plain(value: dict[str, Any]) -> Any:
    """Take a value out of its type."""
    [(kind, inner)] = value.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return _number(inner)
        case "NS":
            return [_number(one) for one in inner]
        case "L":
            return [plain(one) for one in inner]
        case "M":
            return plain_map(inner)
    return inner


def plain_map(item: dict[str, Any]) -> dict[str, Any]:
    """Take every value of an item out of its type."""
    return {name: plain(value) for name, value in item.items()}


def _number(text: str) -> int | float:
    number = float(text)
    return int(text) if number.is_integer() and text.lstrip("-").isdigit() else number
