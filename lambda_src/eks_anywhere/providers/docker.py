"""Docker: a cluster of containers on one machine, for development and trying things out, never for production."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambda_src.eks_anywhere.providers import Provider


@dataclass(frozen=True, kw_only=True)
class Docker(Provider):
    """The Docker of the machine that ``eksctl anywhere`` runs on; it needs no description of machines.

    Source: https://anywhere.eks.amazonaws.com/docs/getting-started/docker/
    """

    kind: ClassVar[str] = "DockerDatacenterConfig"
