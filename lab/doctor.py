"""Looks at what is installed here, and says what a missing thing costs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lab import emulator, xray_process
from lab.engine import discovery
from lab.project import CDK_CLI, SCRIPTS, python_of


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for."""

    name: str
    well: bool
    text: str
    optional: bool = False

    def as_json(self) -> dict[str, object]:
        """Return the object that ``lab doctor --json`` prints for it."""
        return {"name": self.name, "well": self.well, "optional": self.optional, "text": self.text}


def examine() -> list[Finding]:
    """Look at everything: first what the lab needs, then what it can use."""
    return [_python(), _node(), _cdk_cli(), _emulator(), _xray(), _container_engine(), _aws_credentials(), _aws_cli()]


def _python() -> Finding:
    return Finding("python", True, f"Python {sys.version.split()[0]}")


def _node() -> Finding:
    return _version("node", [str(SCRIPTS / "node"), "--version"], "Node.js {}", "Node.js is not in .venv: `make lab`.")


def _cdk_cli() -> Finding:
    return _version(
        "cdk", [str(CDK_CLI), "--version"], "AWS CDK CLI {}", "The AWS CDK CLI is not in node_modules: `make lab`."
    )


def _emulator() -> Finding:
    found = _version(
        "emulator",
        [str(python_of("emulator")), "-c", "import importlib.metadata as m; print(m.version('ministack'))"],
        "MiniStack {}, the emulator",
        "The emulator is not in .environments: `make lab`.",
    )
    running = emulator.running()
    state = f", running on {running.endpoint}" if running else ", not running"
    return Finding(found.name, found.well, found.text + (state if found.well else ""))


def _xray() -> Finding:
    """Look for the local X-Ray, without which requests are served as ever, and leave no traces."""
    xray = xray_process.running()
    if xray:
        text = f"X-Ray on {xray.endpoint}, UDP port {xray.udp_port} for segments"
        return Finding("xray", True, text, optional=True)
    if emulator.running():
        text = "X-Ray ended while the emulator runs: nothing is traced until `lab up` starts it again."
        return Finding("xray", False, f"{text} Its log is {xray_process.LOG}.", optional=True)
    return Finding("xray", True, "X-Ray starts with the emulator", optional=True)


def _container_engine() -> Finding:
    engine = discovery.found()
    if engine:
        without_rights = ", without privileges" if engine.rootless else ""
        text = f"{engine.name} {engine.version}, which runs linux/{engine.architecture}{without_rights}"
        return Finding("containers", True, text, optional=True)
    return Finding(
        "containers",
        False,
        "No container engine answers (Docker or Podman): Lab 15.1 needs none; checks that run real containers are "
        "skipped without one.",
        optional=True,
    )


def _aws_credentials() -> Finding:
    import botocore.session  # noqa: PLC0415 - slow to load, and no other command needs it here

    session = botocore.session.Session()
    try:
        credentials = session.get_credentials()
        region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
    except Exception as error:  # a profile that does not exist, a file that cannot be read, ...
        return Finding(
            "aws", False, f"Your AWS settings cannot be read ({error}): only `--target aws` needs them.", True
        )
    if credentials and region:
        return Finding(
            "aws", True, f"AWS credentials from {credentials.method}, region {region}: for `--target aws`", True
        )
    missing = "AWS credentials" if not credentials else "AWS region"
    return Finding("aws", False, f"No {missing}: only `--target aws` needs it; the emulator does not.", optional=True)


def _aws_cli() -> Finding:
    path = shutil.which("aws")
    if path and _answer_of([path, "--version"]).startswith("aws-cli/1."):
        # It puts an address of its own before every setting of the environment, for SQS alone.
        return Finding(
            "aws-cli",
            False,
            f'AWS CLI 1 at {path}: `eval "$(lab env)"` points it at the emulator, but not `aws sqs`, which would call '
            'AWS: say `aws sqs --endpoint-url "$AWS_ENDPOINT_URL" ...`, or install version 2.',
            optional=True,
        )
    if path:
        return Finding("aws-cli", True, f'AWS CLI at {path}: `eval "$(lab env)"` points it at the emulator', True)
    return Finding("aws-cli", False, "No AWS CLI: you can look into the emulator with boto3 and `lab` alone.", True)


def _version(name: str, command: list[str], well: str, missing: str) -> Finding:
    if not Path(command[0]).exists():
        return Finding(name, False, missing)
    version = _answer_of(command)
    return Finding(name, True, well.format(version)) if version else Finding(name, False, missing)


def _answer_of(command: list[str]) -> str:
    """Return what a command answers; nothing if it fails, or does not answer in time."""
    environ = {**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        answer = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
