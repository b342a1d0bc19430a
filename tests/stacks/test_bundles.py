"""What a function imports is in its own bundle or in AWS Lambda's Python runtime, and nowhere else."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as assets

from lab.project import python_of
from lambda_src.bundling import bundle_options

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stacks.synthesis import Synthesized

IMPORT = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
getattr(importlib.import_module(sys.argv[2]), sys.argv[3])
"""


def functions(synthesized: Synthesized) -> list[dict[str, Any]]:
    resources = synthesized.template["Resources"].values()
    found = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::Lambda::Function"]
    return [function for function in found if "S3Key" in function["Code"]]


def bundle(synthesized: Synthesized, function: dict[str, Any]) -> Path:
    files = json.loads((synthesized.assembly / f"{synthesized.stack.artifact_id}.assets.json").read_text())["files"]
    return synthesized.assembly / str(files[function["Code"]["S3Key"].removesuffix(".zip")]["source"]["path"])


def import_handler(folder: Path, function: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    module, name = function["Handler"].rsplit(".", 1)
    # Values that only the deployment knows are texts all the same.
    variables = {key: str(value) for key, value in function.get("Environment", {}).get("Variables", {}).items()}
    return subprocess.run(
        [python_of("lambda-runtime"), "-I", "-c", IMPORT, folder, module, name],
        env={**variables, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_handler_imports_with_its_bundle_and_boto3_alone(synthesized: Synthesized) -> None:
    for function in functions(synthesized):
        imported = import_handler(bundle(synthesized, function), function)
        assert imported.returncode == 0, imported.stderr


@pytest.mark.parametrize(
    ("architecture", "machine"),
    [(lambda_.Architecture.ARM_64, "aarch64"), (lambda_.Architecture.X86_64, "x86_64")],
    ids=["arm64", "x86_64"],
)
def test_compiled_code_is_for_the_functions_machine(
    tmp_path: Path, architecture: lambda_.Architecture, machine: str
) -> None:
    package = tmp_path / "runtime"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "requirements.txt").write_text("markupsafe==3.0.3\n")
    app = cdk.App(outdir=str(tmp_path / "cdk.out"))
    assets.Asset(
        cdk.Stack(app, "Compiled"), "Code", **bundle_options(package, python="3.14", architecture=architecture)
    )
    app.synth()

    compiled = [path.name for path in (tmp_path / "cdk.out").rglob("*.so")]
    assert compiled
    assert all("314" in name and machine in name for name in compiled), compiled


def package(folder: Path, name: str, requirements: str = "") -> Path:
    """Make a package with nothing in it."""
    made = folder / name
    made.mkdir(parents=True)
    (made / "__init__.py").touch()
    (made / "requirements.txt").write_text(requirements)
    return made


def bundled(folder: Path, source: Path, shared: list[Path]) -> Path:
    """Bundle, as the synthesis of an app does that has nothing else."""
    app = cdk.App(outdir=str(folder))
    options = bundle_options(source, python="3.14", architecture=lambda_.Architecture.ARM_64, shared=shared)
    assets.Asset(cdk.Stack(app, "Shared"), "Code", **options)
    app.synth()
    [made] = folder.glob("asset.*")
    return made


def test_a_shared_package_is_beside_the_code_with_what_it_requires(tmp_path: Path) -> None:
    source, shared = package(tmp_path, "runtime"), package(tmp_path, "shared", "six==1.17.0\n")

    made = bundled(tmp_path / "cdk.out", source, [shared])

    names = {path.name for path in made.iterdir()}
    assert {"runtime", "shared", "six.py"} <= names


def test_an_edited_shared_package_is_another_asset(tmp_path: Path) -> None:
    source, shared = package(tmp_path, "runtime"), package(tmp_path, "shared")
    before = bundled(tmp_path / "before", source, [shared]).name

    again = bundled(tmp_path / "again", source, [shared]).name
    (shared / "__init__.py").write_text("EDITED = True\n")
    after = bundled(tmp_path / "after", source, [shared]).name

    assert before == again != after


def test_packages_that_pin_a_dependency_to_different_versions_are_refused_by_name(tmp_path: Path) -> None:
    source, shared = package(tmp_path, "runtime", "six==1.16.0\n"), package(tmp_path, "shared", "six==1.17.0\n")

    with pytest.raises(
        RuntimeError, match=r"runtime/requirements\.txt and .*shared/requirements\.txt cannot be installed"
    ):
        bundled(tmp_path / "cdk.out", source, [shared])


def test_packages_of_one_name_are_refused(tmp_path: Path) -> None:
    source, shared = package(tmp_path / "a", "runtime"), package(tmp_path / "b", "runtime")

    with pytest.raises(ValueError, match="two packages of its bundle have one name: runtime, runtime"):
        bundle_options(source, python="3.14", architecture=lambda_.Architecture.ARM_64, shared=[shared])


def test_the_instances_command_imports_with_its_bundle_alone(synthesized: Synthesized) -> None:
    senders = [path.parents[1] for path in synthesized.assembly.glob("asset.*/runtime/send_message.py")]
    assert len(senders) == ("ClientInstanceId" in synthesized.template["Outputs"])
    for folder in senders:
        code = "import sys; sys.path[:] = [sys.argv[1], *[p for p in sys.path if 'site-packages' not in p]]; "
        started = subprocess.run(
            [sys.executable, "-I", "-c", code + "from runtime.send_message import main; main(['--help'])", folder],
            capture_output=True,
            text=True,
            check=False,
        )
        assert started.returncode == 0, started.stderr
        assert "--queue-name" in started.stdout


def test_a_package_that_only_the_emulator_has_is_missed(tmp_path: Path) -> None:
    (tmp_path / "forgetful.py").write_text("import hypercorn\n\ndef handler(event, context): ...\n")
    imported = import_handler(tmp_path, {"Handler": "forgetful.handler", "Environment": {"Variables": {}}})
    assert "No module named 'hypercorn'" in imported.stderr
    has_it = [python_of("emulator"), "-c", "import hypercorn"]
    assert subprocess.run(has_it, check=False).returncode == 0
