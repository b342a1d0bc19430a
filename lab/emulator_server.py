"""Serves the emulator. The interpreter of its own environment runs this file, with ``lab.emulation`` beside it.

What MiniStack lacks, ``lab.emulation`` adds. Three more things differ from MiniStack as it comes, so that more is as
on AWS:

Functions run on another interpreter, whose packages are those of AWS Lambda's Python runtime. A function that forgot
to bundle a package fails here as it would there, even when MiniStack itself has that package.

A request over loopback counts as one over TLS. Policies that refuse anything else (``aws:SecureTransport``) are in
force here, and on AWS every client of ours does use TLS; a certificate for a port that only this machine can reach
would protect nothing.

What comes from elsewhere is refused: a page in a browser on this machine could otherwise make requests, with the
published credentials, and start functions. Programs of this machine's other users can reach the port all the same, and
so can the containers of its tasks.
"""

import os
import sys
from pathlib import Path
from typing import Any

from ministack import app


def _with_lambda_packages(python: str) -> None:
    # MiniStack starts functions with `sys.executable`, and nothing else.
    sys.executable = python


def _with_secure_loopback() -> None:
    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _: pin(source_ip, True)


def _for_programs_of_this_machine_alone() -> None:
    from lab.emulation.ecs.engine import is_for_containers  # noqa: PLC0415
    from lab.loopback import is_loopback  # noqa: PLC0415

    serve = app.app

    async def guarded(scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", []))
        pages = [headers[b"origin"]] if b"origin" in headers else []
        host = headers.get(b"host", b"localhost").decode("latin-1")
        named = is_loopback(f"//{host}") or is_for_containers(host.partition(":")[0])
        if named and all(is_loopback(page.decode("latin-1")) for page in pages):
            await serve(scope, receive, send)
        elif scope["type"] == "http":
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"The emulator answers programs of this machine alone."})
        else:
            await send({"type": "websocket.close"})

    app.app = guarded


def _with_extensions() -> None:
    from lab import emulation  # noqa: PLC0415

    try:
        emulation.extend()
    except emulation.MissingHookError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    # Last, so that nothing of the checkout stands before what MiniStack imports.
    sys.path.append(str(Path(__file__).resolve().parent.parent))
    _with_lambda_packages(os.environ["LAMBDA_PYTHON"])
    _with_secure_loopback()
    _with_extensions()
    # After the extensions, which serve addresses of their own.
    _for_programs_of_this_machine_alone()
    sys.argv = ["ministack"]
    app.main()
    # It returns when it was stopped, and has written its state. Whoever finds the record knows that it was not.
    Path(os.environ["EMULATOR_RECORD"]).unlink(missing_ok=True)
