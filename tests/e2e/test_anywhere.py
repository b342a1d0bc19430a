"""`lab anywhere` against the emulator: hosts register, are listed, leave; what is emulated refuses as AWS does."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lab.runbook import wait_for
from lab.runbooks.ecs_anywhere_agents import Agents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import boto3

    from .conftest import Lab


class Deployed:
    """What the runbook's agents need of a deployment, from this test's own session."""

    def __init__(self, session: boto3.Session, outputs: dict[str, str]) -> None:
        self.session, self.outputs = session, outputs

    def output(self, name: str) -> str:
        return self.outputs[name]

    def client(self, service: str) -> Any:
        return self.session.client(service)  # type: ignore[call-overload]


@pytest.fixture(scope="module", autouse=True)
def section(lab: Lab) -> None:
    lab("up", "ecs-anywhere")


@pytest.fixture
def deployed(session: boto3.Session) -> Deployed:
    [stack] = session.client("cloudformation").describe_stacks(StackName="EcsAnywhere")["Stacks"]
    return Deployed(session, {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]})


def host(deployed: Deployed, folder: Path) -> Agents:
    """Have a host's agents register with what is in the folder, and join."""
    about = json.loads((folder / "activation.json").read_text())
    agents = Agents.register(deployed, about["activation_id"], (folder / "activation-code").read_text().strip())  # type: ignore[arg-type]
    agents.report()
    agents.join(about["cluster"])
    return agents


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(ClientError) as error:
        yield
    assert error.value.response["Error"]["Code"] == code


def placed(client: Any, cluster: str, agents: Agents) -> list[str]:
    """List the tasks that Amazon ECS means to run on the host."""
    arns = client.list_tasks(cluster=cluster)["taskArns"]
    tasks = client.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    return [one["taskArn"] for one in tasks if one["containerInstanceArn"] == agents.container_instance]


def task_on(deployed: Deployed, agents: Agents) -> str:
    """Wait for the service's task on the host, and name it."""
    client, cluster = deployed.client("ecs"), deployed.output("ClusterName")
    assert wait_for(lambda: bool(placed(client, cluster, agents)), seconds=60), "the service placed no task"
    [arn] = placed(client, cluster, agents)
    return arn


def assert_stopped_with_the_emulator(deployed: Deployed, task: str) -> None:
    client, cluster = deployed.client("ecs"), deployed.output("ClusterName")
    assert task not in client.list_tasks(cluster=cluster)["taskArns"]
    assert task in client.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"]
    [described] = client.describe_tasks(cluster=cluster, tasks=[task])["tasks"]
    assert (described["lastStatus"], described["desiredStatus"]) == ("STOPPED", "STOPPED")
    assert described["stoppedReason"].startswith("The emulator was stopped")
    assert {container["lastStatus"] for container in described["containers"]} == {"STOPPED"}


def test_a_host_comes_and_goes(lab: Lab, deployed: Deployed, tmp_path: Path) -> None:
    folder = tmp_path / "host"
    registered = lab("anywhere", "register", "--count", "2", "--name", "cellar", "--out", str(folder), "--json")
    code = (folder / "activation-code").read_text().strip()
    assert code not in registered.stdout + registered.stderr
    activation_id = json.loads(registered.stdout)["activation_id"]

    agents = host(deployed, folder)
    listed = json.loads(lab("anywhere", "list", "--wait", "1", "--json").stdout)
    [one] = listed["hosts"]
    assert (one["instance_id"], one["name"], one["ping"], one["connected"]) == (
        agents.instance_id,
        "cellar",
        "Online",
        True,
    )
    assert [(found["activation_id"], found["registered"], found["limit"]) for found in listed["activations"]] == [
        (activation_id, 1, 2)
    ]

    ran = task_on(deployed, agents)
    lab("down")
    lab("up", "ecs-anywhere")
    kept = json.loads(lab("anywhere", "list", "--json").stdout)
    assert [(host["instance_id"], host["connected"]) for host in kept["hosts"]] == [(agents.instance_id, True)]
    assert_stopped_with_the_emulator(deployed, ran)

    lab("anywhere", "deregister", agents.instance_id)
    lab("anywhere", "deregister", activation_id)
    left = json.loads(lab("anywhere", "list", "--json").stdout)
    assert left == {"hosts": [], "activations": []}


def test_what_is_not_there_is_said_not_to_be(lab: Lab) -> None:
    assert "There is no host mi-0" in lab("anywhere", "deregister", "mi-0", status=2).stderr
    unknown = "00000000-0000-0000-0000-000000000000"
    assert f"There is no activation {unknown}" in lab("anywhere", "deregister", unknown, status=2).stderr


def test_a_folder_that_is_there_costs_no_activation(lab: Lab, tmp_path: Path) -> None:
    before = json.loads(lab("anywhere", "list", "--json").stdout)["activations"]
    assert "is there already" in lab("anywhere", "register", "--out", str(tmp_path), status=2).stderr
    assert json.loads(lab("anywhere", "list", "--json").stdout)["activations"] == before


def test_renderings_are_written_beside_the_script(lab: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "host"
    lab("anywhere", "register", "--out", str(folder))
    activation_id = json.loads((folder / "activation.json").read_text())["activation_id"]
    for form, name in (("cloud-init", "user-data.yaml"), ("ansible", "playbook.yaml")):
        code = (folder / "activation-code").read_text().strip()
        said = lab("anywhere", "render", str(folder), "--form", form)
        assert code not in said.stdout + said.stderr
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    lab("anywhere", "deregister", activation_id)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"IamRole": "nobody"}, "ValidationException"),
        ({"RegistrationLimit": 1000, "ExpirationDate": timedelta(days=31)}, "InvalidParameters"),
        ({"ExpirationDate": timedelta(seconds=-1)}, "InvalidParameters"),
    ],
)
def test_an_activation_that_aws_would_refuse_is_refused(deployed: Deployed, asked: dict[str, Any], code: str) -> None:
    if "ExpirationDate" in asked:
        asked = {**asked, "ExpirationDate": datetime.now(timezone.utc) + asked["ExpirationDate"]}
    with refused(code):
        deployed.client("ssm").create_activation(**{"IamRole": deployed.output("RoleName"), **asked})


def test_credentials_are_for_who_registered(deployed: Deployed, tmp_path: Path, lab: Lab) -> None:
    folder = tmp_path / "host"
    lab("anywhere", "register", "--out", str(folder))
    agents = host(deployed, folder)
    client, cluster = agents.session().client("ecs"), deployed.output("ClusterName")
    with refused("AccessDeniedException"):
        client.list_tasks(cluster=cluster)
    with refused("AccessDeniedException"):
        agents.session().client("ssm").describe_parameters()
    agents.fingerprint = "another"
    with refused("MachineFingerprintDoesNotMatch"):
        agents.session()
    with refused("ClientException"):  # whose credentials are those of no host
        deployed.client("ecs").register_container_instance(cluster=cluster, totalResources=[])
    lab("anywhere", "deregister", agents.instance_id, "--force")
    lab("anywhere", "deregister", json.loads((folder / "activation.json").read_text())["activation_id"])


def test_a_task_needs_room(deployed: Deployed, tmp_path: Path, lab: Lab) -> None:
    folder = tmp_path / "host"
    lab("anywhere", "register", "--out", str(folder))
    agents = host(deployed, folder)
    client, cluster = deployed.client("ecs"), deployed.output("ClusterName")
    large = {"name": "large", "image": "none", "cpu": 128, "memory": 100_000, "essential": True}
    definition = client.register_task_definition(family="large", containerDefinitions=[large])["taskDefinition"]
    answer = client.run_task(cluster=cluster, taskDefinition=definition["taskDefinitionArn"], launchType="EXTERNAL")
    assert (answer["tasks"], [one["reason"] for one in answer["failures"]]) == ([], ["RESOURCE:MEMORY"])

    own = task_on(deployed, agents)  # which has room
    [instance] = client.describe_container_instances(cluster=cluster, containerInstances=[agents.container_instance])[
        "containerInstances"
    ]
    remaining = {one["name"]: one["integerValue"] for one in instance["remainingResources"]}
    assert (remaining["CPU"], remaining["MEMORY"]) == (4096 - 256, 8192 - 256)
    assert instance["runningTasksCount"] + instance["pendingTasksCount"] == 1
    with refused("InvalidParameterException"):  # it has a task
        client.deregister_container_instance(cluster=cluster, containerInstance=agents.container_instance)
    assert placed(client, cluster, agents) == [own]
    lab("anywhere", "deregister", agents.instance_id)
    lab("anywhere", "deregister", json.loads((folder / "activation.json").read_text())["activation_id"])
