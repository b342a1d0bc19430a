"""Where a section runs: on the emulator (`local`) or in an AWS account (`aws`). Nothing else in `lab` differs."""

from __future__ import annotations

import os
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from lab import cdk, emulator, isolation, preflight
from lab.engine import discovery, images
from lab.errors import LabError, UsageError
from lab.loopback import is_loopback
from lab.postgresql import preparation as postgresql
from lab.project import LAB, ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import boto3

    from lab.emulator_process import Emulator
    from lab.engine.discovery import Engine
    from lab.progress import Progress


class TargetName(str, Enum):
    """What a user types."""

    LOCAL = "local"
    AWS = "aws"


class Target(Protocol):
    """What `lab` needs to know of where a section runs."""

    name: TargetName

    @property
    def session(self) -> boto3.Session:
        """Make clients from this."""

    @property
    def synthesis_environment(self) -> dict[str, str]:
        """Name what the app's synthesis may see."""

    def prepare(self, progress: Progress) -> None:
        """Make it ready for a deployment."""

    def fit(self, assembly: Path, progress: Progress) -> Path:
        """Return the cloud assembly as this target can take it."""

    def supply(self, assembly: Path, progress: Progress) -> None:
        """Have ready what the resources of the assembly, which is about to be deployed, run on."""


class Local:
    """The emulator of this checkout."""

    name = TargetName.LOCAL

    def __init__(self, running: Emulator) -> None:
        self.emulator = running
        self._proxies = isolation.proxies()
        # For this whole process and all that it starts: no later code has to remember it.
        environment = isolation.local_environment(running.settings)
        os.environ.clear()
        os.environ.update(environment)

    @cached_property
    def session(self) -> boto3.Session:
        """Make clients that reach the emulator, and fail for any other host."""
        import boto3  # noqa: PLC0415 - after the environment is settled, and not for `lab --help`

        session = boto3.Session()
        isolation.refuse_other_hosts(session)
        return session

    @property
    def synthesis_environment(self) -> dict[str, str]:
        """Let it use the caller's proxy, and know of no AWS account."""
        return isolation.synthesis_environment(self._proxies)

    def prepare(self, progress: Progress) -> None:
        """Bootstrap the emulator's account, once."""
        if _stack_exists(self.session, "CDKToolkit"):
            return
        progress.step("Bootstrapping the emulator's account for the CDK")
        # Where there is no app: the CLI would synthesize it first.
        words = ["bootstrap", f"aws://{isolation.ACCOUNT}/{isolation.REGION}"]
        cdk.run(*words, progress=progress, folder=LAB)

    def fit(self, assembly: Path, progress: Progress) -> Path:
        """Leave out what the emulator does not know, in a copy, and the images where nothing runs them."""
        copy = LAB / "assembly-local-fitted"
        engine = self._engine_for(assembly) if preflight.runs_containers(assembly) else None
        client: Any = self.session.client
        left_out = preflight.fit(assembly, copy, client)
        if left_out:
            named = ", ".join(f"{kind} ({count})" for kind, count in sorted(left_out.items()))
            progress.note(f"Not emulated, left out of this deployment: {named}")
        if engine:
            preflight.build_on(copy, images.build_arguments())
            os.environ["CDK_DOCKER"] = str(ROOT / "lab" / "engine" / "cdk_docker.py")
        elif left := preflight.leave_images_out(copy):
            number = "1 image is" if left == 1 else f"{left} images are"
            progress.note(
                f"No container engine answers: {number} not built, and no container runs. To have that too, "
                f"{discovery.INSTALL}, then `lab reset` and `lab up` again."
            )
        return copy

    def supply(self, assembly: Path, progress: Progress) -> None:
        """Have a PostgreSQL behind the clusters of Aurora."""
        postgresql.prepare(assembly, self.synthesis_environment, progress)

    def _engine_for(self, assembly: Path) -> Engine | None:
        engine = emulator.lend_engine()
        if engine:
            images.require_runnable(preflight.image_platforms(assembly), engine)
        return engine


class Aws:
    """The account and region that the caller's credentials are for."""

    name = TargetName.AWS

    def __init__(self) -> None:
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        if endpoint and is_loopback(endpoint):
            raise UsageError(
                f"AWS_ENDPOINT_URL is {endpoint}, which is not AWS: open a terminal without `lab env`, then again."
            )
        os.environ.update(isolation.quiet_cdk(os.environ))

    @cached_property
    def session(self) -> boto3.Session:
        """Make clients with the caller's credentials."""
        import boto3  # noqa: PLC0415

        # The CDK CLI reads AWS_REGION, and boto3 does not.
        return boto3.Session(region_name=os.environ.get("AWS_REGION"))

    @cached_property
    def account(self) -> str:
        """Ask AWS whose credentials these are."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        if not self.session.region_name:
            raise LabError("No AWS region is set: `export AWS_REGION=...`, or a profile that has one.")
        try:
            return self.session.client("sts").get_caller_identity()["Account"]
        except (BotoCoreError, ClientError) as error:
            raise LabError(f"AWS does not accept your credentials ({error}): log in, then again.") from None

    @property
    def region(self) -> str:
        """Name the region."""
        return self.session.region_name

    @property
    def synthesis_environment(self) -> dict[str, str]:
        """Let it see what the caller's own `cdk synth` would see."""
        return dict(os.environ)

    def prepare(self, progress: Progress) -> None:
        """Leave the account as it is; the CDK CLI says it when the account has to be bootstrapped first."""

    def fit(self, assembly: Path, progress: Progress) -> Path:  # noqa: ARG002 - as every target
        """Take the assembly as it is: AWS knows every type."""
        return assembly

    def supply(self, assembly: Path, progress: Progress) -> None:
        """Have nothing ready: AWS has it all."""


def _stack_exists(session: boto3.Session, name: str) -> bool:
    from botocore.exceptions import ClientError  # noqa: PLC0415

    try:
        stacks: list[Any] = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError:
        return False
    return stacks[0]["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
