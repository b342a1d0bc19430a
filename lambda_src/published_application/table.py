"""Writes a DynamoDB table of one region by the type that the repository takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAME = {
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "SSESpecification",
    "StreamSpecification",
    "TableName",
    "TimeToLiveSpecification",
    "WarmThroughput",
}
_SAME_OF_A_REPLICA = {
    "ContributorInsightsSpecification",
    "DeletionProtectionEnabled",
    "KinesisStreamSpecification",
    "PointInTimeRecoverySpecification",
    "ResourcePolicy",
    "TableClass",
    "Tags",
}
_SAME_OF_AN_INDEX = {"IndexName", "KeySchema", "Projection", "WarmThroughput"}
_LIMITS = ("WriteOnDemandThroughputSettings", "ReadOnDemandThroughputSettings")


def one_region_table(properties: Mapping[str, Any]) -> dict[str, Any] | None:
    """Write the properties of an ``AWS::DynamoDB::GlobalTable`` as those of an ``AWS::DynamoDB::Table``.

    The CDK's ``TableV2`` makes the former also for a table that is in no other region. None: it has replicas in
    others, or a property that the latter has no name for.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
    """
    replicas = properties.get("Replicas")
    indexes = properties.get("GlobalSecondaryIndexes", [])
    # A condition in place of either says something else of each region.
    if not isinstance(replicas, list) or len(replicas) != 1 or not isinstance(indexes, list):
        return None
    of_all = {name: value for name, value in properties.items() if name != "Replicas"}
    of_one = {name: value for name, value in replicas[0].items() if name != "Region"}
    limits = {unit: most for part in (of_all, of_one) for name in _LIMITS for unit, most in part.pop(name, {}).items()}
    key = of_one.pop("SSESpecification", {})
    unlike = [
        of_all.keys() - _SAME,
        of_one.keys() - _SAME_OF_A_REPLICA,
        *(index.keys() - _SAME_OF_AN_INDEX for index in indexes),
    ]
    if any(unlike):
        return None
    made = {**of_all, **of_one}
    if limits:
        made["OnDemandThroughput"] = limits
    if key:
        made["SSESpecification"] = {**of_all.get("SSESpecification", {}), **key}
    return made
