"""The roles of a task: what starts it does so with the execution role, and what runs in it has the task role."""

from __future__ import annotations

import secrets
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.services import iam, sts

from lab.emulation.event_delivery.permissions import with_resource

HOOKS = [
    "ministack.core.iam_evaluator.EvalContext",
    "ministack.core.iam_evaluator._gather_role_policies(role_name, account_id)",
    "ministack.core.iam_evaluator.evaluate(ctx, policies, limits)",
    "ministack.core.iam_evaluator.evaluate_resource_policy(doc, ctx, service, named_only, direct_only)",
    "ministack.core.responses.get_region()",
    "ministack.services.iam._roles",
    "ministack.services.sts.register_session(access_key, session)",
]
_SERVICE = "ecs-tasks.amazonaws.com"


class RoleError(Exception):
    """A role does not exist, does not trust Amazon ECS, or does not permit what is needed; the message says which."""


def require(role_arn: str, action: str, resource: str, *, task_arn: str) -> None:
    """Make sure that the role permits ``action`` on ``resource``.

    :raises RoleError: when it does not, or when Amazon ECS may not assume it for this task.
    """
    account, name = _assumed(role_arn, task_arn)
    context = _evaluation(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
    )
    if iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(name, account)).decision != "Allow":
        raise RoleError(
            f"AccessDeniedException: {role_arn} is not authorized to perform: {action} on resource: {resource}"
        )


def credentials(role_arn: str, *, task_arn: str) -> dict[str, str]:
    """Begin a session with the role, which its policies bind; return it as an SDK reads it from its environment.

    :raises RoleError: when Amazon ECS may not assume the role for this task.
    """
    account, name = _assumed(role_arn, task_arn)
    session = task_arn.rpartition("/")[2]
    access_key, secret_key, token = f"ASIA{secrets.token_hex(8).upper()}", secrets.token_hex(20), secrets.token_hex(32)
    sts.register_session(
        access_key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
            "UserId": f"{name}:{session}",
            "SecretAccessKey": secret_key,
            "SessionToken": token,
        },
    )
    return {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key, "AWS_SESSION_TOKEN": token}


def _assumed(role_arn: str, task_arn: str) -> tuple[str, str]:
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    role = iam._roles.get_scoped(account, None, name)
    context = _evaluation(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="sts:AssumeRole",
        resource_arn="*",
        service_context={"aws:sourceaccount": account, "aws:sourcearn": task_arn},
    )
    trust = with_resource(role["AssumeRolePolicyDocument"] if role else {})
    if iam_evaluator.evaluate_resource_policy(trust, context, service=_SERVICE).decision != "Allow":
        raise RoleError(f"ECS was unable to assume the role '{role_arn}' that was provided for this task.")
    return account, name


def _evaluation(**who_does_what: Any) -> Any:
    return iam_evaluator.EvalContext(region=get_region(), **who_does_what)
