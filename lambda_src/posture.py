"""How much a deployment is worth: one value that an app hands to its stacks, and they to the blocks."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

# The catalog names the postures to programs that have no need to load the CDK.
if TYPE_CHECKING:
    from aws_cdk import RemovalPolicy
    from aws_cdk import aws_logs as logs


class Posture(Enum):
    """What happens to data and logs, and what they cost.

    ``LAB`` is cheap, and deletes its data with its stack; only buckets have to be emptied first, which AWS
    CloudFormation does not do. ``PRODUCTION`` keeps data when its stack is deleted, refuses to delete it by accident,
    can restore it to any second, and keeps logs for a year.
    """

    LAB = "lab"
    PRODUCTION = "production"

    @property
    def protects_data(self) -> bool:
        """Whether data is protected from deletion and can be restored to a point in time."""
        return self is Posture.PRODUCTION

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What happens to data when its stack is deleted; a creation that fails leaves nothing in either posture."""
        from aws_cdk import RemovalPolicy  # noqa: PLC0415

        return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if self.protects_data else RemovalPolicy.DESTROY

    @property
    def log_retention(self) -> logs.RetentionDays:
        """How long logs are kept: a week, or a year."""
        from aws_cdk import aws_logs as logs  # noqa: PLC0415

        return logs.RetentionDays.ONE_YEAR if self.protects_data else logs.RetentionDays.ONE_WEEK
