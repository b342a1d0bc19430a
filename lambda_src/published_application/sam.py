"""Turns a CloudFormation template that the CDK synthesized into a SAM template that can be published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lambda_src.published_application.table import one_region_table

if TYPE_CHECKING:
    from collections.abc import Mapping

# What the CDK adds for its own bootstrapping, and an account that has none would lack.
_OF_THE_CDK = {"Parameters": "BootstrapVersion", "Rules": "CheckBootstrapVersion"}
_BOOTSTRAP_BUCKET = "cdk-hnb659fds-assets-"


class NotPublishableError(ValueError):
    """A resource needs what only the account has that the CDK deploys to."""


def sam_template(template: Mapping[str, Any], metadata: Mapping[str, Any], code: Mapping[str, str]) -> dict[str, Any]:
    """Write ``template`` as a SAM template.

    Functions become ``AWS::Serverless::Function``: the repository copies the code that their ``CodeUri`` names, and
    knows nothing of the code of a raw function, which would stay behind in the publisher's bucket. A table of one
    region becomes ``AWS::DynamoDB::Table``, which is on the repository's list of types.

    :param template: as the CDK synthesized it.
    :param metadata: what the repository shows of the application, by the names of SAM.
    :param code: the folder of each asset, by the name that the template has for it.
    :raises NotPublishableError: naming every resource that needs something else of the CDK's own bucket.

    Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
    """
    kept = {section: dict(part) if isinstance(part, dict) else part for section, part in template.items()}
    for section, name in _OF_THE_CDK.items():
        kept.get(section, {}).pop(name, None)
    resources = {
        logical_id: _resource(resource, template["Resources"], code)
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] != "AWS::CDK::Metadata"
    }
    left = [logical_id for logical_id, made in resources.items() if _BOOTSTRAP_BUCKET in json.dumps(made)]
    if left:
        raise NotPublishableError(
            f"{', '.join(left)}: only a function's code can be published, and this needs an asset of the CDK's bucket"
        )
    kept = {section: part for section, part in kept.items() if part}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Description": metadata["Description"],
        "Metadata": {**kept.pop("Metadata", {}), "AWS::ServerlessRepo::Application": dict(metadata)},
        **{section: part for section, part in kept.items() if section not in {"Description", "Resources"}},
        "Resources": resources,
    }


def _resource(resource: Mapping[str, Any], all_of_them: Mapping[str, Any], code: Mapping[str, str]) -> dict[str, Any]:
    made = dict(resource)
    noted = {name: value for name, value in made.pop("Metadata", {}).items() if not name.startswith("aws:")}
    if noted:
        made["Metadata"] = noted
    key = made.get("Properties", {}).get("Code", {}).get("S3Key") if made["Type"] == "AWS::Lambda::Function" else None
    if isinstance(key, str) and key in code:
        made |= {"Type": "AWS::Serverless::Function", "Properties": _function(made["Properties"], all_of_them)}
        made["Properties"]["CodeUri"] = code[key]
    if made["Type"] == "AWS::DynamoDB::GlobalTable" and (table := one_region_table(made["Properties"])):
        made |= {"Type": "AWS::DynamoDB::Table", "Properties": table}
    return made


def _function(properties: Mapping[str, Any], all_of_them: Mapping[str, Any]) -> dict[str, Any]:
    """Write a function's properties by the names that SAM has for them."""
    made = {name: value for name, value in properties.items() if name != "Code"}
    if "TracingConfig" in made:
        made["Tracing"] = made.pop("TracingConfig")["Mode"]
    if "Tags" in made:
        made["Tags"] = {tag["Key"]: tag["Value"] for tag in made["Tags"]}
    if "DeadLetterConfig" in made:
        target = made.pop("DeadLetterConfig")["TargetArn"]
        named = (target.get("Ref") or target.get("Fn::GetAtt", [""])[0]) if isinstance(target, dict) else ""
        topic = all_of_them.get(named, {}).get("Type") == "AWS::SNS::Topic" or ":sns:" in str(target)
        made["DeadLetterQueue"] = {"Type": "SNS" if topic else "SQS", "TargetArn": target}
    return made
