"""EventBridge: what the template and the service's API say of buses, rules, targets and the schedule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.runbook import Evidence, NotMadeError, Runbook

if TYPE_CHECKING:
    from lab.deployment import Deployment

#: Part of the section's runbook.
runbook = Runbook()


@runbook.check("Every target has a dead-letter queue and a retry policy", evidence=Evidence.TEMPLATE)
def targets_are_reliable(deployed: Deployment) -> str:
    """Those of the rules, and the schedule's."""
    rules = _resources(deployed, "AWS::Events::Rule")
    targets = [(name, target) for name, rule in rules.items() for target in rule["Targets"]]
    targets += [(name, made["Target"]) for name, made in _resources(deployed, "AWS::Scheduler::Schedule").items()]
    bare = [name for name, target in targets if not {"DeadLetterConfig", "RetryPolicy"} <= set(target)]
    assert not bare, f"without: {', '.join(bare)}"
    return f"{len(targets)} of {len(targets)} targets"


@runbook.check("The buses take events from no other account", evidence=Evidence.TEMPLATE)
def buses_keep_strangers_out(deployed: Deployment) -> str:
    """Every statement of a bus policy names this account, or asks for the organization."""
    policies = _resources(deployed, "AWS::Events::EventBusPolicy").values()
    statements = [policy.get("Statement") or policy for policy in policies]
    if not statements:
        raise NotMadeError("The buses have no policy, and so take events from their own account alone.")
    account = deployed.client("sts").get_caller_identity()["Account"]
    strangers = [
        statement
        for statement in statements
        if statement.get("Effect", "Allow") == "Allow"
        and not any(name in json.dumps(statement.get("Principal")) for name in ("AWS::AccountId", account))
        and "aws:PrincipalOrgID" not in json.dumps(statement.get("Condition", {}))
    ]
    assert not strangers, f"open to others: {strangers}"
    return f"{len(statements)} of {len(statements)} statements name who may put events"


@runbook.check("The buses are set to log what fails", evidence=Evidence.CONTROL_PLANE_ONLY)
def buses_log(deployed: Deployment) -> str:
    """The level is the bus's own setting."""
    levels = {
        bus: deployed.client("events").describe_event_bus(Name=bus).get("LogConfig", {}).get("Level", "OFF")
        for bus in (deployed.output("BusName"), deployed.output("AuditBusName"))
    }
    assert "OFF" not in levels.values(), f"levels: {levels}"
    return ", ".join(f"{bus}: {level}" for bus, level in levels.items())


@runbook.check("Buses and rules are tagged", evidence=Evidence.CONTROL_PLANE_ONLY)
def everything_is_tagged(deployed: Deployment) -> str:
    """The chapter's step 4: "You need to tag everything"."""
    client = deployed.client("events")
    buses = [client.describe_event_bus(Name=deployed.output(name))["Arn"] for name in ("BusName", "AuditBusName")]
    rules = [
        rule["Arn"]
        for bus in ("default", deployed.output("BusName"), deployed.output("AuditBusName"))
        for rule in client.list_rules(EventBusName=bus, NamePrefix=deployed.section.stack_id)["Rules"]
    ]
    untagged = [
        arn
        for arn in [*buses, *rules]
        if "section" not in {tag["Key"] for tag in client.list_tags_for_resource(ResourceARN=arn)["Tags"]}
    ]
    assert rules, "there are no rules"
    assert not untagged, f"without tags: {', '.join(untagged)}"
    return f"{len(buses)} buses, {len(rules)} rules"


@runbook.check("The topic sends email", evidence=Evidence.CONTROL_PLANE_ONLY)
def topic_sends_email(deployed: Deployment) -> str:
    """An address is given by context; who has it must confirm it by a link."""
    subscriptions = deployed.client("sns").list_subscriptions_by_topic(TopicArn=deployed.output("TopicArn"))
    addresses = [one["Endpoint"] for one in subscriptions["Subscriptions"] if one["Protocol"] == "email"]
    if not addresses:
        raise NotMadeError("Deployed without an address: `-c email=you@example.com` subscribes it.")
    return f"{len(addresses)} subscribed"


@runbook.check("The schedule has a time zone and a flexible window", evidence=Evidence.TEMPLATE)
def schedule_has_a_time_zone(deployed: Deployment) -> str:
    """The emulator's schedules know neither."""
    [schedule] = _resources(deployed, "AWS::Scheduler::Schedule").values()
    window = schedule["FlexibleTimeWindow"]
    assert window["Mode"] == "FLEXIBLE", f"the window is {window['Mode']}"
    assert schedule.get("ScheduleExpressionTimezone"), "it has no time zone"
    minutes = window["MaximumWindowInMinutes"]
    return f"{schedule['ScheduleExpression']}, {schedule['ScheduleExpressionTimezone']}, within {minutes} min"


def _resources(deployed: Deployment, kind: str) -> dict[str, dict[str, Any]]:
    resources = deployed.template()["Resources"].items()
    return {name: resource["Properties"] for name, resource in resources if resource["Type"] == kind}
