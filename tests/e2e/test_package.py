"""Another CDK app installs the package and imports a block."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APP = """
import aws_cdk as cdk
from lambda_src.function.construct import PythonFunction
from lambda_src.queue_worker import RUNTIME
from lambda_src.queue_worker.construct import QueueWorker

app = cdk.App()
stack = cdk.Stack(app, "Theirs")
consumer = PythonFunction(stack, "Consumer", runtime_code=RUNTIME, environment={"TABLE_NAME": "Theirs"})
QueueWorker(stack, "Worker", function=consumer)
app.synth()
"""


def test_a_block_works_from_an_installed_package(tmp_path: Path) -> None:
    installed = tmp_path / "site-packages"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*install, "--target", installed, ROOT], check=True)
    for package in ("lambda_src", "lab_stacks", "lab"):
        assert (installed / package / "py.typed").is_file()

    (tmp_path / "app.py").write_text(APP)
    environ = {**os.environ, "PYTHONPATH": str(installed), "CDK_OUTDIR": str(tmp_path / "cdk.out")}
    code = "import lambda_src, runpy; print(lambda_src.__file__); runpy.run_path('app.py')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installed)), "it took the checkout's, not the installed package"
    assert (tmp_path / "cdk.out" / "Theirs.template.json").is_file()
