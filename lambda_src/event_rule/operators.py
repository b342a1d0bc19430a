"""What the operators of event patterns take, and what is wrong with an operand; knows no CDK.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMPARISONS = ("=", "<", "<=", ">", ">=")
NEGATED = ("prefix", "suffix", "equals-ignore-case", "wildcard")
_LARGEST_NUMBER = 5_000_000_000


def only_cloudformation_knows(value: Any) -> bool:
    """Say whether a value is an intrinsic function: ``{"Ref": ...}``, ``{"Fn::Join": ...}``."""
    match value:
        case Mapping() if len(value) == 1:
            [name] = value
            return name == "Ref" or str(name).startswith("Fn::")
    return False


def is_number(value: Any) -> bool:
    """Say whether a value is a number in JSON, where true is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def shown(value: Any) -> str:
    """Write a value as it stands in JSON."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _text(at: str, operand: Any) -> Iterator[str]:
    if not isinstance(operand, str) and not only_cloudformation_knows(operand):
        yield f"{at}: compares with text, and {shown(operand)} is none" + (
            f': write "{operand}"' if is_number(operand) else ""
        )


def _affix(at: str, operand: Any) -> Iterator[str]:
    if isinstance(operand, Mapping) and [*operand] == ["equals-ignore-case"]:
        yield from _text(f"{at}.equals-ignore-case", operand["equals-ignore-case"])
    else:
        yield from _text(at, operand)


def _exists(at: str, operand: Any) -> Iterator[str]:
    if not isinstance(operand, bool):
        yield f"{at}: {shown(operand)} is neither true nor false"


def _numeric(at: str, operand: Any) -> Iterator[str]:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        yield f'{at}: write a comparison and a number, [">=", 100], or a range, [">", 0, "<=", 5]'
        return
    wrong = [
        sentence
        for comparison, number in zip(operand[::2], operand[1::2], strict=True)
        for sentence in (*_comparison(comparison), *_number(number))
    ]
    if not wrong and len(operand) == 4:
        wrong += _range(*operand)
    for sentence in wrong:
        yield f"{at}: {sentence}"


def _comparison(comparison: Any) -> Iterator[str]:
    if comparison not in COMPARISONS:
        yield f"{shown(comparison)} is no comparison: one of {' '.join(COMPARISONS)}"


def _number(number: Any) -> Iterator[str]:
    if only_cloudformation_knows(number):
        return
    if not is_number(number):
        what = "text: write the number without quotes" if isinstance(number, str) else "none"
        yield f"compares with a number, and {shown(number)} is {what}"
    elif abs(number) > _LARGEST_NUMBER:
        yield f"{number} is too large: {-_LARGEST_NUMBER:,} to {_LARGEST_NUMBER:,}"


def _range(above: str, low: Any, below: str, high: Any) -> Iterator[str]:
    if not (above.startswith(">") and below.startswith("<")):
        yield 'a range has its lower bound first: [">", 0, "<=", 5]'
    elif is_number(low) and is_number(high) and low >= high:
        yield f"no number is above {low} and below {high}: the lower bound comes first"


def _cidr(at: str, operand: Any) -> Iterator[str]:
    if only_cloudformation_knows(operand):
        return
    try:
        if not isinstance(operand, str) or "/" not in operand:
            raise ValueError("no mask")
        network = ipaddress.ip_network(operand, strict=False)
    except ValueError:
        yield f'{at}: {shown(operand)} is no block of addresses: write one such as "10.0.0.0/24" or "2001:db8::/32"'
        return
    if network.prefixlen == network.max_prefixlen:
        yield f'{at}: a block of one address: write it as a value, "{network.network_address}"'


def _wildcard(at: str, operand: Any) -> Iterator[str]:
    yield from _text(at, operand)
    if isinstance(operand, str):
        if re.search(r"(?<!\\)\*\*", re.sub(r"\\\\", "", operand)):
            yield f"{at}: {shown(operand)} has two wildcards in a row: one * stands for any number of characters"
        if re.search(r"\\(?![*\\])", re.sub(r"\\\\", "", operand)):
            yield rf"{at}: a backslash goes before * and before another backslash alone: \* or \\"


def _anything_but(at: str, operand: Any) -> Iterator[str]:
    if isinstance(operand, Mapping) and not only_cloudformation_knows(operand):
        if len(operand) != 1 or next(iter(operand)) not in NEGATED:
            yield f"{at}: negates values, or one of {', '.join(NEGATED)}"
            return
        [(name, values)] = operand.items()
        if values == []:
            yield f"{at}.{name}: an empty array: name what to leave out"
        for value in values if isinstance(values, list) else [values]:
            yield from (_wildcard if name == "wildcard" else _text)(f"{at}.{name}", value)
        return
    values = operand if isinstance(operand, list) else [operand]
    known = [value for value in values if not only_cloudformation_knows(value)]
    if not values or not (all(isinstance(value, str) for value in known) or all(map(is_number, known))):
        yield f"{at}: write text or a number, or an array of nothing but text, or of nothing but numbers"


#: What says, of each operator, what is wrong with an operand; given the path of it.
CHECKS: dict[str, Callable[[str, Any], Iterator[str]]] = {
    "anything-but": _anything_but,
    "cidr": _cidr,
    "equals-ignore-case": _text,
    "exists": _exists,
    "numeric": _numeric,
    "prefix": _affix,
    "suffix": _affix,
    "wildcard": _wildcard,
}
