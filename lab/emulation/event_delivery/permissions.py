"""Whether a rule or a schedule may send to its target: by the target's resource policy, or by the role that it has.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html,
https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack.core import iam_evaluator
from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge, iam

from lab.emulation.event_delivery.delivery import DeliveryError

if TYPE_CHECKING:
    from lab.emulation.event_delivery.delivery import Delivery

HOOKS = [
    "ministack.core.arn.ArnParseError",
    "ministack.core.arn.parse_arn(value)",
    "ministack.core.iam_evaluator.EvalContext",
    "ministack.core.iam_evaluator._gather_role_policies(role_name, account_id)",
    "ministack.core.iam_evaluator._resource_policy(service, resource_arn)",
    "ministack.core.iam_evaluator.evaluate(ctx, policies, limits)",
    "ministack.core.iam_evaluator.evaluate_resource_policy(doc, ctx, service, named_only, direct_only)",
    "ministack.core.responses.get_account_id()",
    "ministack.core.responses.get_region()",
    "ministack.services.eventbridge._api_destinations",
    "ministack.services.eventbridge._event_buses",
    "ministack.services.iam._roles",
]
# What a role must permit for each kind of target; a resource policy speaks of the first alone.
_ACTIONS = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage", "sns": "sns:Publish"}


def require_target(delivery: Delivery) -> None:
    """Find out whether the target exists, and whether it may be sent to.

    :raises DeliveryError: when it must not be tried.
    """
    arn = str(delivery.target.get("Arn", ""))
    try:
        spec = parse_arn(arn)
    except ArnParseError:
        raise DeliveryError("INVALID_PARAMETER", f"{arn} is not an ARN.") from None
    if spec.service == "events":
        kind, _, rest = spec.resource.partition("/")
        known = eventbridge._event_buses if kind == "event-bus" else eventbridge._api_destinations
        if rest.split("/")[0] not in known:
            raise DeliveryError("NO_RESOURCE", f"{arn} does not exist.")
        if "RoleArn" in delivery.target:
            action = "events:PutEvents" if kind == "event-bus" else "events:InvokeApiDestination"
            _require_role_permits(delivery, action, arn)
    elif spec.service in _ACTIONS:
        policy = iam_evaluator._resource_policy(spec.service, arn)
        if policy is None:
            raise DeliveryError("NO_RESOURCE", f"{arn} does not exist.")
        if "RoleArn" in delivery.target:
            _require_role_permits(delivery, _ACTIONS[spec.service], arn)
        else:
            _require_policy_permits(delivery, _ACTIONS[spec.service], arn, policy[0])


def require_dead_letter_permission(delivery: Delivery, arn: str, policy: Any) -> None:
    """Find out whether the dead-letter queue with this policy may be sent to.

    :raises DeliveryError: when it may not.
    """
    # Whatever role a rule's target has, a rule's dead letters need the queue's policy.
    if delivery.is_scheduled:
        _require_role_permits(delivery, "sqs:SendMessage", arn)
    else:
        _require_policy_permits(delivery, "sqs:SendMessage", arn, policy)


def _require_policy_permits(delivery: Delivery, action: str, arn: str, policy: Any) -> None:
    if not _policy_permits(delivery, action, arn, policy):
        raise DeliveryError("NO_PERMISSIONS", f"The resource policy of {arn} does not permit {delivery.service}.")


def _policy_permits(delivery: Delivery, action: str, arn: str, policy: Any) -> bool:
    context = _evaluation(delivery, "*", "Service", action, arn)
    decision = iam_evaluator.evaluate_resource_policy(policy, context, service=delivery.service).decision
    return bool(decision == "Allow")


def _require_role_permits(delivery: Delivery, action: str, arn: str) -> None:
    role_arn = delivery.target["RoleArn"]
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    role = iam._roles.get_scoped(account, None, name)
    trust = role["AssumeRolePolicyDocument"] if role else {}
    if not _policy_permits(delivery, "sts:AssumeRole", "*", with_resource(trust)):
        raise DeliveryError("FAILED_TO_ASSUME_ROLE", f"{delivery.service} may not assume {role_arn}.")
    context = _evaluation(delivery, role_arn, "AssumedRole", action, arn)
    decision = iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(name, account)).decision
    if decision != "Allow":
        raise DeliveryError("NO_PERMISSIONS", f"{role_arn} does not permit {action} on {arn}.")


def with_resource(trust: str | dict[str, Any]) -> dict[str, Any]:
    """Give a trust policy the resource that other policies have, and that it does not need."""
    document: dict[str, Any] = json.loads(trust) if isinstance(trust, str) else trust
    statements = document.get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    return {"Statement": [{"Resource": "*", **statement} for statement in statements]}


def _evaluation(delivery: Delivery, principal: str, kind: str, action: str, arn: str) -> Any:
    source = {"aws:sourcearn": delivery.source_arn, "aws:sourceaccount": get_account_id()}
    return iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type=kind,
        principal_account="" if kind == "Service" else get_account_id(),
        action=action,
        resource_arn=arn,
        region=get_region(),
        service_context=source if kind == "Service" else {},
    )
