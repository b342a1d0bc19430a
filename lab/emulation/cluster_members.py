"""The instances of an Aurora cluster: one of them writes.

MiniStack makes a writer of every instance that a template has, so that no failover finds a reader; and when the writer
is deleted, none takes over.

Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.AuroraHighAvailability.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import rds
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = [
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS",
    "ministack.services.rds._clusters",
    "ministack.services.rds._instances",
]
_INSTANCE = "AWS::RDS::DBInstance"


def extend() -> None:
    """Settle who writes after an instance was made, and before one is gone."""
    handlers = provisioners._RESOURCE_HANDLERS[_INSTANCE]
    handlers |= {"create": _settled_after(handlers["create"]), "delete": _settled_before(handlers["delete"])}


def _settled_after(create: Callable[..., Any]) -> Callable[..., Any]:
    def create_settled(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        made = create(logical_id, properties, stack)
        _settle(properties.get("DBClusterIdentifier"))
        return made

    return create_settled


def _settled_before(delete: Callable[..., Any]) -> Callable[..., Any]:
    def delete_settled(identifier: str, properties: dict[str, Any]) -> None:
        cluster = rds._instances.get(identifier, {}).get("DBClusterIdentifier")
        delete(identifier, properties)
        _settle(cluster)

    return delete_settled


def _settle(identifier: str | None) -> None:
    """Leave one writer: the first that is one, or where there is none the instance of the lowest promotion tier."""
    members = rds._clusters.get(identifier, {}).get("DBClusterMembers", [])
    writers = [member for member in members if member["IsClusterWriter"]]
    writer = next(iter(writers), None) or min(members, key=lambda one: one["PromotionTier"], default=None)
    for member in members:
        member["IsClusterWriter"] = member is writer
