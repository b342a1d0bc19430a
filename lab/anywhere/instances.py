"""Hosts as AWS sees them: managed instances of Systems Manager, and container instances of the section's cluster."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lab.errors import LabError, UsageError
from lab.runbook import wait_for

if TYPE_CHECKING:
    from lab.deployment import Deployment

_MOST_A_CALL = 100
_DRAIN_SECONDS = 120


@dataclass(frozen=True)
class Host:
    """One host, with what each of the two services knows of it; ``-`` where it does not know the host."""

    instance_id: str
    name: str = "-"
    ping: str = "-"
    activation_id: str = "-"
    container_instance: str = ""
    status: str = "-"
    connected: bool = False
    tasks: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return asdict(self)


def of_section(deployed: Deployment) -> list[Host]:
    """List the hosts that have the section's role, or are in its cluster."""
    hosts: dict[str, dict[str, Any]] = {}
    pages = (
        deployed.client("ssm")
        .get_paginator("describe_instance_information")
        .paginate(Filters=[{"Key": "IamRole", "Values": [deployed.output("RoleName")]}])
    )
    for page in pages:
        for one in page["InstanceInformationList"]:
            hosts[one["InstanceId"]] = {
                "name": one.get("Name") or one.get("ComputerName") or "-",
                "ping": one["PingStatus"],
                "activation_id": one.get("ActivationId", "-"),
            }
    for one in _container_instances(deployed):
        hosts.setdefault(one["ec2InstanceId"], {}).update(
            container_instance=one["containerInstanceArn"],
            status=one["status"],
            connected=one["agentConnected"],
            tasks=one["runningTasksCount"] + one["pendingTasksCount"],
        )
    return [Host(instance_id, **known) for instance_id, known in sorted(hosts.items())]


def find(deployed: Deployment, instance_id: str) -> Host:
    """Find one host.

    :raises UsageError: when there is none of that id.
    """
    for host in of_section(deployed):
        if host.instance_id == instance_id:
            return host
    raise UsageError(f"There is no host {instance_id}: `lab anywhere list` names those that there are.")


def deregister(deployed: Deployment, host: Host, *, force: bool) -> None:
    """Take a host out of the cluster, and then out of Systems Manager.

    :param force: do not wait for its tasks to end: they run on, and nobody looks after them.
    :raises LabError: when its tasks do not end.
    """
    ecs, cluster = deployed.client("ecs"), deployed.output("ClusterName")
    if host.container_instance:
        if host.tasks and not force:
            ecs.update_container_instances_state(
                cluster=cluster, containerInstances=[host.container_instance], status="DRAINING"
            )
            if not wait_for(lambda: _tasks(deployed, host) == 0, seconds=_DRAIN_SECONDS):
                raise LabError(
                    f"{host.instance_id} still runs tasks after {_DRAIN_SECONDS} s, and takes no new ones: try again "
                    "later, or say --force to leave them to themselves."
                )
        ecs.deregister_container_instance(cluster=cluster, containerInstance=host.container_instance, force=force)
    if host.ping != "-":
        deployed.client("ssm").deregister_managed_instance(InstanceId=host.instance_id)


def _tasks(deployed: Deployment, host: Host) -> int:
    return find(deployed, host.instance_id).tasks


def _container_instances(deployed: Deployment) -> list[dict[str, Any]]:
    client, cluster = deployed.client("ecs"), deployed.output("ClusterName")
    pages = client.get_paginator("list_container_instances").paginate(cluster=cluster)
    arns = [arn for page in pages for arn in page["containerInstanceArns"]]
    described: list[dict[str, Any]] = []
    for start in range(0, len(arns), _MOST_A_CALL):
        answer = client.describe_container_instances(
            cluster=cluster, containerInstances=arns[start : start + _MOST_A_CALL]
        )
        described += answer["containerInstances"]
    return described
