"""The tracing header of every request that reaches the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack import app

from lab.emulation.tracing import header

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_NAME = header.NAME.lower().encode()


def extend() -> None:
    """Have whatever serves a request know its header: the services' threads and tasks inherit it."""
    app.app = _with_header(app.app)


def _with_header(serve: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def serve_with_header(scope: dict[str, Any], receive: Any, send: Any) -> None:
        text = dict(scope.get("headers", [])).get(_NAME, b"").decode("latin-1")
        header.current.set(header.read(text))
        await serve(scope, receive, send)

    return serve_with_header
