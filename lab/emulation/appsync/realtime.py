"""AppSync's real-time endpoint: GraphQL subscriptions over a WebSocket, by the protocol that AWS documents.

On AWS the endpoint is a host of its own; here it is the address of the API with the scheme ``ws``. What authorizes a
connection is in the query parameter ``header``, or in a subprotocol ``header-...``; what authorizes a subscription, in
its ``start``. Both are checked as a request's is: API key, signature, or token. A signature is of the request that
the message stands for: ``/graphql/connect`` with ``{}``, or ``/graphql`` with the query.

Source: https://docs.aws.amazon.com/appsync/latest/devguide/real-time-websocket-client.html
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from graphql import GraphQLError, GraphQLResolveInfo, OperationType, execute_sync, get_operation_ast, parse
from ministack import app
from ministack.core import appsync_graphql, iam_evaluator
from ministack.core.responses import set_request_account_id, set_request_region
from ministack.core.router import extract_access_key_id, extract_region
from ministack.services import appsync

from lab.emulation.appsync import subscriptions
from lab.emulation.appsync.authorization import caller, unauthorized
from lab.emulation.appsync.execution import Request, as_told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from graphql import DocumentNode, GraphQLSchema

_PATH = re.compile(r"/v1/apis/([^/]+)/graphql")
_PROTOCOL = "graphql-ws"
_TIMEOUT_MS = 300_000
_KEEP_ALIVE_SECONDS = 60
_SECONDS_TO_READ_A_REFUSAL = 10
_log = logging.getLogger(__name__)
_MALFORMED = {"errorType": "MalformedHttpRequestException", "message": "Unable to parse GraphQL query."}

Message = dict[str, Any]


class RefusedError(Exception):
    """What a client asked for is refused; ``errors`` are what it is told."""

    def __init__(self, *errors: Message) -> None:
        super().__init__(str(errors))
        self.errors = list(errors)


def extend() -> None:
    """Serve WebSockets at the addresses of APIs."""
    app.app = _with_subscriptions(app.app)


def _with_subscriptions(serve: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def serve_with_subscriptions(scope: dict[str, Any], receive: Any, send: Any) -> None:
        found = _PATH.fullmatch(scope["path"]) if scope["type"] == "websocket" else None
        if found is None:
            await serve(scope, receive, send)
        else:
            await _Connection(found[1], receive, send).serve(scope)

    return serve_with_subscriptions


class _Connection:
    """A client's WebSocket, with its subscriptions by the ids that the client gave them."""

    def __init__(self, api_id: str, receive: Any, send: Any) -> None:
        self._api_id = api_id
        self._receive = receive
        self._send = send
        self._outgoing: asyncio.Queue[Message] = asyncio.Queue()
        self._subscriptions: dict[str, subscriptions.Subscription] = {}

    async def serve(self, scope: dict[str, Any]) -> None:
        """Let the client in, then do what it says until it goes."""
        await self._receive()  # websocket.connect
        offered = scope.get("subprotocols", [])
        await self._send({"type": "websocket.accept", **({"subprotocol": _PROTOCOL} if _PROTOCOL in offered else {})})
        try:
            if _PROTOCOL not in offered:
                raise RefusedError({"message": "SubProtocolNotSupportedError", "errorCode": 400})
            authorization = _authorization_of(scope)
            await asyncio.to_thread(_admit, self._api_id, authorization, "/graphql/connect", b"{}")
        except RefusedError as refused:
            await self._refuse(refused)
            return
        writing = asyncio.create_task(self._write())
        try:
            while (event := await self._receive())["type"] != "websocket.disconnect":
                await self._handle(event.get("text") or (event.get("bytes") or b"").decode(errors="replace"))
        finally:
            writing.cancel()
            for subscription in self._subscriptions.values():
                subscriptions.remove(subscription)

    async def _refuse(self, refused: RefusedError) -> None:
        payload = {"errors": [{"errorCode": 401, **error} for error in refused.errors]}
        await self._write_one({"type": "connection_error", "payload": payload})
        # A client says its first word before it listens: it would find the connection closed, and not the reason.
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._receive(), _SECONDS_TO_READ_A_REFUSAL)
        await self._send({"type": "websocket.close", "code": 1000})

    async def _write(self) -> None:
        due = time.monotonic() + _KEEP_ALIVE_SECONDS
        while True:
            try:
                message = await asyncio.wait_for(self._outgoing.get(), max(0, due - time.monotonic()))
            except asyncio.TimeoutError:
                message, due = {"type": "ka"}, due + _KEEP_ALIVE_SECONDS
            await self._write_one(message)

    async def _write_one(self, message: Message) -> None:
        await self._send({"type": "websocket.send", "text": json.dumps(message)})

    async def _handle(self, text: str) -> None:
        message = _object(text)
        said, told = message.get("type"), self._outgoing.put_nowait
        name = str(message.get("id", ""))
        if said == "connection_init":
            told({"type": "connection_ack", "payload": {"connectionTimeoutMs": _TIMEOUT_MS}})
            told({"type": "ka"})
        elif said == "start":
            try:
                await self._start(name, message.get("payload"))
            except RefusedError as refused:
                told({"type": "error", "id": name, "payload": {"errors": refused.errors}})
            except Exception:  # one subscription fails, and the connection's others go on
                _log.exception("A subscription of the API %s failed", self._api_id)
                failed = _error("InternalFailure", "The emulator could not make the subscription: its log says why.")
                told({"type": "error", "id": name, "payload": {"errors": [failed]}})
        elif said == "stop" and name in self._subscriptions:
            subscriptions.remove(self._subscriptions.pop(name))
            told({"type": "complete", "id": name})
        else:
            told({"type": "error", "id": name, "payload": {"errors": [_unsupported("unknown")]}})

    async def _start(self, name: str, payload: Any) -> None:
        if not name or name in self._subscriptions:
            raise RefusedError(_error("BadRequestException", "A subscription has an id of its own."))
        loop = asyncio.get_running_loop()

        def send(answer: Message) -> None:
            message = {"type": "data", "id": name, "payload": answer}
            loop.call_soon_threadsafe(self._outgoing.put_nowait, message)

        # In a thread, as its resolver may ask the emulator itself, and with a copy of the context: who asks is in it.
        self._subscriptions[name] = started = await asyncio.to_thread(_subscription, self._api_id, payload, send)
        self._outgoing.put_nowait({"type": "start_ack", "id": name})
        subscriptions.add(started)


def _subscription(api_id: str, payload: Any, send: Callable[[Message], None]) -> subscriptions.Subscription:
    """Execute a subscription as the query that it is, which runs its resolver, and name what it will be sent."""
    text, authorization = _parts(payload)
    request = _admit(api_id, authorization, "/graphql", text.encode())
    query, request.variables, name = _asked(text)
    definition = (appsync._schemas.get(api_id) or {}).get("definition")
    try:
        document = parse(query)
    except GraphQLError:
        raise RefusedError(_MALFORMED) from None
    operation = get_operation_ast(document, name)
    if definition is None or operation is None or operation.operation is not OperationType.SUBSCRIPTION:
        raise RefusedError(_unsupported(operation.operation.value if operation else "unknown"))
    schema = appsync_graphql.build_api_schema(api_id, definition)
    _, errors = request.execute(schema, document, name)
    if request.is_denied:
        raise RefusedError(_error("UnauthorizedException", "Permission denied"))
    if errors:
        raise RefusedError(*errors)
    if not request.roots:
        raise RefusedError(_error("BadRequestException", "A subscription has a field: @skip or @include left none."))
    [root] = request.roots
    return subscriptions.Subscription(
        api_id,
        subscriptions.mutations_of(root.info),
        subscriptions.wanted_by(root.info, root.arguments),
        _sender(schema, document, request, name, send),
    )


def _parts(payload: Any) -> tuple[str, Message]:
    """Take the query, which is text, and what authorizes it out of the payload of a ``start``."""
    match payload:
        case {"data": str(text), "extensions": {"authorization": dict(authorization)}}:
            return text, authorization
    raise RefusedError(_unsupported("unknown"))


def _asked(text: str) -> tuple[str, Message, str | None]:
    """Read a query, its variables, and the name of its operation."""
    asked = _object(text)
    match asked.get("query"), asked.get("variables") or {}, asked.get("operationName"):
        case str(query), dict(variables), str() | None as name:
            return query, variables, name
    raise RefusedError(_MALFORMED)


def _sender(
    schema: GraphQLSchema, document: DocumentNode, request: Request, name: str | None, send: Callable[[Message], None]
) -> Callable[[Any], None]:
    """Select from a mutation's answer what a subscriber wants and may read; no resolver runs for it."""

    def hear(answer: Any) -> None:
        def field(source: Any, info: GraphQLResolveInfo, **_: Any) -> Any:
            if not request.caller.may_read(info.parent_type, info.field_name):
                raise unauthorized(info.parent_type.name, info.field_name)
            return answer if info.path.prev is None else source.get(info.field_name)

        done = execute_sync(
            schema, document, variable_values=request.variables, operation_name=name, field_resolver=field
        )
        errors = [as_told(error) for error in done.errors or []]
        send({"data": done.data, **({"errors": errors} if errors else {})})

    return hear


def _authorization_of(scope: dict[str, Any]) -> Message:
    """Find what a client authorizes its connection with."""
    query = parse_qs(scope.get("query_string", b"").decode())
    named = [one.removeprefix("header-") for one in scope["subprotocols"] if one.startswith("header-")]
    try:
        encoded = [*query.get("header", []), *named][0]
        text = base64.b64decode(encoded.translate({45: "+", 95: "/"}) + "=" * (-len(encoded) % 4)).decode()
    except (IndexError, ValueError):
        text = ""
    return _object(text)


def _admit(api_id: str, authorization: Message, path: str, body: bytes) -> Request:
    """Make the request that a message stands for, of whoever signed it or has its key or token.

    :raises RefusedError: when the API does not let the caller in.
    """
    headers = {name.lower(): str(value) for name, value in authorization.items()}
    set_request_account_id(extract_access_key_id(headers))
    if appsync._has_sigv4_credentials(headers, {}):
        set_request_region(extract_region(headers))
    else:
        appsync._select_api_region(api_id)
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    iam_evaluator.pin_signed_request("POST", path, {}, sent)
    iam_evaluator.pin_signed_body(body)
    api = appsync._apis.get(api_id)
    authorize = appsync._iam_field_authorizer(api_id, headers, {})
    refused = isinstance(authorize, tuple)
    if api is None or refused or not appsync._request_is_authenticated(api_id, api, headers):
        raise RefusedError(_error("UnauthorizedException", "You are not authorized to make this call."))
    return Request(api_id, {}, headers, caller(api, headers), authorize)


def _object(text: str) -> Message:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _unsupported(operation: str) -> Message:
    return _error("UnsupportedOperation", f"{operation} not supported through the realtime channel")


def _error(kind: str, message: str) -> Message:
    return {"errorType": kind, "message": message}
