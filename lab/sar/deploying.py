"""Deploys a published application: a change set first, to look at, and what it makes only when somebody agreed."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, WaiterError

from lab.errors import LabError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_POLL = {"Delay": 1, "MaxAttempts": 900}
# What CloudFormation shows of a secret value.
_MASKED = "****"
# Stacks that have nothing yet, or nothing any more, and so no values to keep.
_EMPTY = {"REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"}
_REPLACED = {"True": "yes", "Conditional": "perhaps"}


@dataclass(frozen=True)
class Change:
    """What a deployment would do to one resource.

    ``replaced``: ``yes`` or ``perhaps`` where another one takes its place, without what is in it.
    """

    action: str
    resource_type: str
    logical_id: str
    replaced: str = ""


@dataclass(frozen=True)
class ChangeSet:
    """What a deployment would make, change and remove; nothing is made yet."""

    change_set_id: str
    stack_id: str
    changes: list[Change]

    @property
    def stack_name(self) -> str:
        """Name the stack."""
        return self.stack_id.split("/")[1]


def stack_of(application: Mapping[str, Any], name: str | None) -> str:
    """Name an application's stack, as the repository does it; ``name`` instead of the application's."""
    return f"serverlessrepo-{name or application['Name']}"


def deployed_values(cloudformation: Any, stack: str) -> dict[str, str]:
    """Read the values of a stack's parameters; a stack that is not there has none."""
    try:
        [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return {}
    if found["StackStatus"] in _EMPTY:
        return {}
    return {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])}


def values_of(application: Mapping[str, Any], given: list[str], deployed: Mapping[str, str]) -> dict[str, str]:
    """Read values for an application's parameters, each written NAME=VALUE; others stay as they are deployed.

    The repository would take the defaults for them: it has no way to say that a value stays.

    :raises UsageError: for a parameter that it does not have, for one without a value that it needs, and for a secret
        one that is deployed, whose value nobody can read.
    """
    declared = {one["Name"]: one for one in application["Version"]["ParameterDefinitions"]}
    values = {name: value for name, value in deployed.items() if name in declared}
    named = {text.partition("=")[0] for text in given}
    secret = [
        name
        for name, value in values.items()
        if name not in named and (declared[name].get("NoEcho") or value == _MASKED)
    ]
    if secret:
        raise UsageError(
            f"{', '.join(secret)} of {application['Name']} cannot be read from what is deployed, as it is secret: give "
            "it again, -p NAME=VALUE."
        )
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name not in declared:
            raise UsageError(
                f"-p {text}: written NAME=VALUE, with one of the application's parameters: "
                f"{', '.join(declared) or 'it has none'}."
            )
        values[name] = value
    missing = [name for name, one in declared.items() if "DefaultValue" not in one and name not in values]
    if missing:
        raise UsageError(f"{', '.join(missing)} of {application['Name']} need a value: -p NAME=VALUE.")
    return values


def change_set(
    repository: Any,
    cloudformation: Any,
    application: Mapping[str, Any],
    *,
    stack: str,
    values: Mapping[str, str],
    capabilities: list[str],
) -> ChangeSet:
    """Have the repository prepare the deployment, and wait until CloudFormation knows what it would do.

    :raises LabError: when CloudFormation refuses it, or when it would change nothing.
    """
    made = repository.create_cloud_formation_change_set(
        ApplicationId=application["ApplicationId"],
        SemanticVersion=application["Version"]["SemanticVersion"],
        StackName=stack,
        ChangeSetName=f"lab-{int(time.time() * 1000)}",
        Capabilities=capabilities,
        ParameterOverrides=[{"Name": name, "Value": value} for name, value in values.items()],
    )
    prepared = ChangeSet(made["ChangeSetId"], made["StackId"], [])
    try:
        _wait_for_creation(cloudformation, prepared)
        changes = _changes(cloudformation, prepared)
    except WaiterError as error:
        discard(cloudformation, prepared)
        answer = error.last_response
        reason = answer.get("StatusReason") if isinstance(answer, dict) else str(error)
        raise LabError(f"CloudFormation has nothing to deploy: {reason}") from None
    except BaseException:  # Ctrl-C too
        discard(cloudformation, prepared)
        raise
    return replace(prepared, changes=changes)


def _changes(cloudformation: Any, prepared: ChangeSet) -> list[Change]:
    pages = cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=prepared.change_set_id)
    changes = (one["ResourceChange"] for page in pages for one in page["Changes"] if "ResourceChange" in one)
    return [
        Change(
            one["Action"],
            one["ResourceType"],
            one["LogicalResourceId"],
            _REPLACED.get(one.get("Replacement", ""), ""),
        )
        for one in changes
    ]


def _wait_for_creation(cloudformation: Any, prepared: ChangeSet) -> None:
    waiter = cloudformation.get_waiter("change_set_create_complete")
    waiter.wait(ChangeSetName=prepared.change_set_id, WaiterConfig=_POLL)


def discard(cloudformation: Any, prepared: ChangeSet) -> None:
    """Remove a change set that nobody wants, and the stack that it was to make, which is still empty."""
    try:
        cloudformation.delete_change_set(ChangeSetName=prepared.change_set_id)
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidChangeSetStatus":
            raise
        # One that is still being made cannot be removed yet.
        with suppress(WaiterError):
            _wait_for_creation(cloudformation, prepared)
        cloudformation.delete_change_set(ChangeSetName=prepared.change_set_id)
    [stack] = cloudformation.describe_stacks(StackName=prepared.stack_id)["Stacks"]
    if stack["StackStatus"] == "REVIEW_IN_PROGRESS":
        cloudformation.delete_stack(StackName=prepared.stack_id)


def execute(cloudformation: Any, prepared: ChangeSet) -> dict[str, str]:
    """Deploy what a change set says, wait for it, and return the stack's outputs.

    :raises LabError: when the deployment fails, with the first reason.
    """
    [before] = cloudformation.describe_stacks(StackName=prepared.stack_id)["Stacks"]
    new = before["StackStatus"] == "REVIEW_IN_PROGRESS"
    cloudformation.execute_change_set(ChangeSetName=prepared.change_set_id)
    waiter = cloudformation.get_waiter("stack_create_complete" if new else "stack_update_complete")
    try:
        waiter.wait(StackName=prepared.stack_id, WaiterConfig=_POLL)
    except WaiterError:
        raise LabError(f"{prepared.stack_name} was not deployed: {_why(cloudformation, prepared.stack_id)}") from None
    [stack] = cloudformation.describe_stacks(StackName=prepared.stack_id)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}


def _why(cloudformation: Any, stack_id: str) -> str:
    events = cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"].endswith("_FAILED") and one.get("ResourceStatusReason")]
    first = failed[-1] if failed else None
    return f"{first['LogicalResourceId']}: {first['ResourceStatusReason']}" if first else "read its events."
