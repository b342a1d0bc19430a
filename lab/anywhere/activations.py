"""Activations of AWS Systems Manager: what a host registers with, for how many hosts, and until when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from lab.errors import LabError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lab.deployment import Deployment

_MOST_HOSTS = 1000
_LONGEST = timedelta(days=30)
_SHORTEST = timedelta(minutes=5)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_TEXT = r"[\w .:/=+@-]*"
#: So that the hosts of this section can be told from others; a host has its activation's tags.
_TAGS = {"project": "serverless-lab", "section": "ecs-anywhere"}


@dataclass(frozen=True)
class Activation:
    """An activation without its code, which is nowhere but in a file of its own."""

    id: str
    region: str
    cluster: str
    expires: datetime
    limit: int
    registered: int = 0
    name: str = ""

    @property
    def expired(self) -> bool:
        """Whether no host can register with it any more."""
        return datetime.now(timezone.utc) >= self.expires

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {
            "activation_id": self.id,
            "region": self.region,
            "cluster": self.cluster,
            "name": self.name,
            "expires": self.expires.isoformat(),
            "expired": self.expired,
            "limit": self.limit,
            "registered": self.registered,
        }


def lifetime(text: str) -> timedelta:
    """Read how long an activation is good for, such as ``90m``, ``24h`` or ``7d``.

    :raises UsageError: naming the shortest and the longest.
    """
    read = re.fullmatch(r"(\d{1,6})([mhd])", text)
    duration = timedelta(**{_UNITS[read[2]]: int(read[1])}) if read else timedelta()
    if not _SHORTEST <= duration <= _LONGEST:
        raise UsageError(f"--expires {text}: 5m to 30d, such as 24h.")
    return duration


def tags(pairs: Iterable[str]) -> dict[str, str]:
    """Read tags of the form NAME=VALUE.

    :raises UsageError: naming the one that is none.
    """
    read = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals) or re.fullmatch(_TEXT, pair) is None or len(name) > 128 or len(value) > 256:
            raise UsageError(f"--tag {pair}: a tag is written NAME=VALUE, of letters, digits, spaces and .:/=+@_-.")
        read[name] = value
    return read


def create(
    deployed: Deployment, *, count: int, lasts: timedelta, name: str, extra_tags: Mapping[str, str]
) -> tuple[Activation, str]:
    """Make an activation for ``count`` hosts of the section's cluster; return it, and its code.

    :raises UsageError: for a count or a name that AWS does not take.
    :raises LabError: where Amazon ECS Anywhere is not offered.
    """
    if not 1 <= count <= _MOST_HOSTS:
        raise UsageError(f"--count {count}: 1 to {_MOST_HOSTS:,} hosts.")
    if len(name) > 256 or re.fullmatch(_TEXT, name) is None:
        raise UsageError(f"--name {name}: up to 256 letters, digits, spaces and .:/=+@_-.")
    client = deployed.client("ssm")
    region = client.meta.region_name
    if region.startswith("cn-"):
        raise LabError(f"Amazon ECS Anywhere is not offered in {region}: deploy the section in another region.")
    expires = (datetime.now(timezone.utc) + lasts).replace(microsecond=0)
    cluster = deployed.output("ClusterName")
    made = client.create_activation(
        Description=f"Hosts of the cluster {cluster}"[:256],
        DefaultInstanceName=name,
        IamRole=deployed.output("RoleName"),
        RegistrationLimit=count,
        ExpirationDate=expires,
        Tags=[{"Key": key, "Value": value} for key, value in {**_TAGS, **extra_tags}.items()],
    )
    activation = Activation(made["ActivationId"], region, cluster, expires, count, name=name)
    return activation, str(made["ActivationCode"])


def of_section(deployed: Deployment) -> list[Activation]:
    """List the activations that are for the section's role, the oldest first."""
    client = deployed.client("ssm")
    pages = client.get_paginator("describe_activations").paginate(
        Filters=[{"FilterKey": "IamRole", "FilterValues": [deployed.output("RoleName")]}]
    )
    # AWS promises no order, and none across pages.
    found = sorted((one for page in pages for one in page["ActivationList"]), key=itemgetter("CreatedDate"))
    return [
        Activation(
            one["ActivationId"],
            client.meta.region_name,
            deployed.output("ClusterName"),
            one["ExpirationDate"],
            one["RegistrationLimit"],
            one["RegistrationsCount"],
            one.get("DefaultInstanceName", ""),
        )
        for one in found
    ]


def delete(deployed: Deployment, activation_id: str) -> None:
    """End an activation; the hosts that registered with it stay registered.

    :raises UsageError: when it is none of the section's.
    """
    if activation_id not in {activation.id for activation in of_section(deployed)}:
        raise UsageError(f"There is no activation {activation_id}: `lab anywhere list` names those that there are.")
    deployed.client("ssm").delete_activation(ActivationId=activation_id)
