"""Fargate: what of the service the emulator's control plane keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.runbook import Evidence, Runbook

if TYPE_CHECKING:
    from lab.deployment import Deployment

runbook = Runbook()


@runbook.check("The service has as many tasks as it was asked for", evidence=Evidence.CONTROL_PLANE_ONLY)
def service_is_there(deployed: Deployment) -> str:
    """The service as Amazon ECS describes it."""
    service = _service(deployed)
    assert service["status"] == "ACTIVE", service["status"]
    assert service["desiredCount"] == 2, f"{service['desiredCount']} tasks desired"
    breaker = service["deploymentConfiguration"]["deploymentCircuitBreaker"]
    assert (breaker["enable"], breaker["rollback"]) == (True, True), f"circuit breaker: {breaker}"
    return f"{service['desiredCount']} tasks desired, circuit breaker with rollback"


@runbook.check("Tasks are in private subnets, and have no public address", evidence=Evidence.CONTROL_PLANE_ONLY)
def tasks_are_private(deployed: Deployment) -> str:
    """The service's network configuration, and the subnets that it names."""
    network = _service(deployed)["networkConfiguration"]["awsvpcConfiguration"]
    assert network["assignPublicIp"] == "DISABLED", f"public addresses: {network['assignPublicIp']}"
    subnets = deployed.client("ec2").describe_subnets(SubnetIds=network["subnets"])["Subnets"]
    public = [subnet["SubnetId"] for subnet in subnets if subnet["MapPublicIpOnLaunch"]]
    assert not public, f"subnets that give public addresses: {public}"
    return f"{len(subnets)} subnets, {len({subnet['AvailabilityZone'] for subnet in subnets})} zones"


def _service(deployed: Deployment) -> dict[str, Any]:
    [service] = deployed.client("ecs").describe_services(
        cluster=deployed.output("ClusterName"), services=[deployed.output("ServiceName")]
    )["services"]
    found: dict[str, Any] = service
    return found
