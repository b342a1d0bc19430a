"""Bundles Python code with its dependencies for the machine that will run it, with no Docker."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsii
import uv
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, FileSystem, ILocalBundling
from aws_cdk import aws_lambda as lambda_

if TYPE_CHECKING:
    from collections.abc import Sequence

# Amazon Linux 2023, which Lambda's Python runtimes and our instances run, has glibc 2.34.
_PLATFORMS = {"arm64": "aarch64-manylinux_2_34", "x86_64": "x86_64-manylinux_2_34"}
_NOT_CODE = ["__pycache__", "*.pyc"]


def bundle_options(
    source: Path, *, python: str, architecture: lambda_.Architecture, shared: Sequence[Path] = ()
) -> dict[str, Any]:
    """Describe an asset: the package ``source`` and the ``shared`` ones, beside what their ``requirements.txt`` name.

    The asset's hash comes from the sources and from how they are bundled, so a second synthesis bundles nothing.

    :param source: a folder that is a Python package, with a ``requirements.txt`` that pins every dependency.
    :param python: version of the Python that will run it, such as ``3.14``.
    :param architecture: of the machine that will run it; only wheels are installed, so nothing is compiled here.
    :param shared: more such folders, of packages that several bundles hold. All requirements are installed together:
        two that pin one dependency to different versions exclude each other.
    :raises ValueError: when a folder is not a package, two have one name, or the requirements cannot be installed.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
    """
    packages = [source, *shared]
    for package in packages:
        if not (package / "__init__.py").is_file():
            raise ValueError(f"runtime code {package}: not a Python package, it has no __init__.py")
    names = [package.name for package in packages]
    if len(set(names)) < len(names):
        raise ValueError(f"runtime code {source}: two packages of its bundle have one name: {', '.join(names)}")
    install = ["--python-version", python, "--python-platform", _PLATFORMS[architecture.name]]
    # The CDK reads the sources of one folder for the hash.
    others = [FileSystem.fingerprint(str(package), exclude=_NOT_CODE) for package in shared]
    return {
        "path": str(source),
        "exclude": _NOT_CODE,
        "asset_hash_type": AssetHashType.SOURCE,
        # The image is never pulled: it and the command only take part in the asset's hash.
        "bundling": BundlingOptions(
            image=DockerImage.from_registry("bundled-without-docker"),
            command=[*install, *others],
            local=_Bundler(packages, install),
        ),
    }


@jsii.implements(ILocalBundling)
class _Bundler:
    def __init__(self, packages: list[Path], install: list[str]) -> None:
        self._packages = packages
        self._install = install

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        files = [file for package in self._packages if (file := package / "requirements.txt").is_file()]
        if files:
            installed = subprocess.run(
                [
                    *(uv.find_uv_bin(), "pip", "install", "--quiet", "--no-config", "--only-binary", ":all:"),
                    *("--python", sys.executable, "--target", output_dir),
                    *(word for file in files for word in ("--requirements", str(file))),
                    *self._install,
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            if installed.returncode:
                named = " and ".join(map(str, files))
                raise ValueError(f"{named} cannot be installed:\n{installed.stderr.strip()}")
        for package in self._packages:
            shutil.copytree(package, Path(output_dir) / package.name, ignore=shutil.ignore_patterns(*_NOT_CODE))
        return True
