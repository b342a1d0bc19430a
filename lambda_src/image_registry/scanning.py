"""Which images of the registry are scanned, how deeply, and how often."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from aws_cdk import aws_ecr as ecr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from lambda_src.options import Options

_FILTER = re.compile(r"[a-z0-9*]([._\-/a-z0-9*]?[a-z0-9*]+)*")
_MOST_FILTERS = 100


class ScanType(Enum):
    """``BASIC`` looks at packages of the operating system; ``ENHANCED``, by Amazon Inspector, at those of languages.

    Inspector has a price for each image, and for each time that it looks again.
    """

    BASIC = "BASIC"
    ENHANCED = "ENHANCED"


@dataclass(frozen=True)
class Scanning:
    """Takes the place of what each repository says of scanning.

    :param scan_type: of all images of the registry.
    :param on_push: names of repositories whose images are scanned when they are pushed, with ``*`` for any text; a name
        without one stands for every name that has it in it. Up to 100; by default all repositories.
    :param continuously: the same, for images that are scanned again whenever a new vulnerability is known; with
        ``ENHANCED`` alone.
    """

    scan_type: ScanType
    on_push: Sequence[str] = ("*",)
    continuously: Sequence[str] = ()

    def check(self, options: Options) -> None:
        """Note what AWS would refuse."""
        for name, filters in (("on_push", self.on_push), ("continuously", self.continuously)):
            option = f"scanning.{name}"
            options.require(len(filters) <= _MOST_FILTERS, option, f"{len(filters)} names", f"{_MOST_FILTERS} at most")
            for one in filters:
                fits = len(one) <= 255 and _FILTER.fullmatch(one) is not None
                options.require(fits, option, one, "up to 255 lower case letters, digits, and any of ._-/*")
        enhanced = self.scan_type is ScanType.ENHANCED
        options.require(
            enhanced or not self.continuously,
            "scanning.continuously",
            ", ".join(self.continuously),
            "basic scanning looks once; say ScanType.ENHANCED, or leave it out",
        )

    def make(self, scope: Construct) -> ecr.CfnRegistryScanningConfiguration:
        """Make the registry's setting."""
        frequencies = {"SCAN_ON_PUSH": self.on_push, "CONTINUOUS_SCAN": self.continuously}
        return ecr.CfnRegistryScanningConfiguration(
            scope,
            "Scanning",
            scan_type=self.scan_type.value,
            rules=[
                ecr.CfnRegistryScanningConfiguration.ScanningRuleProperty(
                    scan_frequency=frequency,
                    repository_filters=[
                        ecr.CfnRegistryScanningConfiguration.RepositoryFilterProperty(
                            filter=one, filter_type="WILDCARD"
                        )
                        for one in filters
                    ],
                )
                for frequency, filters in frequencies.items()
                if filters
            ],
        )
