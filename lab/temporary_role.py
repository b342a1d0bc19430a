"""A role with some rights and no others, for as long as something is tried with it."""

from __future__ import annotations

import json
import uuid
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.errors import LabError
from lab.runbook import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lab.deployment import Deployment

#: What may be done, and on what.
Right = tuple[str, str | list[str]]
_POLICY = "tried"


@contextmanager
def role_with(deployed: Deployment, rights: Sequence[Right]) -> Iterator[dict[str, Any]]:
    """Make a role with these rights, and give credentials of it, as boto3's clients and sessions take them.

    :raises LabError: when it cannot be assumed.
    """
    iam, sts, name = deployed.client("iam"), deployed.client("sts"), f"lab-{deployed.section.id}-{uuid.uuid4()}"
    account = sts.get_caller_identity()["Account"]
    trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy([trust]))["Role"]
    with ExitStack() as made:
        made.callback(iam.delete_role, RoleName=name)
        if rights:
            allowed = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in rights]
            iam.put_role_policy(RoleName=name, PolicyName=_POLICY, PolicyDocument=_policy(allowed))
            made.callback(iam.delete_role_policy, RoleName=name, PolicyName=_POLICY)
        yield _credentials(sts, role["Arn"])


def _credentials(sts: Any, role: str) -> dict[str, str]:
    """Assume a role that was just made, which AWS takes some seconds to know."""
    assumed: dict[str, str] = {}

    def is_known() -> bool:
        try:
            assumed.update(sts.assume_role(RoleArn=role, RoleSessionName="lab")["Credentials"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
        return bool(assumed)

    if not wait_for(is_known):
        raise LabError(f"{role} cannot be assumed after a minute: may your credentials assume roles?")
    return {
        "aws_access_key_id": assumed["AccessKeyId"],
        "aws_secret_access_key": assumed["SecretAccessKey"],
        "aws_session_token": assumed["SessionToken"],
    }


def _policy(statements: Sequence[Mapping[str, object]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
