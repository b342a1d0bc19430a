"""What each version of Aurora's engines can do, from the tables of its user guide."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from aws_cdk import aws_rds as rds

if TYPE_CHECKING:
    from collections.abc import Mapping

POSTGRESQL = "aurora-postgresql"
MYSQL = "aurora-mysql"
#: The newest that has long been in use, and the major version of the PostgreSQL that runs locally.
DEFAULT_ENGINE = rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_18_4)


class Feature(Enum):
    """What came with some version, and how an error speaks of it."""

    SERVERLESS = "Aurora Serverless v2"
    MAXIMUM_256 = "a maximum above 128 ACUs"
    AUTO_PAUSE = "a minimum of 0 ACUs"
    DATA_API = "the Data API"


# The first version with the feature: of each major version of PostgreSQL where the earlier minor ones lack it (every
# later major version has it), and of Aurora MySQL.
_SINCE: Mapping[str, Mapping[Feature, tuple[tuple[int, ...], ...]]] = {
    POSTGRESQL: {
        Feature.SERVERLESS: ((13, 6), (14, 3), (15, 2), (16, 1)),
        Feature.MAXIMUM_256: ((13, 13), (14, 10), (15, 5), (16, 1)),
        Feature.AUTO_PAUSE: ((13, 15), (14, 12), (15, 7), (16, 3)),
        Feature.DATA_API: ((13, 11), (14, 8), (15, 3), (16, 1)),
    },
    MYSQL: {
        Feature.SERVERLESS: ((3, 2),),
        Feature.MAXIMUM_256: ((3, 6),),
        Feature.AUTO_PAUSE: ((3, 8),),
        Feature.DATA_API: ((3, 7),),
    },
}
# The first refuses a connection without TLS; the others write the logs that are exported.
_PARAMETERS = {
    POSTGRESQL: {"rds.force_ssl": "1"},
    MYSQL: {
        "require_secure_transport": "ON",
        "server_audit_events": "CONNECT",
        "server_audit_logging": "1",
        "slow_query_log": "1",
    },
}
_LOGS = {POSTGRESQL: ("postgresql",), MYSQL: ("audit", "error", "slowquery")}


@dataclass(frozen=True)
class Engine:
    """An engine and its version, such as ``aurora-postgresql`` (17, 7) and ``aurora-mysql`` (3, 10, 1)."""

    type: str
    version: tuple[int, ...]

    @classmethod
    def of(cls, engine: rds.IClusterEngine) -> Engine:
        """Read the engine of the CDK; the version of Aurora MySQL is that of Aurora, behind MySQL's own."""
        full = engine.engine_version.full_version if engine.engine_version else None
        numbers = re.match(r"[\d.]*\d", (full or "").rpartition("mysql_aurora.")[2])
        return cls(engine.engine_type, tuple(map(int, numbers[0].split("."))) if numbers else ())

    def __str__(self) -> str:
        """Write it as an error does."""
        return f"{self.type} {'.'.join(map(str, self.version)) or 'of no version'}"

    @property
    def is_known(self) -> bool:
        """Whether it is one of Aurora's, with a version."""
        return self.type in _SINCE and bool(self.version)

    def has(self, feature: Feature) -> bool:
        """Say whether this version has the feature."""
        since = _SINCE[self.type][feature]
        same_major = [first for first in since if first[0] == self.version[0]]
        return self.version >= same_major[0] if same_major else self.version > since[-1]

    def first_with(self, feature: Feature) -> str:
        """Say which versions have the feature."""
        versions = [".".join(map(str, version)) for version in _SINCE[self.type][feature]]
        return f"{feature.value} came with {', '.join(versions)}, and every later version has it"

    @property
    def parameters(self) -> Mapping[str, str]:
        """The parameters with which it refuses a connection without TLS, and writes its logs."""
        return _PARAMETERS[self.type]

    def logs(self, *, pauses: bool) -> list[str]:
        """Name its logs that are worth keeping; that of an instance says why it could not pause."""
        return [*_LOGS[self.type], *(["instance"] if pauses else [])]
