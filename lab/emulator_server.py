"""Serves the emulator. The interpreter of its own environment runs this file, with nothing of ours beside it.

Two things differ from MiniStack as it comes, so that more is as on AWS:

Functions run on another interpreter, whose packages are those of AWS Lambda's Python runtime. A function that forgot
to bundle a package fails here as it would there, even when MiniStack itself has that package.

A request over loopback counts as one over TLS. Policies that refuse anything else (``aws:SecureTransport``) are in
force here, and on AWS every client of ours does use TLS; a certificate for a port that only this machine can reach
would protect nothing.
"""

import os
import sys

from ministack import app


def _with_lambda_packages(python: str) -> None:
    # MiniStack starts functions with `sys.executable`, and nothing else.
    sys.executable = python


def _with_secure_loopback() -> None:
    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _: pin(source_ip, True)


if __name__ == "__main__":
    _with_lambda_packages(os.environ["LAMBDA_PYTHON"])
    _with_secure_loopback()
    sys.argv = ["ministack"]
    app.main()
