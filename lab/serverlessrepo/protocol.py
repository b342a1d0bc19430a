"""Reads requests and writes answers as the service's published model has them, and refuses what is not in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import botocore.session
from botocore.validate import ParamValidator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.model import OperationModel, ServiceModel, Shape

Response = tuple[int, dict[str, str], bytes]
# An application's id is an ARN with a slash in it, which a client may or may not encode.
_IN_PATH = {"applicationId": r"(?P<applicationId>arn:[^/]+/[^/]+|[^/]+)"}


class RepositoryError(Exception):
    """The service refuses; ``code`` is AWS's name for why."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def bad_request(message: str) -> RepositoryError:
    """Refuse a request that cannot be right."""
    return RepositoryError(400, "BadRequestException", message)


@dataclass(frozen=True)
class Api:
    """The service's operations as a handler of HTTP requests.

    :param operations: finds the function of an operation by its name; it takes the operation's parameters.
    """

    model: ServiceModel
    operations: Callable[[str], Callable[[dict[str, Any]], Mapping[str, Any]]]

    @classmethod
    def of(cls, operations: Callable[[str], Callable[[dict[str, Any]], Mapping[str, Any]]]) -> Api:
        """Take the model from botocore."""
        return cls(botocore.session.get_session().get_service_model("serverlessrepo"), operations)

    def answer(self, method: str, path: str, query: Mapping[str, Any], body: bytes) -> Response:
        """Answer one request."""
        try:
            operation, in_path = self._operation(method, path)
            parameters = _parameters(operation, in_path, query, body)
            _require_valid(operation.input_shape, parameters)
            answer = dict(self.operations(operation.name)(parameters))
        except RepositoryError as refused:
            return _response(refused.status, {"message": str(refused), "errorCode": refused.code}, refused.code)
        if operation.output_shape is None:
            return _response(operation.http["responseCode"], None)
        answer = {name: value for name, value in answer.items() if value is not None}
        if problems := ParamValidator().validate(answer, operation.output_shape).generate_report():
            raise AssertionError(f"{operation.name} is about to answer what its model does not have: {problems}")
        return _response(operation.http["responseCode"], _to_wire(answer, operation.output_shape))

    def operation_of(self, method: str, path: str) -> str | None:
        """Name the operation that a request is for."""
        try:
            return self._operation(method, path)[0].name
        except RepositoryError:
            return None

    def _operation(self, method: str, path: str) -> tuple[OperationModel, dict[str, str]]:
        for name in self.model.operation_names:
            operation = self.model.operation_model(name)
            found = _pattern(operation.http["requestUri"]).fullmatch(unquote(path))
            if operation.http["method"] == method and found:
                return operation, found.groupdict()
        raise RepositoryError(404, "UnknownOperationException", f"There is no operation {method} {path}.")


def _pattern(uri: str) -> re.Pattern[str]:
    pattern = "".join(
        _IN_PATH.get(part[1:-1], rf"(?P<{part[1:-1]}>[^/]+)") if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{\w+\})", uri)
    )
    return re.compile(f"{pattern}/?")


def _parameters(
    operation: OperationModel, in_path: Mapping[str, str], query: Mapping[str, Any], body: bytes
) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        raise bad_request("The body is not JSON.") from None
    if not isinstance(document, dict):
        raise bad_request("The body is no object.")
    shape = operation.input_shape
    known = {member.serialization.get("name", name) for name, member in shape.members.items()} if shape else set()
    if unknown := document.keys() - known:
        raise bad_request(f"{operation.name} takes no {', '.join(sorted(unknown))}.")
    parameters: dict[str, Any] = {}
    for name, member in (shape.members if shape else {}).items():
        wire = member.serialization.get("name", name)
        place = member.serialization.get("location")
        if place == "uri":
            parameters[name] = in_path.get(wire)
        elif place == "querystring":
            value = query.get(wire)
            value = value[0] if isinstance(value, list) else value
            parameters[name] = _number(wire, value) if member.type_name == "integer" and value else value
        elif wire in document:
            parameters[name] = _from_wire(document[wire], member)
    return {name: value for name, value in parameters.items() if value is not None}


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise bad_request(f"{name} is {text}: a number.") from None


def _require_valid(shape: Shape | None, parameters: Mapping[str, Any]) -> None:
    report = ParamValidator().validate(parameters, shape).generate_report() if shape else ""
    if report:
        raise bad_request(report)


def _from_wire(value: Any, shape: Any) -> Any:
    if shape.type_name == "structure" and isinstance(value, dict):
        names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
        return {
            names.get(wire, wire): _from_wire(inner, shape.members[names[wire]]) if wire in names else inner
            for wire, inner in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_from_wire(inner, shape.member) for inner in value]
    return value


def _to_wire(value: Any, shape: Any) -> Any:
    if shape.type_name == "structure":
        return {
            member.serialization.get("name", name): _to_wire(value[name], member)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if shape.type_name == "list":
        return [_to_wire(inner, shape.member) for inner in value]
    return value


def _response(status: int, document: Mapping[str, Any] | None, error: str | None = None) -> Response:
    headers = {"Content-Type": "application/json", **({"x-amzn-errortype": error} if error else {})}
    return status, headers, b"" if document is None else json.dumps(document).encode()
