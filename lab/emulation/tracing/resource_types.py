"""CloudFormation: X-Ray's groups and sampling rules, by the local X-Ray service's API, and the tracing of topics."""

from __future__ import annotations

from typing import Any

from ministack.services import sns
from ministack.services.cloudformation import provisioners, stacks

from lab.emulation.tracing import xray_api
from lab.emulation.tracing.hooks import wrap

_Made = tuple[str, dict[str, str]]
_GROUP, _RULE = "AWS::XRay::Group", "AWS::XRay::SamplingRule"


def extend() -> None:
    """Add the types, and what the type of topics leaves out."""
    handlers = provisioners._RESOURCE_HANDLERS
    handlers[_GROUP] = {"create": _create_group, "update": _update_group, "delete": _delete_group}
    handlers[_RULE] = {"create": _create_rule, "update": _update_rule, "delete": _delete_rule}
    handlers["AWS::SNS::Topic"] |= {"create": _create_topic, "update": _update_topic}
    provisioners._REPLACING_PROPERTIES[_GROUP] = ("GroupName",)
    # Ours wait for another process.
    wrap(stacks, "_runs_on_worker_thread", lambda waits, kind: kind in {_GROUP, _RULE} or waits(kind))


def _create_group(logical_id: str, properties: dict[str, Any], stack: str) -> _Made:
    given = {"GroupName": f"{stack}-{logical_id}"[:32], **_group(properties), **_tags(properties)}
    return _group_made(xray_api.call("CreateGroup", **given))


def _update_group(arn: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> _Made:  # noqa: ARG001
    changes = {name: value for name, value in _group(new).items() if name != "GroupName"}
    return _group_made(xray_api.call("UpdateGroup", GroupARN=arn, **changes))


def _delete_group(arn: str, properties: dict[str, Any]) -> None:  # noqa: ARG001
    xray_api.call("DeleteGroup", GroupARN=arn)


def _group(properties: dict[str, Any]) -> dict[str, Any]:
    group: dict[str, Any] = {
        name: properties[name]
        for name in ("GroupName", "FilterExpression", "InsightsConfiguration")
        if name in properties
    }
    insights = group.get("InsightsConfiguration")
    if insights:
        group["InsightsConfiguration"] = {name: str(on).lower() == "true" for name, on in insights.items()}
    return group


def _group_made(answer: dict[str, Any]) -> _Made:
    arn = answer["Group"]["GroupARN"]
    return arn, {"GroupARN": arn}


def _create_rule(logical_id: str, properties: dict[str, Any], stack: str) -> _Made:
    rule = {"RuleName": f"{stack}-{logical_id}"[:32], **_rule(properties)}
    return _rule_made(xray_api.call("CreateSamplingRule", SamplingRule=rule, **_tags(properties)))


def _update_rule(arn: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> _Made:  # noqa: ARG001
    fixed = ("RuleName", "Version")
    if any(_rule(old).get(name) != _rule(new).get(name) for name in fixed):
        # Another rule: the one before is deleted when the stack is updated.
        return _rule_made(xray_api.call("CreateSamplingRule", SamplingRule=_rule(new), **_tags(new)))
    changes = {name: value for name, value in _rule(new).items() if name not in fixed}
    return _rule_made(xray_api.call("UpdateSamplingRule", SamplingRuleUpdate={"RuleARN": arn, **changes}))


def _delete_rule(arn: str, properties: dict[str, Any]) -> None:  # noqa: ARG001
    xray_api.call("DeleteSamplingRule", RuleARN=arn)


def _rule(properties: dict[str, Any]) -> dict[str, Any]:
    """Take the rule with its numbers as numbers: a template may hold them as text."""
    rule = dict(properties["SamplingRule"])
    numbers = {"FixedRate": float, "Priority": int, "ReservoirSize": int, "Version": int}
    return {name: numbers.get(name, lambda value: value)(value) for name, value in rule.items()}


def _rule_made(answer: dict[str, Any]) -> _Made:
    arn = answer["SamplingRuleRecord"]["SamplingRule"]["RuleARN"]
    return arn, {"RuleARN": arn}


def _tags(properties: dict[str, Any]) -> dict[str, Any]:
    return {"Tags": properties["Tags"]} if properties.get("Tags") else {}


def _create_topic(logical_id: str, properties: dict[str, Any], stack: str) -> _Made:
    made: _Made = provisioners._sns_create(logical_id, properties, stack)
    return _with_tracing(made, properties)


def _update_topic(arn: str, old: dict[str, Any], new: dict[str, Any], stack: str, logical_id: str) -> _Made:
    made: _Made = provisioners._sns_update(arn, old, new, stack, logical_id)
    return _with_tracing(made, new)


def _with_tracing(made: _Made, properties: dict[str, Any]) -> _Made:
    sns._topics[made[0]]["attributes"]["TracingConfig"] = properties.get("TracingConfig", "PassThrough")
    return made
