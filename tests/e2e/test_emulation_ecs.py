"""Tasks of Amazon ECS as the emulator runs them: real containers, as their definitions say; and without an engine."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from lab.engine import discovery
from lab.project import ROOT, python_of
from lab.runbook import wait_for

from .conftest import Emulated, containers_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from lab.engine.discovery import Engine

    from .conftest import Lab

#: The longest that the emulator takes for what a test waits for, on a busy machine.
SECONDS = 90


class Tasks:
    """Runs tasks in a cluster with the roles, the image and the log group of the section on Fargate."""

    def __init__(self, session: boto3.Session) -> None:
        stack = session.client("cloudformation").describe_stacks(StackName="Fargate")["Stacks"][0]
        outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        self.session, self.client = session, session.client("ecs")
        self.cluster, self.service = outputs["ClusterName"], outputs["ServiceName"]
        service = self.client.describe_services(cluster=self.cluster, services=[self.service])["services"][0]
        definition = self.client.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
        self.own = {
            name: definition[name]
            for name in ("networkMode", "executionRoleArn", "requiresCompatibilities", "cpu", "memory")
        }
        [container, *_] = definition["containerDefinitions"]
        self.image, self.logs = container["image"], container["logConfiguration"]
        self.log_group = self.logs["options"]["awslogs-group"]
        self.secret = container["secrets"][0]

    def register(self, *containers: dict[str, Any], **changed: Any) -> str:
        """Register a task definition of containers that have our image if they name no other."""
        whole = [{"image": self.image, "essential": True, "logConfiguration": self.logs, **one} for one in containers]
        settings = {**self.own, "family": "tests", "containerDefinitions": whole, **changed}
        return str(self.client.register_task_definition(**settings)["taskDefinition"]["taskDefinitionArn"])

    def run(self, *containers: dict[str, Any], **changed: Any) -> dict[str, Any]:
        """Run a task to its end, and return it."""
        definition = self.register(*containers, **changed)
        [task] = self.client.run_task(cluster=self.cluster, taskDefinition=definition)["tasks"]
        assert wait_for(lambda: self.of(task)["lastStatus"] == "STOPPED", seconds=SECONDS), self.of(task)
        return self.of(task)

    def of(self, task: dict[str, Any]) -> dict[str, Any]:
        [described] = self.client.describe_tasks(cluster=self.cluster, tasks=[task["taskArn"]])["tasks"]
        return dict(described)

    def said(self, task: dict[str, Any], container: str, *, lines: int = 1) -> list[str]:
        """Read what a container of the task logged, when it is so many lines."""
        stream = f"web/{container}/{task['taskArn'].rpartition('/')[2]}"
        logs = self.session.client("logs")
        events: list[str] = []

        def arrived() -> bool:
            found = logs.get_log_events(logGroupName=self.log_group, logStreamName=stream, startFromHead=True)
            events[:] = [one["message"] for one in found["events"]]
            return len(events) >= lines

        assert wait_for(arrived, seconds=SECONDS), f"in {stream}: {events}"
        return events


def shell(name: str, script: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "entryPoint": ["/usr/local/bin/busybox", "sh", "-c"], "command": [script], **more}


@pytest.fixture(scope="module")
def deployed(lab: Lab, base: str) -> None:  # noqa: ARG001 - what the image is built on
    lab("up", "fargate")


@pytest.fixture
def tasks(deployed: None, session: boto3.Session) -> Tasks:  # noqa: ARG001 - what it runs beside
    return Tasks(session)


def test_the_containers_of_a_task_share_localhost_and_wait_for_each_other(tasks: Tasks) -> None:
    check = {"command": ["CMD", "/usr/local/bin/serve", "--check"], "interval": 5, "retries": 3}
    ask_it = "busybox wget -q -O - http://127.0.0.1:8080/health.txt"
    task = tasks.run(
        shell("asks", ask_it, dependsOn=[{"containerName": "serves", "condition": "HEALTHY"}]),
        {"name": "serves", "essential": False, "healthCheck": check},
    )

    assert tasks.said(task, "asks") == ["ok"]
    codes = {one["name"]: one.get("exitCode") for one in task["containers"]}
    assert codes["asks"] == 0
    # Which was essential: the other one does not outlive it.
    assert wait_for(lambda: containers_of(f"com.amazonaws.ecs.task-arn={task['taskArn']}") == "", seconds=SECONDS)


def test_a_container_whose_dependency_failed_never_starts(tasks: Tasks) -> None:
    task = tasks.run(
        shell("fails", "exit 3", essential=False),
        shell("after", "echo started", dependsOn=[{"containerName": "fails", "condition": "SUCCESS"}]),
    )

    assert task["stopCode"] == "TaskFailedToStart"
    assert "ended with 3" in task["stoppedReason"]


def test_the_entry_point_the_user_and_the_variables_are_those_of_the_definition(tasks: Tasks) -> None:
    variables = [{"name": "GREETING", "value": "good day"}]
    said = 'echo "$GREETING $(busybox id -u) $(busybox pwd)"; busybox touch /new || echo refused'
    task = tasks.run(
        shell("web", said, environment=variables, user="1234", workingDirectory="/srv", readonlyRootFilesystem=True)
    )

    [greeting, error, refused] = tasks.said(task, "web", lines=3)
    assert (greeting, refused) == ("good day 1234 /srv", "refused")
    assert "Read-only file system" in error


def test_a_container_has_the_credentials_of_a_task_role_alone(tasks: Tasks) -> None:
    said = 'echo "${AWS_ACCESS_KEY_ID:-none} ${AWS_REGION:-none}"'
    assert tasks.said(tasks.run(shell("web", said)), "web") == ["none us-east-1"]


def test_a_task_whose_execution_role_may_not_read_a_secret_does_not_start(tasks: Tasks, session: boto3.Session) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = session.client("iam").create_role(RoleName="reads-nothing", AssumeRolePolicyDocument=policy)["Role"]
    task = tasks.run({"name": "web", "secrets": [tasks.secret]}, executionRoleArn=role["Arn"])

    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("ResourceInitializationError: unable to pull secrets or registry auth")
    assert "is not authorized to perform: secretsmanager:GetSecretValue" in task["stoppedReason"]


def test_a_role_that_does_not_trust_amazon_ecs_is_not_assumed(tasks: Tasks, session: boto3.Session) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = session.client("iam").create_role(RoleName="of-lambda", AssumeRolePolicyDocument=policy)["Role"]
    for changed in ({"executionRoleArn": role["Arn"]}, {"taskRoleArn": role["Arn"]}):
        task = tasks.run({"name": "web"}, **changed)
        assert task["stopCode"] == "TaskFailedToStart"
        assert "ECS was unable to assume the role" in task["stoppedReason"]


def test_an_image_that_is_not_there_is_said_not_to_be(tasks: Tasks) -> None:
    task = tasks.run({"name": "web", "image": f"{tasks.image.rpartition(':')[0]}:nothing"})

    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: failed to resolve reference")


def test_a_service_replaces_a_task_that_is_killed(engine: Engine, tasks: Tasks) -> None:
    def running() -> dict[str, str]:
        arns = tasks.client.list_tasks(cluster=tasks.cluster, serviceName=tasks.service)["taskArns"]
        found = tasks.client.describe_tasks(cluster=tasks.cluster, tasks=arns)["tasks"] if arns else []
        return {one["taskArn"]: one["healthStatus"] for one in found if one["lastStatus"] == "RUNNING"}

    def settled(without: str = "") -> Callable[[], bool]:
        return lambda: list(running().values()) == ["HEALTHY"] * 2 and without not in running()

    assert wait_for(settled(), seconds=SECONDS), running()
    killed = min(running())
    label = f"label=com.amazonaws.ecs.task-arn={killed}"
    listed = subprocess.run(
        [engine.name, "ps", "--quiet", "--filter", label], check=True, capture_output=True, text=True
    )
    subprocess.run([engine.name, "kill", *listed.stdout.split()], check=True, capture_output=True)

    assert wait_for(settled(killed), seconds=SECONDS), running()


def test_after_a_restart_the_load_balancer_knows_the_new_tasks_alone(lab: Lab, tasks: Tasks) -> None:
    balancer = tasks.session.client("elbv2")
    [service] = tasks.client.describe_services(cluster=tasks.cluster, services=[tasks.service])["services"]
    [group] = [one["targetGroupArn"] for one in service["loadBalancers"]]

    def addresses() -> tuple[set[str], set[str]]:
        health = balancer.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        arns = tasks.client.list_tasks(cluster=tasks.cluster, serviceName=tasks.service)["taskArns"]
        found = tasks.client.describe_tasks(cluster=tasks.cluster, tasks=arns)["tasks"] if arns else []
        of_tasks = {
            detail["value"]
            for task in found
            if task["lastStatus"] == "RUNNING"
            for attachment in task["attachments"]
            for detail in attachment["details"]
            if detail["name"] == "privateIPv4Address"
        }
        return {one["Target"]["Id"] for one in health}, of_tasks

    lab("down")
    lab("up", "fargate")

    def settled() -> bool:
        targets, of_tasks = addresses()
        return len(targets) == 2 and targets == of_tasks

    assert wait_for(settled, seconds=SECONDS), addresses()


def test_a_deployment_fails_by_three_tasks_and_not_because_the_engine_names_no_digest(tasks: Tasks) -> None:
    definition = tasks.register({"name": "web", "image": "localhost/nobody-built-this:1"})
    tasks.client.create_service(
        cluster=tasks.cluster,
        serviceName="tests",
        taskDefinition=definition,
        desiredCount=1,
        launchType="FARGATE",
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": False}},
    )

    def deployment() -> dict[str, Any]:
        [found] = tasks.client.describe_services(cluster=tasks.cluster, services=["tests"])["services"]
        return dict(found["deployments"][0])

    try:
        assert wait_for(lambda: deployment()["rolloutState"] == "FAILED", seconds=SECONDS), deployment()
        assert deployment()["failedTasks"] == 3
    finally:
        tasks.client.delete_service(cluster=tasks.cluster, service="tests", force=True)


def test_without_an_engine_the_section_deploys_and_says_what_that_leaves_out(
    lab: Lab, without_engine: dict[str, str]
) -> None:
    ran = lab("run", "fargate", "--json", **without_engine)

    checks = json.loads(ran.stdout)["checks"]
    assert {(check["evidence"], check["outcome"]) for check in checks} == {
        ("control plane only", "passed"),
        ("real container", "skipped"),
    }
    assert all(discovery.INSTALL in check["detail"] for check in checks if check["outcome"] == "skipped")
    assert "No container engine answers: 1 image is not built, and no container runs." in ran.stderr


@pytest.mark.parametrize(
    ("environment", "named"), [({}, "0123abcd"), ({"ECS_CONTAINER_METADATA_URI_V4": "http://emulator/v4/1"}, None)]
)
def test_a_container_without_a_way_to_its_metadata_is_called_by_its_task(
    environment: dict[str, str], named: str | None
) -> None:
    containers = [{"name": "web"}, {"name": "sidecar"}]
    program = f"""
import json
from lab.emulation.ecs import tasks

build = tasks._as_defined(lambda container, *rest: {{"name": "task-" + container["name"], "labels": {{}}}})
definition = {{"networkMode": "awsvpc", "containerDefinitions": {containers!r}}}
rest = (None, False, "0123abcd", "arn:task", None, "arn:cluster")
made = [build(one, definition, {environment!r}, {{}}, *rest) for one in definition["containerDefinitions"]]
print(json.dumps([one.get("hostname") for one in made]))
"""
    done = subprocess.run([python_of("emulator"), "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)

    assert json.loads(done.stdout) == [named, None]  # the others of a task share the first one's network and name


def test_production_asks_for_a_certificate_before_anything_is_made(lab: Lab, without_engine: dict[str, str]) -> None:
    refused = lab("up", "fargate", "--posture", "production", status=2, **without_engine)

    assert "fargate needs a value for CertificateArn (A certificate of AWS Certificate Manager in" in refused.stderr
    assert "give -c certificate_arn=ARN); docs/sections/fargate.md says what else" in refused.stderr
    emulated = Emulated(json.loads(lab("env", "--json", **without_engine).stdout))
    stacks = emulated.client("cloudformation").describe_stacks()["Stacks"]
    assert not [one for one in stacks if {"Key": "posture", "Value": "production"} in one["Tags"]]


def test_an_engine_that_nobody_knows_is_refused(lab: Lab) -> None:
    refused = lab("doctor", status=2, SERVERLESS_LAB_ENGINE="lxc")
    assert "SERVERLESS_LAB_ENGINE is lxc: docker, podman or none" in refused.stderr
