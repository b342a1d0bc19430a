"""Groups and sampling rules with their tags, and the setting for encryption."""

from __future__ import annotations

import secrets
import string
import time
from typing import TYPE_CHECKING, Any

from lab.isolation import ACCOUNT, REGION
from lab.xray.parameters import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.xray.store import Store

#: The group of all traces, and the rule for what no other rule is for: both are there from the beginning.
DEFAULT = "Default"
_MOST = 25
_MOST_TAGS = 50
_ARN = f"arn:aws:xray:{REGION}:{ACCOUNT}"
_NO_INSIGHTS = {"InsightsEnabled": False, "NotificationsEnabled": False}
_DEFAULT_GROUP = {
    "GroupName": DEFAULT,
    "GroupARN": f"{_ARN}:group/{DEFAULT}",
    "InsightsConfiguration": _NO_INSIGHTS,
}
# One request a second, and five percent of the others.
_DEFAULT_RULE = {
    "RuleName": DEFAULT,
    "RuleARN": f"{_ARN}:sampling-rule/{DEFAULT}",
    "ResourceARN": "*",
    "Priority": 10_000,
    "FixedRate": 0.05,
    "ReservoirSize": 1,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "*",
    "Version": 1,
    "Attributes": {},
}


class Groups:
    """Groups of traces, each with a filter expression.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-groups.html
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[dict[str, Any]]:
        """List all groups."""
        return list({DEFAULT: _DEFAULT_GROUP, **self._store.resources("group")}.values())

    def get(self, name: str | None, arn: str | None) -> dict[str, Any]:
        """Find a group by its name or its ARN.

        :raises ApiError: when there is none.
        """
        if (name is None) == (arn is None):
            raise ApiError("Name the group by GroupName or by GroupARN: one of the two.")
        for group in self.all():
            if name == group["GroupName"] or arn == group["GroupARN"]:
                return group
        raise ApiError(f"There is no group {name or arn}.")

    def create(self, name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Make a group."""
        groups = self.all()
        if any(group["GroupName"] == name for group in groups):
            raise ApiError(f"There is a group {name} already.")
        if len(groups) > _MOST:
            raise ApiError(f"There are {_MOST} groups already: delete one first.")
        unique = "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(52))
        return self._put({"GroupName": name, "GroupARN": f"{_ARN}:group/{name}/{unique}"}, properties)

    def update(self, group: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
        """Change a group."""
        if group["GroupName"] == DEFAULT and "FilterExpression" in properties:
            raise ApiError("The group Default has all traces: its filter expression cannot be changed.")
        return self._put(group, properties)

    def delete(self, group: Mapping[str, Any]) -> None:
        """Delete a group."""
        if group["GroupName"] == DEFAULT:
            raise ApiError("The group Default cannot be deleted.")
        self._store.remove_resource("group", group["GroupName"])
        self._store.remove_resource("tags", group["GroupARN"])

    def _put(self, group: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
        insights = {
            **_NO_INSIGHTS,
            **group.get("InsightsConfiguration", {}),
            **properties.get("InsightsConfiguration", {}),
        }
        if insights["NotificationsEnabled"] and not insights["InsightsEnabled"]:
            raise ApiError("InsightsConfiguration.NotificationsEnabled needs InsightsEnabled.")
        changed = {**group, **properties, "InsightsConfiguration": insights}
        self._store.put_resource("group", group["GroupName"], changed)
        return changed


class SamplingRules:
    """Which requests are traced.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-configuration.html#xray-api-configuration-sampling
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[dict[str, Any]]:
        """List the records of all rules, in the order in which they are asked."""
        default = {"SamplingRule": _DEFAULT_RULE, "CreatedAt": 0.0, "ModifiedAt": 0.0}
        records = {DEFAULT: default, **self._store.resources("sampling-rule")}
        return sorted(records.values(), key=lambda record: record["SamplingRule"]["Priority"])

    def get(self, name: str | None, arn: str | None) -> dict[str, Any]:
        """Find a rule by its name or its ARN.

        :raises ApiError: when there is none.
        """
        if (name is None) == (arn is None):
            raise ApiError("Name the sampling rule by RuleName or by RuleARN: one of the two.")
        for record in self.all():
            if name == record["SamplingRule"]["RuleName"] or arn == record["SamplingRule"]["RuleARN"]:
                return record
        raise ApiError(f"There is no sampling rule {name or arn}.")

    def create(self, rule: Mapping[str, Any]) -> dict[str, Any]:
        """Make a rule."""
        name = rule.get("RuleName")
        if name is None:
            raise ApiError("SamplingRule.RuleName is missing: it is required.")
        if "RuleARN" in rule:
            raise ApiError("SamplingRule.RuleARN is X-Ray's to give: leave it out.")
        rules = self.all()
        if any(record["SamplingRule"]["RuleName"] == name for record in rules):
            raise ApiError(f"There is a sampling rule {name} already.")
        if len(rules) > _MOST:
            raise ApiError(f"There are {_MOST} sampling rules already.", "RuleLimitExceededException")
        now = time.time()
        complete = {"Attributes": {}, **rule, "RuleARN": f"{_ARN}:sampling-rule/{name}"}
        return self._put({"SamplingRule": complete, "CreatedAt": now, "ModifiedAt": now})

    def update(self, record: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change a rule; of the default one only how many requests it samples."""
        rule = record["SamplingRule"]
        fixed = sorted(changes.keys() - {"FixedRate", "ReservoirSize"}) if rule["RuleName"] == DEFAULT else []
        if fixed:
            raise ApiError(f"Of the sampling rule Default, {', '.join(fixed)} cannot be changed.")
        return self._put({**record, "SamplingRule": {**rule, **changes}, "ModifiedAt": time.time()})

    def delete(self, record: Mapping[str, Any]) -> None:
        """Delete a rule."""
        rule = record["SamplingRule"]
        if rule["RuleName"] == DEFAULT:
            raise ApiError("The sampling rule Default cannot be deleted.")
        self._store.remove_resource("sampling-rule", rule["RuleName"])
        self._store.remove_resource("tags", rule["RuleARN"])

    def _put(self, record: dict[str, Any]) -> dict[str, Any]:
        self._store.put_resource("sampling-rule", record["SamplingRule"]["RuleName"], record)
        return record


class Tags:
    """The tags of groups and sampling rules."""

    def __init__(self, store: Store, groups: Groups, rules: SamplingRules) -> None:
        self._store = store
        self._groups = groups
        self._rules = rules

    def of(self, arn: str) -> dict[str, str]:
        """List the tags of a resource.

        :raises ApiError: when there is no such resource.
        """
        known = {group["GroupARN"] for group in self._groups.all()}
        known |= {record["SamplingRule"]["RuleARN"] for record in self._rules.all()}
        if arn not in known:
            raise ApiError(f"There is no resource {arn}.", "ResourceNotFoundException", 404)
        return self._store.resources("tags").get(arn, {})

    def add(self, arn: str, tags: Mapping[str, str]) -> None:
        """Give a resource tags, or other values to those that it has."""
        changed = {**self.of(arn), **tags}
        check_tags(changed)
        self._store.put_resource("tags", arn, changed)

    def remove(self, arn: str, names: list[str]) -> None:
        """Take tags from a resource."""
        left = {name: value for name, value in self.of(arn).items() if name not in names}
        self._store.put_resource("tags", arn, left)


class Encryption:
    """Which key would encrypt the traces: on this machine they are as safe as its other files.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-encryption.html
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self) -> dict[str, Any]:
        """Return the configuration; there is no key as long as nobody names one."""
        return self._store.resources("encryption").get(DEFAULT, {"Type": "NONE", "Status": "ACTIVE"})

    def put(self, kind: str, key: str | None) -> dict[str, Any]:
        """Name a key, or give it up; AWS takes some minutes, in which the status is ``UPDATING``."""
        if (kind == "KMS") != (key is not None):
            raise ApiError("KeyId goes with the type KMS, and with no other.")
        changed = {"Type": kind, "Status": "ACTIVE", **({"KeyId": key} if key else {})}
        self._store.put_resource("encryption", DEFAULT, changed)
        return changed


def check_tags(tags: Mapping[str, str]) -> None:
    """Refuse tags that no resource can have."""
    if len(tags) > _MOST_TAGS:
        raise ApiError(f"There would be {len(tags)} tags: {_MOST_TAGS} at most.", "TooManyTagsException")
    if any(name.lower().startswith("aws:") for name in tags):
        raise ApiError("Names of tags that begin with aws: are AWS's own.")
