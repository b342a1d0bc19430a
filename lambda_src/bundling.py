"""Bundles Python code with its dependencies for the machine that will run it, with no Docker."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsii
import uv
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

# Amazon Linux 2023, which Lambda's Python runtimes and our instances run, has glibc 2.34.
_PLATFORMS = {"arm64": "aarch64-manylinux_2_34", "x86_64": "x86_64-manylinux_2_34"}
_NOT_CODE = ["__pycache__", "*.pyc"]


def bundle_options(source: Path, *, python: str, architecture: lambda_.Architecture) -> dict[str, Any]:
    """Describe an asset: the package ``source`` beside the packages of its ``requirements.txt``.

    The asset's hash comes from the sources and from how they are bundled, so a second synthesis bundles nothing.

    :param source: a folder that is a Python package, with a ``requirements.txt`` that pins every dependency.
    :param python: version of the Python that will run it, such as ``3.14``.
    :param architecture: of the machine that will run it; only wheels are installed, so nothing is compiled here.
    :raises ValueError: when the folder is not a package, or its requirements cannot be installed.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
    """
    if not (source / "__init__.py").is_file():
        raise ValueError(f"runtime code {source}: not a Python package, it has no __init__.py")
    install = ["--python-version", python, "--python-platform", _PLATFORMS[architecture.name]]
    return {
        "path": str(source),
        "exclude": _NOT_CODE,
        "asset_hash_type": AssetHashType.SOURCE,
        # The image is never pulled: it and the command only take part in the asset's hash.
        "bundling": BundlingOptions(
            image=DockerImage.from_registry("bundled-without-docker"), command=install, local=_Bundler(source, install)
        ),
    }


@jsii.implements(ILocalBundling)
class _Bundler:
    def __init__(self, source: Path, install: list[str]) -> None:
        self._source = source
        self._install = install

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        requirements = self._source / "requirements.txt"
        if requirements.is_file():
            installed = subprocess.run(
                [
                    *(uv.find_uv_bin(), "pip", "install", "--quiet", "--no-config", "--only-binary", ":all:"),
                    *("--python", sys.executable, "--target", output_dir, "--requirements", str(requirements)),
                    *self._install,
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            if installed.returncode:
                raise ValueError(f"{requirements} cannot be installed:\n{installed.stderr.strip()}")
        shutil.copytree(self._source, Path(output_dir) / self._source.name, ignore=shutil.ignore_patterns(*_NOT_CODE))
        return True
