"""How a task starts, and what its containers are to each other, as on AWS Fargate.

What starts a task does so with its execution role: it pulls images from Amazon ECR, reads secrets and writes logs, and
the task fails with AWS's own reasons when that role may not. The containers have the credentials of the task role, in
their environment. In the network mode ``awsvpc`` they share one network, and so localhost; the ports that they listen
on are published on loopback of this machine, where the load balancer finds them with every engine. A container waits
for what it depends on.
"""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any

from ministack.core.responses import get_region
from ministack.services import cloudwatch_logs, ecr, ecs

from lab.emulation.ecs import engine, health, roles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HOOKS = [
    "ministack.core.responses.get_region()",
    "ministack.services.cloudwatch_logs._log_groups",
    "ministack.services.ecr._find_image(repo_name, image_id)",
    "ministack.services.ecr._repo_shape",
    "ministack.services.ecr._repositories",
    "ministack.services.ecs._ImagePullError",
    "ministack.services.ecs._SecretResolutionError",
    "ministack.services.ecs._build_run_kwargs(cdef, td, env, port_bindings, ecs_network, host_mode, task_id, task_arn, "
    "ministack_net_ip, cluster_arn)",
    "ministack.services.ecs._cleanup_task_resources(task, docker_client, extra_container)",
    "ministack.services.ecs._get_docker()",
    "ministack.services.ecs._register_metadata"
    "(task_arn, cluster_arn, td, cdef, launch_type, env, host_mode, ministack_net_ip)",
    "ministack.services.ecs._run_docker_container(docker_client, cdef, run_kwargs, refresh_image, allow_cached, "
    "cache_image, fallback_image, auth_config)",
    "ministack.services.ecs._start_task_worker(task, td, container_overrides, docker_client)",
]
_ECR = ".dkr.ecr."
_LOOPBACK = "127.0.0.1"
_METADATA = "ECS_CONTAINER_METADATA_URI_V4"
_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_DEPENDENCY_SECONDS = 120

Definition = dict[str, Any]


def extend() -> None:
    """Start tasks so."""
    ecs._get_docker = engine.client
    ecs._start_task_worker = _with_execution_role(ecs._start_task_worker)
    ecs._register_metadata = _with_task_role(ecs._register_metadata)
    ecs._build_run_kwargs = _as_defined(ecs._build_run_kwargs)
    ecs._run_docker_container = _after_dependencies(ecs._run_docker_container)
    ecs._cleanup_task_resources = _with_the_others(ecs._cleanup_task_resources)


def _with_execution_role(start: Callable[..., None]) -> Callable[..., None]:
    def start_task(task: Definition, definition: Definition, overrides: Any, client: Any) -> None:
        role, containers = definition.get("executionRoleArn"), definition["containerDefinitions"]
        for container in containers:
            _require_secrets(container, role, task["taskArn"])
            _require_image(container["image"], role, task["taskArn"])
            _require_log_stream(container, role, task["taskArn"])
        local = [{**container, "image": _on_loopback(container["image"])} for container in containers]
        start(task, {**definition, "containerDefinitions": local}, overrides, client)

    return start_task


def _require(role: str | None, action: str, on: str, task_arn: str) -> None:
    try:
        if not role:
            raise roles.RoleError("the task definition has no execution role")
        roles.require(role, action, on, task_arn=task_arn)
    except roles.RoleError as error:
        raise ecs._SecretResolutionError(str(error)) from None


def _require_secrets(container: Definition, role: str | None, task_arn: str) -> None:
    for secret in container.get("secrets", []):
        reference = secret["valueFrom"]
        if ":secretsmanager:" in reference:
            _require(role, "secretsmanager:GetSecretValue", ":".join(reference.split(":")[:7]), task_arn)
        else:
            account = task_arn.split(":")[4]
            name = reference.rpartition(":parameter/")[2].lstrip("/")
            arn = f"arn:aws:ssm:{get_region()}:{account}:parameter/{name}"
            _require(role, "ssm:GetParameters", arn, task_arn)


def _require_image(image: str, role: str | None, task_arn: str) -> None:
    """Look for an image of Amazon ECR as what starts the task would: with the role, and by tag or digest."""
    if _ECR not in image:
        return
    name, identifier = _parts(image)
    repository = ecr._repositories.get(name)
    arn = repository["repositoryArn"] if repository else f"arn:aws:ecr:{get_region()}:{task_arn.split(':')[4]}:*"
    _require(role, "ecr:GetAuthorizationToken", "*", task_arn)
    for action in _PULL:
        _require(role, action, arn, task_arn)
    if not repository or not ecr._find_image(name, identifier):
        raise ecs._ImagePullError(f"failed to resolve reference {image}: not found")


def _require_log_stream(container: Definition, role: str | None, task_arn: str) -> None:
    configuration = container.get("logConfiguration") or {}
    if configuration.get("logDriver") != "awslogs":
        return
    group = configuration["options"]["awslogs-group"]
    made = cloudwatch_logs._log_groups.get(group)
    if made is None and str(configuration["options"].get("awslogs-create-group")).lower() != "true":
        raise ecs._SecretResolutionError(f"ResourceNotFoundException: the log group {group} does not exist")
    arn = f"arn:aws:logs:{get_region()}:{task_arn.split(':')[4]}:log-group:{group}:*"
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        _require(role, action, arn, task_arn)


def _on_loopback(image: str) -> str:
    """Name an image of Amazon ECR by the emulator's own registry."""
    if _ECR not in image:
        return image
    name, _ = _parts(image)
    host = ecr._repo_shape(ecr._repositories[name])["repositoryUri"].split("/")[0]
    return f"{host}/{image.split('/', 1)[1]}"


def _parts(image: str) -> tuple[str, dict[str, str]]:
    path = image.split("/", 1)[1]
    name, at, digest = path.partition("@")
    if at:
        return name, {"imageDigest": digest}
    name, _, tag = path.partition(":")
    return name, {"imageTag": tag or "latest"}


def _with_task_role(register: Callable[..., str]) -> Callable[..., str]:
    def register_metadata(task_arn: str, cluster: str, definition: Definition, *rest: Any) -> str:
        container, launch_type, environment, host_mode, _ = rest
        given = dict(environment)
        host = _LOOPBACK if host_mode else engine.host_for_containers()
        token = register(task_arn, cluster, definition, container, launch_type, environment, host_mode, host)
        # An SDK asks an endpoint of its own host for credentials, or AWS's address, which nothing here has.
        for name in ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"):
            environment.pop(name, None)
        if host is None:
            environment.pop(_METADATA, None)
            environment.pop("AWS_ENDPOINT_URL", None)
        environment |= {"AWS_REGION": get_region(), "AWS_DEFAULT_REGION": get_region()}
        if definition.get("taskRoleArn"):
            environment |= roles.credentials(definition["taskRoleArn"], task_arn=task_arn)
        environment |= given
        return token

    return register_metadata


def _as_defined(build: Callable[..., Definition]) -> Callable[..., Definition]:
    def build_run_kwargs(
        container: Definition, definition: Definition, environment: dict[str, str], ports: dict[str, Any], *rest: Any
    ) -> Definition:
        _, _, task_id, *_ = rest
        bound = {port: (_LOOPBACK, number or None) for port, number in ports.items()}
        options = build(container, definition, environment, bound, *rest)
        label, value = engine.LABEL
        options["labels"][label] = value
        linux = container.get("linuxParameters") or {}
        options |= {
            "entrypoint": container.get("entryPoint"),
            "user": container.get("user"),
            "working_dir": container.get("workingDirectory"),
            "read_only": container.get("readonlyRootFilesystem") in (True, "true"),
            "cap_drop": (linux.get("capabilities") or {}).get("drop"),
            "init": linux.get("initProcessEnabled") in (True, "true"),
            "stop_signal": None,
            "ulimits": engine.limits(),
            # Amazon ECS knows of no health check but that of the task definition.
            "healthcheck": {"test": ["NONE"]},
        }
        if container.get("memory"):
            options["mem_limit"] = f"{container['memory']}m"
        options.pop("extra_hosts", None)
        # An image for another machine was refused before, and an engine takes a platform for a reason to pull.
        options.pop("platform", None)
        # Where a container has no way to its metadata, its name is how it can know its task.
        options["hostname"] = None if _METADATA in environment else task_id
        if definition.get("networkMode") == "awsvpc":
            _share_network(options, container, definition["containerDefinitions"])
        return {name: option for name, option in options.items() if option is not None}

    return build_run_kwargs


def _share_network(options: Definition, container: Definition, containers: list[Definition]) -> None:
    """Put a container into the network of the task's first one, which publishes the ports of all of them."""
    first = containers[0]["name"]
    options.pop("network", None)
    if container["name"] != first:
        options |= {"ports": None, "hostname": None, "network_mode": f"container:{_prefix(options, container)}{first}"}
        return
    mappings = [mapping for one in containers for mapping in one.get("portMappings") or []]
    published = {
        f"{mapping['containerPort']}/{mapping.get('protocol') or 'tcp'}": (_LOOPBACK, None) for mapping in mappings
    }
    options |= {"ports": published or None, "network_mode": "bridge"}


def _prefix(options: Definition, container: Definition) -> str:
    return str(options["name"]).removesuffix(container["name"])


def _after_dependencies(run: Callable[..., Any]) -> Callable[..., Any]:
    def run_docker_container(client: Any, container: Definition, options: Definition, **rest: Any) -> Any:
        for dependency in container.get("dependsOn") or []:
            name = f"{_prefix(options, container)}{dependency['containerName']}"
            _wait_for(client, name, dependency["condition"])
        return run(client, container, options, **rest)

    return run_docker_container


def _wait_for(client: Any, name: str, condition: str) -> None:
    """Wait until a container that was started before has come as far as another one needs it.

    :raises RuntimeError: when it cannot any more.
    """
    from docker.errors import NotFound  # noqa: PLC0415 - loaded with the engine's client

    deadline = time.monotonic() + _DEPENDENCY_SECONDS
    while time.monotonic() < deadline:
        try:
            found = client.containers.get(name)
        except NotFound:
            raise RuntimeError(f"the container {name} was removed before it was {condition}") from None
        ended = found.status == "exited"
        code = found.attrs["State"].get("ExitCode")
        if condition == "SUCCESS" and ended and code:
            raise RuntimeError(f"the container {name} ended with {code}, and another one needs its success")
        reached = {"START": True, "HEALTHY": health.of(name) == "HEALTHY", "COMPLETE": ended, "SUCCESS": ended}
        if reached[condition]:
            return
        if ended and condition == "HEALTHY":
            raise RuntimeError(f"the container {name} ended before it was healthy")
        time.sleep(0.1)
    raise RuntimeError(f"the container {name} was not {condition} within {_DEPENDENCY_SECONDS} s")


def _with_the_others(clean_up: Callable[..., None]) -> Callable[..., None]:
    """End the task's other containers when an essential one ended; what has ended is removed later, with its log."""

    def cleanup_task_resources(task: Definition, client: Any, *rest: Any) -> None:
        left = [] if client else list(task.get("_docker_ids") or [])
        clean_up(task, client, *rest)
        if left:
            Thread(target=_stop, args=(left,), daemon=True).start()

    return cleanup_task_resources


def _stop(container_ids: Iterable[str]) -> None:
    from docker.errors import DockerException  # noqa: PLC0415 - loaded with the engine's client

    client = engine.client()
    if client is None:
        return
    for container_id in container_ids:
        with suppress(DockerException):
            client.containers.get(container_id).stop()


def in_order(containers: Iterable[Definition]) -> list[Definition]:
    """Order containers so that each comes after those that it depends on."""
    left = list(containers)
    ordered: list[Definition] = []
    while left:
        placed = {one["name"] for one in ordered}
        ready = [one for one in left if all(need["containerName"] in placed for need in one.get("dependsOn") or [])]
        if not ready:
            raise ValueError(f"The containers {', '.join(one['name'] for one in left)} depend on each other.")
        ordered.append(ready[0])
        left.remove(ready[0])
    return ordered
