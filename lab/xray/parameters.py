"""Reads the parameters of a request to X-Ray's API, and says what is wrong with them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Item = TypeVar("Item")


class ApiError(Exception):
    """What the API answers instead of a result.

    :param code: one of X-Ray's exceptions.
    """

    def __init__(self, message: str, code: str = "InvalidRequestException", status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation.

    :param read: returns the value as the operation takes it, or raises ``ValueError`` with what is permitted.
    """

    read: Callable[[Any], Any]
    required: bool = False


def read(given: Any, parameters: Mapping[str, Parameter], where: str = "") -> dict[str, Any]:
    """Read an object whose parameters are these and no others; those that were not given are left out."""
    if not isinstance(given, dict):
        raise ApiError(f"{where or 'The request'} is {_shown(given)}: an object is needed.")
    prefix = f"{where}." if where else ""
    for name in given:
        if name not in parameters:
            raise ApiError(f"{prefix}{name} is no parameter: there are {', '.join(parameters)}.")
    for name, parameter in parameters.items():
        if parameter.required and given.get(name) is None:
            raise ApiError(f"{prefix}{name} is missing: it is required.")
    values = {}
    for name, value in given.items():
        if value is not None:
            try:
                values[name] = parameters[name].read(value)
            except ValueError as error:
                raise ApiError(f"{prefix}{name} is {_shown(value)}: {error}.") from None
    return values


def text(shortest: int = 0, longest: int | None = None) -> Callable[[Any], str]:
    """Read a string."""

    def of(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("a string is needed")
        if not shortest <= len(value) <= (len(value) if longest is None else longest):
            raise ValueError(f"{shortest} to {longest} characters" if longest else f"{shortest} characters or more")
        return value

    return of


def one_of(*permitted: str) -> Callable[[Any], str]:
    """Read one of a few words."""

    def of(value: Any) -> str:
        if value not in permitted:
            raise ValueError(f"one of {', '.join(permitted)}")
        return str(value)

    return of


def number(least: float, most: float | None = None) -> Callable[[Any], float]:
    """Read a number."""

    def of(value: Any) -> float:
        if type(value) not in {int, float} or not least <= value <= (value if most is None else most):
            raise ValueError(
                f"a number of {least:g} or more" if most is None else f"a number from {least:g} to {most:g}"
            )
        return float(value)

    return of


def integer(least: int, most: int | None = None) -> Callable[[Any], int]:
    """Read a whole number."""

    def of(value: Any) -> int:
        if type(value) is not int or not least <= value <= (value if most is None else most):
            raise ValueError(
                f"a whole number, {least} or more" if most is None else f"a whole number, {least} to {most}"
            )
        return value

    return of


def boolean(value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def list_of(read_one: Callable[[Any], Item], least: int = 0, most: int | None = None) -> Callable[[Any], list[Item]]:
    """Read a list."""

    def of(value: Any) -> list[Item]:
        if not isinstance(value, list):
            raise ValueError("a list is needed")
        if not least <= len(value) <= (len(value) if most is None else most):
            raise ValueError(f"{least} to {most} elements" if most else f"{least} elements or more")
        return [read_one(one) for one in value]

    return of


def map_of(read_one: Callable[[Any], Item], most: int) -> Callable[[Any], dict[str, Item]]:
    """Read an object with any names."""

    def of(value: Any) -> dict[str, Item]:
        if not isinstance(value, dict) or len(value) > most:
            raise ValueError(f"an object with {most} members at most")
        return {name: read_one(one) for name, one in value.items()}

    return of


def structure(where: str, **parameters: Parameter) -> Callable[[Any], dict[str, Any]]:
    """Read an object that has parameters of its own."""
    return lambda value: read(value, parameters, where)


def page(items: Sequence[Item], token: str | None, size: int) -> tuple[Sequence[Item], str | None]:
    """Take a page of a list, and the token for the next one."""
    start = int(opened(token, "list")) if token else 0
    return items[start : start + size], sealed(start + size, "list") if start + size < len(items) else None


def sealed(position: Any, of: str) -> str:
    """Write a position as a token that means something for one question alone."""
    return base64.urlsafe_b64encode(json.dumps([of, position]).encode()).decode()


def opened(token: str, of: str) -> Any:
    """Read a token.

    :raises ApiError: when it is none, or belongs to another question.
    """
    try:
        question, position = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError):
        raise ApiError("NextToken is none that X-Ray gave.") from None
    if question != of:
        raise ApiError("NextToken belongs to a request with other parameters.")
    return position


def _shown(value: Any) -> str:
    written = json.dumps(value)
    return written if len(written) <= 60 else f"{written[:57]}..."
