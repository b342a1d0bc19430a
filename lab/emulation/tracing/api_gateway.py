"""A stage of a REST API with tracing: it decides on sampling, makes its segment, and hands the header on.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-services-apigateway.html
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ministack.services import apigateway_v1

from lab.emulation.tracing import header, sampling, segments
from lab.emulation.tracing.hooks import never_fails, wrap
from lab.xray.sampling import Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lab.emulation.tracing.header import TraceHeader

_ORIGIN = "AWS::ApiGateway::Stage"
_Response = tuple[int, dict[str, Any], bytes]


@dataclass
class _Request:
    """A request that a traced stage handles."""

    api_id: str
    stage: str
    method: str
    path: str
    headers: dict[str, str]
    region: str
    account: str
    id: str = field(default_factory=header.new_id)
    start: float = field(default_factory=time.time)
    subsegments: list[dict[str, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name the service as X-Ray does."""
        api = apigateway_v1._rest_apis.get(self.api_id) or {}
        return f"{api.get('name', self.api_id)}/{self.stage}"

    @property
    def arn(self) -> str:
        """Name the stage."""
        return f"arn:aws:apigateway:{self.region}::/restapis/{self.api_id}/stages/{self.stage}"

    @property
    def host(self) -> str:
        """Name the host that the client asked for."""
        return self.headers.get("host", "")

    @property
    def url_path(self) -> str:
        """Write the path as clients do, the stage first."""
        return f"/{self.stage}{quote(self.path)}"

    @property
    def for_sampling(self) -> Request:
        """Say what sampling rules are about."""
        return Request(
            service_name=self.name,
            service_type=_ORIGIN,
            host=self.host,
            http_method=self.method,
            url_path=self.url_path,
            resource_arn=self.arn,
            attributes=self.headers,
        )


#: The stage's request, for the integration that it waits for.
_serving: ContextVar[_Request | None] = ContextVar("lab_stage_request", default=None)


def extend() -> None:
    """Have stages with tracing trace."""
    wrap(apigateway_v1, "_handle_execute_in_scope", _handle)
    wrap(apigateway_v1, "_call_lambda_raw", _call_function)


async def _handle(handle: Callable[..., Awaitable[_Response]], *arguments: Any) -> _Response:
    api_id, stage_name, method, path, headers, body, query_params, account, region = arguments
    stage = apigateway_v1._stages_v1.get(api_id, {}).get(stage_name) or {}
    if not stage.get("tracingEnabled"):
        return await handle(*arguments)
    request = _Request(api_id, stage_name, method, path, headers or {}, region, account)
    inbound = header.current.get() or header.new_trace()
    if inbound.sampled is None:
        inbound = inbound.decided(await sampling.stages.sampled(request.for_sampling))
    onward = inbound.below(request.id)
    header.current.set(onward)
    _serving.set(request)
    with_header = _with_header(request.headers, onward)
    status, answered, content = await handle(
        api_id, stage_name, method, path, with_header, body, query_params, account, region
    )
    if inbound.sampled:
        _record(request, inbound, status, content)
    return status, {**answered, header.NAME: str(onward)}, content


async def _call_function(
    invoke: Callable[..., Awaitable[tuple[Any, str | None]]], function_ref: str, event: Any, **scope: Any
) -> tuple[Any, str | None]:
    """Invoke the integration's function below a subsegment of the stage's own."""
    request, onward = _serving.get(), header.current.get()
    if request is None or onward is None:
        return await invoke(function_ref, event, **scope)
    subsegment_id, start = header.new_id(), time.time()
    below = onward.below(subsegment_id)
    header.current.set(below)
    _tell(event, below)
    result, problem = await invoke(function_ref, event, **scope)
    header.current.set(onward)
    _record_invocation(request, subsegment_id, start, function_ref, result)
    return result, problem


def _with_header(headers: dict[str, str], onward: TraceHeader) -> dict[str, str]:
    """Replace the client's header, whatever its case, by the stage's."""
    others = {name: value for name, value in headers.items() if name.lower() != header.NAME.lower()}
    return {**others, header.NAME: str(onward)}


@never_fails
def _tell(event: dict[str, Any], below: TraceHeader) -> None:
    event["headers"][header.NAME] = str(below)
    event["multiValueHeaders"][header.NAME] = [str(below)]


@never_fails
def _record_invocation(
    request: _Request, subsegment_id: str, start: float, function_ref: str, result: dict[str, Any] | None
) -> None:
    failed, throttled = result is None or bool(result.get("error")), bool(result and result.get("throttle"))
    name = function_ref.rsplit(":function:", 1)[-1].partition(":")[0]
    status = 429 if throttled else 200
    url = f"https://lambda.{request.region}.amazonaws.com/2015-03-31/functions/{function_ref}/invocations"
    request.subsegments.append(
        segments.subsegment(
            "Lambda",
            start,
            time.time(),
            id=subsegment_id,
            namespace="aws",
            http={"request": {"url": url, "method": "POST"}, "response": {"status": status}},
            aws={
                "function_name": name,
                "region": request.region,
                "operation": "Invoke",
                "resource_names": [name],
            },
            **{**segments.flags(status), "fault": failed and not throttled},
        )
    )


@never_fails
def _record(request: _Request, inbound: TraceHeader, status: int, content: bytes) -> None:
    client = request.headers.get("x-forwarded-for", "127.0.0.1").split(",")[0].strip()
    segments.send(
        segments.segment(
            inbound,
            request.name,
            _ORIGIN,
            request.start,
            time.time(),
            id=request.id,
            resource_arn=request.arn,
            http={
                # Without its query: that may hold what is nobody's business.
                "request": {
                    "url": f"https://{request.host}{request.url_path}",
                    "method": request.method,
                    "client_ip": client,
                    "user_agent": request.headers.get("user-agent", ""),
                    "x_forwarded_for": "x-forwarded-for" in request.headers,
                },
                "response": {"status": status, "content_length": len(content)},
            },
            aws={
                "api_gateway": {
                    "account_id": request.account,
                    "rest_api_id": request.api_id,
                    "stage": request.stage,
                }
            },
            subsegments=request.subsegments,
            **segments.flags(status),
        )
    )
