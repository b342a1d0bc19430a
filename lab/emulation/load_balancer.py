"""Application Load Balancers whose address leads to them, and which share requests out in turn.

MiniStack gives a load balancer an address of AWS's, where a request would leave this machine, and takes a target at
random. What is registered as a target is an address that containers have among themselves; not every engine lets this
machine reach it, so the port that is published on loopback is asked instead.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any

from ministack.services import alb
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOOKS = [
    "ministack.services.alb._forward_to_tg"
    "(tg_arn, method, path, headers, body, query_params, raw_query_string, raw_path)",
    "ministack.services.alb._lbs",
    "ministack.services.alb._proxy_http_target"
    "(target, tg, method, path, headers, body, query_params, raw_query_string)",
    "ministack.services.alb._targets",
    "ministack.services.alb._tgs",
    "ministack.services.alb.find_lb_for_host(host)",
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS",
]
_TYPE = "AWS::ElasticLoadBalancingV2::LoadBalancer"
#: The port of loopback behind which a container's address and port are.
published: dict[tuple[str, int], int] = {}
_turns: dict[str, Iterator[int]] = {}

Made = tuple[str, dict[str, Any]]


def extend() -> None:
    """Give load balancers an address on this machine, and their targets turns."""
    handlers = provisioners._RESOURCE_HANDLERS[_TYPE]
    handlers["create"] = _with_address(handlers["create"])
    alb._forward_to_tg = _in_turn(alb._forward_to_tg)


def _with_address(create: Callable[..., Made]) -> Callable[..., Made]:
    def create_load_balancer(*args: Any) -> Made:
        arn, attributes = create(*args)
        # Programs resolve every name under localhost to this machine, and MiniStack knows its load balancers by it.
        address = f"{attributes['LoadBalancerName']}.alb.localhost:{os.environ['GATEWAY_PORT']}"
        alb._lbs[arn]["DNSName"] = attributes["DNSName"] = address
        return arn, attributes

    return create_load_balancer


def _in_turn(forward: Callable[..., Any]) -> Callable[..., Any]:
    async def forward_to_target_group(arn: str, *request: Any) -> Any:
        group, targets = alb._tgs.get(arn), alb._targets.get(arn)
        if not group or not targets or group.get("TargetType") not in {"ip", "instance"}:
            return await forward(arn, *request)
        method, path, headers, body, query, raw_query, raw_path = request
        turn = next(_turns.setdefault(arn, itertools.count()))
        target = _reachable(targets[turn % len(targets)], group)
        return await alb._proxy_http_target(target, group, method, raw_path or path, headers, body, query, raw_query)

    return forward_to_target_group


def _reachable(target: dict[str, Any], group: dict[str, Any]) -> dict[str, Any]:
    port = published.get((str(target["Id"]), int(target.get("Port") or group.get("Port") or 80)))
    return {"Id": "127.0.0.1", "Port": port} if port else target
