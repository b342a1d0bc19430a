"""`lab up` against the bare `cdk deploy` that it wraps."""

from __future__ import annotations

import shutil
from functools import cached_property, partial
from typing import TYPE_CHECKING

from benchmarks.comparison import AtMost, Comparison, Side
from benchmarks.workbench import SECTION, seconds
from lab_stacks import catalog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.workbench import Workbench


def comparisons(bench: Workbench) -> list[Comparison]:
    """Compare deployments that have nothing to change, and one that replaces the queue."""
    section = _Section(bench, SECTION)
    return [
        Comparison(
            title=f"lab up, {what}",
            ours=Side(f"lab up, {what}", partial(change, section.lab_up)),
            alternative=Side("cdk deploy", partial(change, section.cdk_deploy)),
            unit="s",
        )
        for what, change in (("nothing to change", seconds), ("another queue", section.with_another_queue))
    ] + _of_fitted(bench, "fargate")


def of_eks(bench: Workbench) -> list[Comparison]:
    """Compare a deployment of the section `eks` that has nothing to change."""
    return _of_fitted(bench, "eks")


def of_data(bench: Workbench) -> list[Comparison]:
    """Compare deployments of `aurora` and `appsync` that have nothing to change: their databases run already."""
    return [*_of_fitted(bench, "aurora"), *_of_fitted(bench, "appsync")]


def of_sar(bench: Workbench) -> list[Comparison]:
    """Compare a deployment of the section `sar` that has nothing to change; both sides make its application anew."""
    section = _Section(bench, "sar")
    return [
        Comparison(
            title="lab up sar, nothing to change",
            ours=Side("lab up sar", partial(seconds, section.lab_up)),
            alternative=Side("cdk deploy Sar", partial(seconds, section.cdk_deploy)),
            unit="s",
            target=AtMost(1.2),
        )
    ]


def _of_fitted(bench: Workbench, section_id: str) -> list[Comparison]:
    section = _Fitted(bench, section_id)
    return [
        Comparison(
            title=f"lab up {section_id}, nothing to change",
            ours=Side(f"lab up {section_id}", partial(seconds, section.lab_up)),
            alternative=Side("cdk synth, and cdk deploy of what the emulator knows", section.cdk_deploy),
            unit="s",
            target=AtMost(1.2),
        )
    ]


class _Section:
    """A section as it is deployed now, and both ways to deploy it."""

    def __init__(self, bench: Workbench, section_id: str) -> None:
        self._bench = bench
        self._id = section_id
        self._queues = 1

    def with_another_queue(self, deploy: Callable[[], object]) -> float:
        """Measure a deployment that replaces the queue."""
        self._queues += 1
        return seconds(deploy)

    def lab_up(self) -> None:
        """Deploy with `lab up`."""
        self._bench.run_lab("up", self._id, *self._context)

    def cdk_deploy(self) -> None:
        """Deploy to the same emulator with `cdk deploy`."""
        words = ["deploy", catalog.section(self._id).stack_id, "--context", f"section={self._id}", *self._context]
        options = ["--app", "python app.py", "--require-approval", "never"]
        output = ["--output", str(self._bench.folder / "deploy")]
        self._bench.cdk(*words, *options, *output, environment=self._bench.lab.environment)

    @property
    def _context(self) -> list[str]:
        return ["--context", f"queue_name=Messages-{self._queues}"] if self._id == SECTION else []


class _Fitted:
    """A section of which the emulator does not know everything: by hand, one leaves that out, and deploys the rest."""

    def __init__(self, bench: Workbench, section_id: str) -> None:
        self._bench = bench
        self._id = section_id

    def lab_up(self) -> None:
        """Synthesize, leave out, deploy."""
        self._bench.run_lab("up", self._id)

    def cdk_deploy(self) -> float:
        """Measure the CDK CLI alone, which synthesizes too, and deploys what `lab up` once left in."""
        environment, fitted = self._bench.lab.environment, str(self._fitted)
        synth = ["synth", "--quiet", "--context", f"section={self._id}", "--output", str(self._bench.folder / self._id)]
        deploy = ["deploy", catalog.section(self._id).stack_id, "--app", fitted, "--require-approval", "never"]
        return seconds(lambda: [self._bench.cdk(*words, environment=environment) for words in (synth, deploy)])

    @cached_property
    def _fitted(self) -> Path:
        self.lab_up()
        left = self._bench.lab_home / "assembly-local-fitted"
        return shutil.copytree(left, self._bench.folder / f"{self._id}-fitted")
