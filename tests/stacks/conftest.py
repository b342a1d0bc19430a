"""One synthesis of each form of a section, which serves all tests of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest

from tests.stacks.synthesis import CONTEXT, FORMS, Form, OnDemand, Synthesized, synthesize_form

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def synthesized_forms() -> dict[Form, Synthesized]:
    """Every form, synthesized when it is first asked for: each process tests some of the sections."""
    return OnDemand(synthesize_form)


@pytest.fixture(params=FORMS, ids=str)
def form(request: pytest.FixtureRequest) -> Form:
    chosen: Form = request.param
    return chosen


@pytest.fixture
def synthesized(form: Form, synthesized_forms: dict[Form, Synthesized]) -> Synthesized:
    return synthesized_forms[form]


@pytest.fixture
def template(synthesized: Synthesized) -> dict[str, Any]:
    return synthesized.template


@pytest.fixture
def stack() -> cdk.Stack:
    """An empty stack, as in an app of somebody who imports a block."""
    return cdk.Stack(cdk.App(context=CONTEXT, analytics_reporting=False), "Empty")


@pytest.fixture(scope="session")
def runtime_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A function's code with no dependencies, so that bundling it takes no time."""
    folder = tmp_path_factory.mktemp("code") / "runtime"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "handler.py").write_text("def handler(event, context): ...\n")
    return folder
