"""What tells AWS Fargate where the logs of its pods go.

Source: https://docs.aws.amazon.com/eks/latest/userguide/fargate-logging.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cdk8s
import cdk8s_plus_35 as kplus

if TYPE_CHECKING:
    from constructs import Construct

# The names that AWS looks for.
_NAMESPACE, _CONFIG_MAP = "aws-observability", "aws-logging"


@dataclass(frozen=True)
class FargateLogs:
    """A log group that exists, and its region."""

    log_group_name: str
    region: str


def add_fargate_logs(scope: Construct, logs: FargateLogs) -> None:
    """Add the namespace and the config map that the Fluent Bit of AWS Fargate reads."""
    kplus.Namespace(
        scope,
        "observability",
        metadata=cdk8s.ApiObjectMetadata(name=_NAMESPACE, labels={_NAMESPACE: "enabled"}),
    )
    output = {
        "Name": "cloudwatch_logs",
        "Match": "*",
        "region": logs.region,
        "log_group_name": logs.log_group_name,
        "log_stream_prefix": "pods-",
        # The stack made it, with its retention.
        "auto_create_group": "false",
    }
    lines = "\n".join(f"    {name} {value}" for name, value in output.items())
    kplus.ConfigMap(
        scope,
        "logging",
        metadata=cdk8s.ApiObjectMetadata(name=_CONFIG_MAP, namespace=_NAMESPACE),
        data={"output.conf": f"[OUTPUT]\n{lines}\n"},
    )
