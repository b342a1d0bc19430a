"""A role that is made for a while is gone afterwards, whatever went wrong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from lab.temporary_role import role_with

if TYPE_CHECKING:
    from lab.deployment import Deployment

RIGHTS = [("rds-data:ExecuteStatement", "*")]


def clients() -> tuple[Deployment, Mock]:
    """Make stand-ins for IAM and STS; IAM is as strict as the real one about a policy that is not there."""
    policies: set[str] = set()
    iam, sts = Mock(), Mock()
    sts.get_caller_identity.return_value = {"Account": "111122223333"}
    sts.assume_role.return_value = {
        "Credentials": {"AccessKeyId": "A", "SecretAccessKey": "B", "SessionToken": "C"},
    }
    iam.create_role.return_value = {"Role": {"Arn": "arn:aws:iam::111122223333:role/lab"}}
    iam.put_role_policy.side_effect = lambda **request: policies.add(request["PolicyName"])

    def delete_role_policy(**request: str) -> None:
        if request["PolicyName"] not in policies:
            raise refused("NoSuchEntity")
        policies.remove(request["PolicyName"])

    iam.delete_role_policy.side_effect = delete_role_policy
    client = {"iam": iam, "sts": sts}.__getitem__
    return cast("Deployment", SimpleNamespace(client=client, section=SimpleNamespace(id="aurora"))), iam


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "AnOperation")


def test_rights_that_are_refused_are_said_to_be_and_leave_no_role() -> None:
    deployed, iam = clients()
    iam.put_role_policy.side_effect = refused("AccessDenied")

    with pytest.raises(ClientError, match="AccessDenied"), role_with(deployed, RIGHTS):
        pytest.fail("there is no such role")

    iam.delete_role.assert_called_once()


def test_the_rights_go_before_the_role() -> None:
    deployed, iam = clients()

    with role_with(deployed, RIGHTS) as credentials:
        assert credentials["aws_access_key_id"] == "A"
        assert not iam.delete_role.called

    assert [name for name, _, _ in iam.mock_calls][-2:] == ["delete_role_policy", "delete_role"]


def test_a_role_without_rights_has_none_to_remove() -> None:
    deployed, iam = clients()

    with role_with(deployed, []):
        pass

    assert [name for name, _, _ in iam.mock_calls] == ["create_role", "delete_role"]
