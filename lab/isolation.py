"""Keeps a local run local: whatever the caller's AWS settings say, it reaches the emulator and nothing else."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any

from lab.errors import LabError
from lab.loopback import is_loopback
from lab.project import LAB, SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import boto3

ACCOUNT = "000000000000"
REGION = "us-east-1"


def leads_away(variable: str) -> bool:
    """Say whether a variable could lead a program from the emulator to AWS, or through a proxy to somewhere else."""
    return variable.upper().startswith(("AWS_", "CDK_", "BOTO")) or is_proxy(variable)


def is_proxy(variable: str) -> bool:
    """Say whether a variable names a proxy: loopback needs none, the package index may."""
    return variable.upper().endswith("_PROXY")


def emulator_settings(endpoint: str, xray: Mapping[str, str]) -> dict[str, str]:
    """Name what points the AWS CLI, every SDK and the CDK CLI at the emulator.

    :param xray: what points them at the X-Ray beside it.
    """
    return {
        "AWS_ENDPOINT_URL": endpoint,
        **xray,
        "AWS_ACCESS_KEY_ID": ACCOUNT,  # The emulator takes a key of twelve digits for the account.
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        **_no_settings_in_files(),
    }


def environment_without_aws() -> dict[str, str]:
    """Make an environment that knows of no AWS account: not from variables, nor from files, nor from an instance."""
    kept = {name: value for name, value in os.environ.items() if not leads_away(name)}
    return {**kept, **_no_settings_in_files()}


def local_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Make the environment of every program that a local run starts, from nothing of the caller's AWS settings.

    :param settings: what points it at the emulator.
    """
    environment = environment_without_aws()
    return {**environment, **settings, **quiet_cdk(environment)}


def synthesis_environment(proxies: Mapping[str, str]) -> dict[str, str]:
    """Make the environment in which the app is synthesized: the package index may need a proxy, loopback never."""
    unproxied = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    return {**environment_without_aws(), **proxies, **(unproxied if proxies else {})}


def proxies() -> dict[str, str]:
    """Name the caller's proxies."""
    return {name: value for name, value in os.environ.items() if is_proxy(name)}


def _no_settings_in_files() -> dict[str, str]:
    # Profiles can name endpoints too, and credentials of real accounts.
    no_file = LAB / "no-aws-settings"
    no_file.touch()
    return {
        "AWS_CONFIG_FILE": str(no_file),
        "AWS_SHARED_CREDENTIALS_FILE": str(no_file),
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def quiet_cdk(environ: Mapping[str, str]) -> dict[str, str]:
    """Have the CDK CLI run on the Node.js of set-up and send nothing about its use."""
    return {
        "PATH": f"{SCRIPTS}{os.pathsep}{environ.get('PATH', os.defpath)}",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
    }


def refuse_other_hosts(session: boto3.Session) -> None:
    """Have every request of ``session`` that would leave this machine fail before it is sent."""
    session.events.register_first("before-send", _refuse_unless_loopback)


def _refuse_unless_loopback(request: Any, **_: Any) -> None:
    if not is_loopback(request.url):
        raise LabError(f"A local run was about to call {request.url}: refused. It reaches the emulator alone.")


def as_shell(settings: Mapping[str, str]) -> str:
    """Write settings for a shell to evaluate, and take back what of the caller's would stand against them."""
    foreign = sorted(name for name in os.environ if leads_away(name) and name not in settings)
    # A proxy would carry requests to loopback away; the AWS settings could lead to an account.
    lines = [f"unset {name}" for name in foreign if not name.upper().startswith("CDK_")]
    return "\n".join([*lines, *(f"export {name}={shlex.quote(value)}" for name, value in settings.items())])
