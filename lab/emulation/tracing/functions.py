"""Lambda functions: their two segments, and the header that their code finds in ``_X_AMZN_TRACE_ID``.

Lambda's own segment is about the request, and the function's below it about the run. The function's id is the parent
in ``_X_AMZN_TRACE_ID``, so that what the code records comes below it. A header that came with the request decides
whether both are made, whatever the function's tracing mode; without one, a function with active tracing samples
requests itself, at a rate that nobody can change, and one without it records nothing.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from lab.emulation.tracing import header, sampling, segments
from lab.emulation.tracing.hooks import never_fails, wrap

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lab.emulation.tracing.header import TraceHeader

_RECORD_KEY = "lab_trace_header"
_Response = tuple[int, dict[str, str], bytes]


@dataclass
class _Invocation:
    """One run of a function."""

    inbound: TraceHeader
    config: dict[str, Any]
    links: list[dict[str, Any]]
    lambda_id: str = field(default_factory=header.new_id)
    function_id: str = field(default_factory=header.new_id)
    request_id: str = ""
    start: float = field(default_factory=time.time)
    run: tuple[float, float] | None = None
    initialization: tuple[float, float] | None = None

    @property
    def onward(self) -> TraceHeader:
        """Return what the function's code finds."""
        return self.inbound.below(self.function_id)


_running: ContextVar[_Invocation | None] = ContextVar("lab_invocation", default=None)
#: The traces that the messages of a batch belong to.
links: ContextVar[list[dict[str, Any]]] = ContextVar("lab_trace_links", default=[])  # noqa: B039 - never changed
# Where a Function URL's request finds what it set off, in a thread of its own.
_set_off: ContextVar[list[_Invocation] | None] = ContextVar("lab_set_off", default=None)


def extend() -> None:
    """Have functions trace."""
    wrap(lambda_svc, "_execution_record_for_config", _record_with_header)
    wrap(lambda_svc, "_execute_function", _execute)
    wrap(lambda_svc, "_execute_function_dispatch", _dispatch)
    wrap(lambda_svc, "_function_url_trace_root", _url_trace_root)
    wrap(lambda_svc, "handle_function_url_request", _serve_url)
    wrap(lambda_runtime.Worker, "_spawn", _spawn)
    lambda_svc._xray_trace_id_for_invocation = _trace_id


def _record_with_header(make: Callable[..., dict[str, Any]], func: Any, config: Any) -> dict[str, Any]:
    """Have the header go with what is about to be executed: some services do so in a thread that inherits nothing."""
    return {**make(func, config), _RECORD_KEY: header.current.get()}


def _execute(execute: Callable[..., dict[str, Any]], func: dict[str, Any], event: Any) -> dict[str, Any]:
    config = func.get("config") or func
    if lambda_svc._function_config_scope_mismatch(config):
        return execute(func, event)  # It comes here again, in the function's own account and region.
    invocation = _Invocation(_decided(header.current.get() or func.get(_RECORD_KEY), config), config, links.get())
    set_off = _set_off.get()
    if set_off is not None:
        set_off.append(invocation)
    token = _running.set(invocation)
    try:
        result = execute(func, event)
    finally:
        _running.reset(token)
    if invocation.inbound.sampled:
        _record(invocation, result)
    return result


def _decided(inbound: TraceHeader | None, config: dict[str, Any]) -> TraceHeader:
    inbound = inbound or header.new_trace()
    if inbound.sampled is not None:
        return inbound
    active = (config.get("TracingConfig") or {}).get("Mode") == "Active"
    return inbound.decided(active and sampling.of_function(str(config.get("FunctionArn"))))


def _dispatch(dispatch: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    _, _, _, request_id, _ = arguments
    start = time.time()
    try:
        return dispatch(*arguments)
    finally:
        invocation = _running.get()
        if invocation:
            invocation.request_id, invocation.run = request_id, (start, time.time())


def _spawn(spawn: Callable[..., Any], worker: Any, *arguments: Any) -> Any:
    start = time.time()
    try:
        return spawn(worker, *arguments)
    finally:
        invocation = _running.get()
        if invocation:
            invocation.initialization = (start, time.time())


def _trace_id(config: dict[str, Any], inbound_trace_header: str | None = None) -> str | None:  # noqa: ARG001 - as it is
    invocation = _running.get()
    return str(invocation.onward) if invocation else None


def _url_trace_root(make: Callable[[], str]) -> str:  # noqa: ARG001 - as every wrapper
    """Name the trace of a Function URL's request, which begins here if it came without one."""
    current = header.current.get()
    if current is None:
        current = header.new_trace()
        header.current.set(current)
    return f"Root={current.root}"


async def _serve_url(serve: Callable[..., Awaitable[_Response]], *arguments: Any, **options: Any) -> _Response:
    """Say in the answer's header what was decided: MiniStack says that no request is recorded."""
    set_off: list[_Invocation] = []
    _set_off.set(set_off)
    status, headers, body = await serve(*arguments, **options)
    if set_off and header.NAME in headers:
        _, field, lineage = headers[header.NAME].partition(";Lineage=")
        headers = {**headers, header.NAME: f"{set_off[0].onward}{field}{lineage}"}
    return status, headers, body


@never_fails
def _record(invocation: _Invocation, result: dict[str, Any]) -> None:
    end, config = time.time(), invocation.config
    name, arn = config["FunctionName"], config["FunctionArn"]
    status = 429 if result.get("throttle") else 200
    flags = {**segments.flags(status), "fault": bool(result.get("error")) and not result.get("throttle")}
    segments.send(
        segments.segment(
            invocation.inbound,
            name,
            "AWS::Lambda",
            invocation.start,
            end,
            id=invocation.lambda_id,
            resource_arn=arn,
            http={"response": {"status": status}},
            aws={"request_id": invocation.request_id, "function_arn": arn},
            links=invocation.links,
            **flags,
        )
    )
    if invocation.run is None or result.get("throttle"):
        return
    segments.send(
        segments.segment(
            invocation.inbound.below(invocation.lambda_id),
            name,
            "AWS::Lambda::Function",
            *invocation.run,
            id=invocation.function_id,
            resource_arn=arn,
            aws={"request_id": invocation.request_id, "function_arn": arn, "account_id": arn.split(":")[4]},
            subsegments=_phases(invocation.run, invocation.initialization),
            **flags,
        )
    )


def _phases(run: tuple[float, float], initialization: tuple[float, float] | None) -> list[dict[str, Any]]:
    if initialization is None:
        return [segments.subsegment("Invocation", *run)]
    begun = segments.subsegment("Initialization", *initialization)
    return [begun, segments.subsegment("Invocation", initialization[1], run[1])]
