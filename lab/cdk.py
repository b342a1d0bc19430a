"""Runs the AWS CDK CLI that set-up pinned."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

from lab.errors import LabError, UsageError
from lab.isolation import quiet_cdk
from lab.project import CDK_CLI, LAB, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lab.progress import Progress

LOG = LAB / "cdk.log"


class CdkError(LabError):
    """The CLI failed; the message has its own last words."""

    def __init__(self, command: str, printed: str) -> None:
        last = "\n".join(printed.strip().splitlines()[-12:])
        super().__init__(f"`cdk {command}` failed:\n{last}\n(all of it: {LOG})")
        self.printed = printed


def context_arguments(context: Mapping[str, str]) -> list[str]:
    """Write context as the CLI takes it."""
    return [word for name, value in context.items() for word in ("--context", f"{name}={value}")]


def synth(assembly: Path, *, context: Mapping[str, str], environ: Mapping[str, str], progress: Progress) -> Path:
    """Synthesize into the cloud assembly ``assembly``.

    :raises UsageError: when the app refuses the context, with its reason.
    :raises LabError: when it fails.
    """
    words = ["synth", "--quiet", "--output", str(assembly), *context_arguments(context)]
    try:
        run(*words, progress=progress, environ=environ)
    except CdkError as error:
        reason, refused, _ = error.printed.partition("\npython app.py: Subprocess exited with error 2")
        if refused:
            raise UsageError(reason) from None
        raise
    _remove_leftovers(assembly)
    return assembly


def run(*words: str, progress: Progress, environ: Mapping[str, str] | None = None, folder: Path = ROOT) -> str:
    """Run the CLI, show each line that it prints, and return them all.

    :raises CdkError: when it fails; all that it printed is in the log.
    """
    LOG.parent.mkdir(exist_ok=True)
    process = subprocess.Popen(
        _command(words), cwd=folder, env=_environment(environ), text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    lines = []
    try:
        for line in process.stdout or ():
            lines.append(line)
            if line.strip():
                progress.detail(line.strip())
        process.wait()
    except KeyboardInterrupt:
        _end(process)
        raise
    finally:
        with LOG.open("a") as log:
            log.write(f"$ cdk {' '.join(words)}\n{''.join(lines)}")
    if process.returncode:
        raise CdkError(words[0], "".join(lines))
    return "".join(lines)


def attached(*words: str, environ: Mapping[str, str] | None = None) -> int:
    """Run the CLI on this terminal, for what it shows or asks itself; return its exit status."""
    return subprocess.run(_command(words), cwd=ROOT, env=_environment(environ), check=False).returncode


def _end(process: subprocess.Popen[str]) -> None:
    """Let the CLI end in its own way, as the terminal sent it Ctrl-C too, and do not leave it behind."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()


def _remove_leftovers(assembly: Path) -> None:
    """Remove what earlier syntheses left in the assembly; bundles that are still used save the next one time."""
    manifest = (assembly / "manifest.json").read_text()
    listed = manifest + "".join(path.read_text() for path in assembly.glob("*.assets.json") if path.name in manifest)
    for path in assembly.iterdir():
        left = path.name.startswith("asset.") or path.name.endswith((".template.json", ".assets.json"))
        if left and path.name not in listed:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _command(words: Iterable[str]) -> list[str]:
    return [str(CDK_CLI), "--no-notices", *words]


def _environment(environ: Mapping[str, str] | None) -> dict[str, str]:
    base = dict(os.environ if environ is None else environ)
    return {**base, **quiet_cdk(base)}
