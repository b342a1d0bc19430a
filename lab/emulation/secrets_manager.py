"""A secret's ``Ref`` in CloudFormation: its ARN, as on AWS, so that the policies which CDK writes with it permit it.

MiniStack answers the secret's name, and a role's policy with a name for a resource permits nothing. It leaves a secret
empty whose template asks for a generated one with nothing but defaults, as the CDK does.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
"""

from __future__ import annotations

from typing import Any

from ministack.services.cloudformation import provisioners

_DEFAULT_LENGTH = 32

HOOKS = [
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS",
    "ministack.services.cloudformation.provisioners._sm_secret_create(logical_id, props, stack_name)",
    "ministack.services.cloudformation.provisioners._sm_secret_update"
    "(physical_id, old_props, new_props, stack_name, logical_id)",
    "ministack.services.cloudformation.provisioners._sm_secret_delete(physical_id, props)",
]


def extend() -> None:
    """Make the ARN the secret's physical id."""
    provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"] |= {
        "create": _create,
        "update": _update,
        "delete": _delete,
    }


def _create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    _, attributes = provisioners._sm_secret_create(logical_id, _generated(properties), stack)
    return attributes["Arn"], attributes


def _update(
    arn: str, old: dict[str, Any], new: dict[str, Any], stack: str, logical_id: str
) -> tuple[str, dict[str, str]]:
    _, attributes = provisioners._sm_secret_update(_name(arn), _generated(old), _generated(new), stack, logical_id)
    return attributes["Arn"], attributes


def _delete(arn: str, properties: dict[str, Any]) -> None:
    provisioners._sm_secret_delete(_name(arn), properties)


def _generated(properties: dict[str, Any]) -> dict[str, Any]:
    """Ask for a generated secret with what is AWS's default where a template asks for one and says no more."""
    if properties.get("GenerateSecretString") == {}:
        return {**properties, "GenerateSecretString": {"PasswordLength": _DEFAULT_LENGTH}}
    return properties


def _name(arn: str) -> str:
    return arn.split(":secret:")[1].rpartition("-")[0]
