"""Fargate: our image runs as two tasks behind a load balancer, and stays there whatever happens to one of them."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from lab import isolation
from lab.engine import containers, discovery, service
from lab.least_privilege import permits
from lab.runbook import Evidence, Exhibit, NotMadeError, Runbook, wait_for
from lab.target import TargetName

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.deployment import Deployment

runbook = Runbook()
_REQUESTS = 12
# AWS registers targets, and counts failures of tasks, in minutes.
_SECONDS = 900
_ANSWER_SECONDS = 10


@runbook.check("The service runs on Fargate, out of reach of the internet", evidence=Evidence.CONTROL_PLANE_ONLY)
def service_is_private(deployed: Deployment) -> str:
    """The tasks have no public address, and the load balancer is the way in."""
    described = _service(deployed)
    network = described["networkConfiguration"]["awsvpcConfiguration"]
    assert network.get("assignPublicIp", "DISABLED") == "DISABLED", "the tasks have public addresses"
    providers = {one["capacityProvider"] for one in described.get("capacityProviderStrategy", [])}
    launched = providers or {described.get("launchType", "")}
    assert launched <= {"FARGATE", "FARGATE_SPOT"}, f"it runs on {', '.join(sorted(launched))}"
    groups = described["loadBalancers"]
    assert groups, "no load balancer leads to it"
    return f"{described['desiredCount']} tasks on {', '.join(sorted(launched))} in {len(network['subnets'])} subnets"


@runbook.check("What runs the task and what runs in it have roles of their own", evidence=Evidence.CONTROL_PLANE_ONLY)
def roles_are_apart(deployed: Deployment) -> str:
    """The execution role reads the secret, and the task role does not."""
    definition = _definition(deployed)
    task, execution = definition["taskRoleArn"], definition["executionRoleArn"]
    assert task != execution, f"both are {task}"
    assert task == deployed.output("TaskRoleArn"), f"the task has {task}"
    secret = deployed.output("SecretArn")
    reads = {role: permits(deployed, role, "secretsmanager:GetSecretValue", secret) for role in (execution, task)}
    assert reads == {execution: True, task: False}, f"who may read the secret: {reads}"
    return f"{_name(task)} for the container, {_name(execution)} for what starts it"


@runbook.check("Every task is healthy", evidence=Evidence.REAL_CONTAINER)
def tasks_are_healthy(deployed: Deployment) -> str:
    """The health check of the task definition passes inside each container."""
    _require_containers(deployed)
    desired = _service(deployed)["desiredCount"]
    wait_for(lambda: [task["healthStatus"] for task in _tasks(deployed)] == ["HEALTHY"] * desired, seconds=_SECONDS)
    statuses = [task["healthStatus"] for task in _tasks(deployed)]
    assert statuses == ["HEALTHY"] * desired, f"of {desired} tasks: {', '.join(statuses) or 'none runs'}"
    return f"{desired} of {desired} tasks"


@runbook.check("Requests through the load balancer reach every task", evidence=Evidence.REAL_CONTAINER)
def every_task_answers(deployed: Deployment) -> str:
    """The page says which task answered."""
    _require_containers(deployed)
    running = {task["taskArn"].rpartition("/")[2] for task in _tasks(deployed)}
    answered: list[str] = []

    def all_answered() -> bool:
        answered.extend(_ask(deployed)["task"] for _ in range(_REQUESTS))
        return set(answered) >= running

    wait_for(all_answered, seconds=_ANSWER_SECONDS * _REQUESTS)
    silent = running - set(answered)
    assert not silent, f"of {len(answered)} requests none reached {', '.join(sorted(silent))}"
    shares = ", ".join(f"{answered.count(task)} by {task[:8]}" for task in sorted(running))
    return f"{len(answered)} requests answered: {shares}"


@runbook.check("The secret reaches the container, and nobody else", evidence=Evidence.REAL_CONTAINER)
def secret_reaches_the_container(deployed: Deployment) -> str:
    """The container proves that it knows the secret, with a hash of it and of a text that we choose."""
    _require_containers(deployed)
    secret = deployed.client("secretsmanager").get_secret_value(SecretId=deployed.output("SecretArn"))["SecretString"]
    assert secret, "the secret is empty"
    challenge = secrets.token_hex(16)
    answer = _ask(deployed, f"/?challenge={challenge}")
    expected = hashlib.sha256(f"{challenge}:{secret}".encode()).hexdigest()
    assert answer["proof"] == expected, "the container has another secret, or none"
    [container] = _definition(deployed)["containerDefinitions"][:1]
    assert secret not in json.dumps(container), "the secret stands in the task definition"
    return f"{len(secret)} characters, known to task {answer['task'][:8]}, and not in the task definition"


@runbook.check("Logs arrive in the log group", evidence=Evidence.REAL_CONTAINER)
def logs_arrive(deployed: Deployment) -> str:
    """A request leaves a line of JSON, in the stream of the task that answered it."""
    _require_containers(deployed)
    mark = f"/?mark={secrets.token_hex(8)}"
    task = _ask(deployed, mark)["task"]
    found: list[dict[str, Any]] = []

    def arrived() -> bool:
        found[:] = [one for one in _log(deployed) if mark in one["message"]]
        return bool(found)

    assert wait_for(arrived, seconds=_SECONDS), f"no line has {mark}"
    [line] = found
    assert json.loads(line["message"])["path"] == mark, f"the line is {line['message']}"
    assert line["logStreamName"].endswith(task), f"it is in the stream {line['logStreamName']}"
    return f"{line['logStreamName']}: {line['message']}"


@runbook.check("The container may do what its role permits, and no more", evidence=Evidence.REAL_CONTAINER)
def task_role_is_enforced(deployed: Deployment) -> str:
    """With the container's own credentials, the secret that its task was started with is out of reach."""
    if deployed.target.name is TargetName.AWS:
        raise NotMadeError("On AWS only the container has its credentials: `-c execute_command=enabled` opens a shell.")
    _require_containers(deployed)
    session = _session_of(_tasks(deployed)[0]["taskArn"])
    identity = session.client("sts").get_caller_identity()["Arn"]
    assert f"assumed-role/{_name(deployed.output('TaskRoleArn'))}/" in identity, f"it is {identity}"
    refused = {
        "secretsmanager:GetSecretValue": lambda: session.client("secretsmanager").get_secret_value(
            SecretId=deployed.output("SecretArn")
        ),
        "ecs:StopTask": lambda: session.client("ecs").stop_task(
            cluster=deployed.output("ClusterName"), task=_tasks(deployed)[0]["taskArn"]
        ),
    }
    for action, attempt in refused.items():
        code = _error_of(attempt)
        assert code in {"AccessDeniedException", "AccessDenied"}, f"{action} is {code or 'permitted'}"
    return f"{identity.rpartition('assumed-role/')[2].split('/')[0]}; refused: {', '.join(refused)}"


@runbook.check("A task that ends is replaced", evidence=Evidence.REAL_CONTAINER)
def task_is_replaced(deployed: Deployment) -> str:
    """Stop one task; the service starts another, and requests reach it."""
    _require_containers(deployed)
    before = {task["taskArn"] for task in _tasks(deployed)}
    gone = sorted(before)[0]
    started = time.monotonic()
    deployed.client("ecs").stop_task(cluster=deployed.output("ClusterName"), task=gone, reason="lab run fargate")

    def replaced() -> bool:
        tasks = _tasks(deployed)
        healthy = {task["taskArn"] for task in tasks if task["healthStatus"] == "HEALTHY"}
        return gone not in healthy and len(healthy) == len(before)

    assert wait_for(replaced, seconds=_SECONDS), f"{len(_tasks(deployed))} of {len(before)} tasks run"
    [new] = {task["taskArn"].rpartition("/")[2] for task in _tasks(deployed)} - {
        arn.rpartition("/")[2] for arn in before
    }
    answers = wait_for(lambda: _ask(deployed)["task"] == new, seconds=_SECONDS)
    assert answers, f"no request reaches {new}"
    return f"{gone.rpartition('/')[2][:8]} by {new[:8]} within {time.monotonic() - started:.1f} s"


@runbook.check("An image that is not there never takes the place of one that runs", evidence=Evidence.REAL_CONTAINER)
def bad_image_rolls_back(deployed: Deployment) -> str:
    """Deploy a tag that does not exist: the circuit breaker opens, and the tasks that ran go on."""
    _require_containers(deployed)
    ecs = deployed.client("ecs")
    where = {"cluster": deployed.output("ClusterName"), "service": deployed.output("ServiceName")}
    good = _service(deployed)["taskDefinition"]
    bad = _with_missing_image(ecs, good)
    failures = 0
    try:
        ecs.update_service(**where, taskDefinition=bad)
        deadline = time.monotonic() + _SECONDS
        while not _rolled_back(_service(deployed), good) and time.monotonic() < deadline:
            try:
                _ask(deployed)
            except (OSError, ValueError):
                failures += 1
            time.sleep(0.2)
        described = _service(deployed)
        assert _rolled_back(described, good), f"it is at {described['taskDefinition']}"
    finally:
        if _service(deployed)["taskDefinition"] != good:
            ecs.update_service(**where, taskDefinition=good)
        ecs.deregister_task_definition(taskDefinition=bad)
    assert not failures, f"{failures} requests failed meanwhile"
    reasons = [event["message"] for event in described["events"] if "deployment failed" in event["message"]]
    assert reasons, "the service does not say that the deployment failed"
    return f"back at {_name(good)}, and every request meanwhile was answered"


@runbook.show
def tasks(deployed: Deployment) -> Exhibit:
    """What the console shows of the service's tasks."""
    rows = [
        [
            task["taskArn"].rpartition("/")[2],
            task["lastStatus"],
            task["healthStatus"],
            _name(task["taskDefinitionArn"]),
            next((one["value"] for one in _details(task) if one["name"] == "privateIPv4Address"), "-"),
        ]
        for task in _tasks(deployed)
    ]
    return Exhibit(
        f"{deployed.output('Url')} is answered by", ["TASK", "STATUS", "HEALTH", "DEFINITION", "ADDRESS"], rows
    )


def _require_containers(deployed: Deployment) -> None:
    if deployed.target.name is TargetName.LOCAL and service.lent() is None:
        raise NotMadeError(f"No container runs: {discovery.INSTALL}, then `lab reset` and `lab run fargate`.")


def _service(deployed: Deployment) -> dict[str, Any]:
    [described] = deployed.client("ecs").describe_services(
        cluster=deployed.output("ClusterName"), services=[deployed.output("ServiceName")]
    )["services"]
    return dict(described)


def _definition(deployed: Deployment) -> dict[str, Any]:
    arn = _service(deployed)["taskDefinition"]
    described = deployed.client("ecs").describe_task_definition(taskDefinition=arn)
    return dict(described["taskDefinition"])


def _tasks(deployed: Deployment) -> list[dict[str, Any]]:
    ecs, cluster = deployed.client("ecs"), deployed.output("ClusterName")
    arns = ecs.list_tasks(cluster=cluster, serviceName=deployed.output("ServiceName"))["taskArns"]
    found = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    return sorted((task for task in found if task["lastStatus"] == "RUNNING"), key=lambda task: str(task["taskArn"]))


def _details(task: dict[str, Any]) -> list[dict[str, str]]:
    return [detail for attachment in task.get("attachments", []) for detail in attachment["details"]]


def _ask(deployed: Deployment, path: str = "/") -> dict[str, str]:
    """Ask the page, through the load balancer, what task answers."""
    url, headers = deployed.output("Url"), {"Accept": "application/json"}
    if deployed.target.name is TargetName.LOCAL:
        # The emulator serves every load balancer at its own port, and goes by the name and the port in the request.
        port = 443 if url.startswith("https:") else 80
        headers["Host"] = f"{deployed.output('LoadBalancerName')}.alb.localhost:{port}"
        url = str(deployed.client("elbv2").meta.endpoint_url)
    request = urllib.request.Request(f"{url}{path}", headers=headers)  # noqa: S310 - the deployment's own address
    with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as response:  # noqa: S310
        answer: dict[str, str] = json.loads(response.read())
    return answer


def _log(deployed: Deployment) -> list[dict[str, Any]]:
    pages = deployed.client("logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=deployed.output("LogGroupName"))
    return [event for page in found for event in page["events"]]


def _session_of(task_arn: str) -> boto3.Session:
    """Act as the task's container does."""
    [container, *_] = containers.of_task(task_arn)
    environment = containers.environment_of(container)
    session = boto3.Session(
        environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], environment["AWS_SESSION_TOKEN"]
    )
    isolation.refuse_other_hosts(session)
    return session


def _error_of(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


def _with_missing_image(ecs: Any, good: str) -> str:
    """Register the task definition once more, with a tag of its image that nobody pushed."""
    definition = ecs.describe_task_definition(taskDefinition=good)["taskDefinition"]
    kept = (
        "family", "containerDefinitions", "networkMode", "executionRoleArn", "taskRoleArn", "requiresCompatibilities",
        "cpu", "memory", "runtimePlatform", "volumes",
    )  # fmt: skip
    changed = {name: definition[name] for name in kept if definition.get(name)}
    [first, *others] = changed["containerDefinitions"]
    repository = first["image"].partition("@")[0].rpartition(":")[0]
    changed["containerDefinitions"] = [{**first, "image": f"{repository}:nobody-pushed-this"}, *others]
    return str(ecs.register_task_definition(**changed)["taskDefinition"]["taskDefinitionArn"])


def _rolled_back(described: dict[str, Any], good: str) -> bool:
    primary = next(one for one in described["deployments"] if one["status"] == "PRIMARY")
    failed = any(one["rolloutState"] == "FAILED" for one in described["deployments"])
    return failed and primary["taskDefinition"] == good and primary["rolloutState"] == "COMPLETED"


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
