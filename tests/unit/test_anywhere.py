"""What `lab anywhere` asks AWS for, what it writes and who can read it, and what it refuses."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from typer.testing import CliRunner

from lab.anywhere import activations, installation, instances, renderings
from lab.anywhere.activations import Activation
from lab.cli import app
from lab.commands import anywhere as commands
from lab.errors import LabError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

CODE = "an-activation-code-of-20"
NOW = datetime.now(timezone.utc).replace(microsecond=0)
MADE = Activation("0123abcd-0123-0123-0123-0123456789ab", "us-east-1", "edge", NOW + timedelta(hours=1), 2, name="shop")


class Client:
    """Answers as AWS's API does, and notes what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers, self.asked = answers, []
        self.meta = type("Meta", (), {"region_name": "us-east-1"})()

    def get_paginator(self, operation: str) -> Any:
        return type("Paginator", (), {"paginate": lambda _, **asked: [getattr(self, operation)(**asked)]})()

    def __getattr__(self, operation: str) -> Any:
        def call(**asked: Any) -> Any:
            self.asked.append((operation, asked))
            answer = self.answers[operation]
            return answer.pop(0) if isinstance(answer, list) else answer

        return call


class Deployment:
    def __init__(self, **clients: Client) -> None:
        self.clients = clients

    def output(self, name: str) -> str:
        return {"ClusterName": "edge", "RoleName": "host-role"}[name]

    def client(self, service: str) -> Client:
        return self.clients[service]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "host"
    installation.prepare(made)
    installation.write(made, MADE, CODE)
    return made


def create(client: Client, **options: Any) -> tuple[Activation, str]:
    asked = {"count": 1, "lasts": timedelta(hours=1), "name": "shop", "extra_tags": {}, **options}
    return activations.create(Deployment(ssm=client), **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "24", "h", "4m", "31d", "721h", "1y", "-1h", "9999999m"])
def test_a_lifetime_that_aws_does_not_take_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--expires .*: 5m to 30d, such as 24h\."):
        activations.lifetime(text)


@pytest.mark.parametrize(("text", "hours"), [("90m", 1.5), ("24h", 24), ("30d", 720)])
def test_a_lifetime_is_read(text: str, hours: float) -> None:
    assert activations.lifetime(text) == timedelta(hours=hours)


@pytest.mark.parametrize("pair", ["", "room", "=cellar", "room=cel|lar", f"{'r' * 129}=1", f"room={'c' * 257}"])
def test_a_tag_that_is_none_is_refused(pair: str) -> None:
    with pytest.raises(UsageError, match="a tag is written NAME=VALUE"):
        activations.tags([pair])


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"count": 0}, "--count 0: 1 to 1,000 hosts"),
        ({"count": 1001}, "--count 1001: 1 to 1,000 hosts"),
        ({"name": "shop|1"}, "--name shop|1: up to 256 letters"),
    ],
)
def test_what_aws_would_refuse_is_not_asked_for(options: dict[str, Any], refusal: str) -> None:
    client = Client()
    with pytest.raises(UsageError, match=refusal.replace("|", r"\|")):
        create(client, **options)
    assert client.asked == []


def test_the_oldest_activation_is_first_whichever_page_it_is_on() -> None:
    def described(number: int) -> dict[str, Any]:
        moment = datetime(2026, 11, number, tzinfo=timezone.utc)
        counts = {"RegistrationLimit": 1, "RegistrationsCount": 0}
        return {"ActivationId": str(number), "CreatedDate": moment, "ExpirationDate": moment, **counts}

    class Pages(Client):
        def get_paginator(self, operation: str) -> Any:
            assert operation == "describe_activations"
            pages = [{"ActivationList": [described(number) for number in page]} for page in ([5, 2], [4], [1, 3])]
            return type("Paginator", (), {"paginate": lambda _, **asked: pages})()  # noqa: ARG005 - the filters

    listed = activations.of_section(Deployment(ssm=Pages()))  # type: ignore[arg-type]
    assert [one.id for one in listed] == ["1", "2", "3", "4", "5"]


def test_a_region_without_ecs_anywhere_is_named() -> None:
    client = Client()
    client.meta.region_name = "cn-north-1"
    with pytest.raises(LabError, match="not offered in cn-north-1"):
        create(client)
    assert client.asked == []


def test_the_activation_is_for_the_sections_role_as_many_hosts_and_as_long_as_was_said() -> None:
    client = Client(create_activation={"ActivationId": MADE.id, "ActivationCode": CODE})
    made, code = create(client, count=3, lasts=timedelta(days=2), extra_tags={"room": "cellar"})

    [(operation, asked)] = client.asked
    assert (operation, asked["IamRole"], asked["RegistrationLimit"]) == ("create_activation", "host-role", 3)
    assert timedelta(hours=47) < asked["ExpirationDate"] - datetime.now(timezone.utc) <= timedelta(days=2)
    assert {"Key": "room", "Value": "cellar"} in asked["Tags"]
    assert {"Key": "section", "Value": "ecs-anywhere"} in asked["Tags"]
    assert (made.id, made.cluster, made.limit, code) == (MADE.id, "edge", 3, CODE)
    assert CODE not in json.dumps(made.as_json()) + repr(made)


def test_the_files_are_for_their_owner_alone_and_the_code_is_in_one(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "install.sh": 0o600,
        "activation-code": 0o600,
        "activation.json": 0o600,
    }
    assert [path.name for path in folder.iterdir() if CODE in path.read_text()] == ["activation-code"]


def test_a_folder_that_is_there_is_left_alone(folder: Path) -> None:
    with pytest.raises(UsageError, match="is there already: name another with --out, or remove it"):
        installation.prepare(folder)


def test_a_folder_that_cannot_be_made_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be made: Not a directory"):
        installation.prepare(tmp_path / "file" / "host")


def test_a_folder_is_read_as_it_was_written(folder: Path) -> None:
    assert installation.read(folder) == MADE


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"activation_id": 1}', "no JSON"])
def test_another_folder_is_refused(folder: Path, text: str) -> None:
    (folder / "activation.json").write_text(text)
    with pytest.raises(UsageError, match="is no folder that `lab anywhere register` wrote"):
        installation.read(folder)


def test_an_activation_that_expired_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    installation.prepare(folder)
    installation.write(folder, replace(MADE, expires=NOW - timedelta(days=1)), CODE)

    with pytest.raises(LabError, match=rf"{MADE.id} expired at .* UTC: `lab anywhere register` makes another"):
        installation.read(folder)


def test_a_code_that_was_used_is_not_there_to_render(folder: Path) -> None:
    (folder / "activation-code").unlink()
    for _, write in renderings.FORMS.values():
        with pytest.raises(LabError, match="is not there any more: `lab anywhere register` makes another activation"):
            write(folder, MADE)


def test_a_rendering_does_not_take_the_place_of_another_file(folder: Path) -> None:
    installation.write_private(folder / "playbook.yaml", "a")
    assert stat.S_IMODE((folder / "playbook.yaml").stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="is there already"):
        installation.write_private(folder / "playbook.yaml", "b")


def test_cloud_init_writes_both_files_and_runs_the_script_without_waiting(folder: Path) -> None:
    text = renderings.cloud_init(folder, MADE)
    assert f"`lab anywhere deregister {MADE.id}`" in text.partition("packages:")[0]  # the copy that cloud-init keeps
    read = yaml.safe_load(text)

    assert text.startswith("#cloud-config\n")
    files = {file["path"]: file for file in read["write_files"]}
    assert files["/run/ecs-anywhere/install.sh"]["content"] == (folder / "install.sh").read_text()
    assert files["/run/ecs-anywhere/activation-code"]["content"] == CODE
    assert {file["permissions"] for file in files.values()} == {"0600"}
    assert read["runcmd"] == [["bash", "/run/ecs-anywhere/install.sh", "--no-wait"]]
    assert {"curl", "gnupg"} <= set(read["packages"])


def test_a_code_of_digits_stays_a_text_in_user_data(tmp_path: Path) -> None:
    folder = tmp_path / "host"
    installation.prepare(folder)
    installation.write(folder, MADE, "12345678901234567890")

    files = yaml.safe_load(renderings.cloud_init(folder, MADE))["write_files"]
    assert "12345678901234567890" in [file["content"] for file in files]


def test_ansible_copies_the_code_without_showing_it_and_has_none_in_it(folder: Path) -> None:
    text = renderings.ansible(folder, MADE)
    [play] = yaml.safe_load(text)

    assert CODE not in text
    [copied] = [task for task in play["tasks"] if task.get("ansible.builtin.copy", {}).get("src") == "activation-code"]
    assert copied["no_log"] is True
    assert copied["ansible.builtin.copy"]["mode"] == "0600"
    assert copied["when"] == "not registration.stat.exists"
    assert play["become"] is True


def information(instance_id: str, **more: Any) -> dict[str, Any]:
    return {"InstanceId": instance_id, "PingStatus": "Online", "Name": "shop", "ActivationId": MADE.id, **more}


def container_instance(instance_id: str, **more: Any) -> dict[str, Any]:
    known = {"ec2InstanceId": instance_id, "containerInstanceArn": f"arn:{instance_id}", "status": "ACTIVE"}
    return {**known, "agentConnected": True, "runningTasksCount": 1, "pendingTasksCount": 0, **more}


def deployment(managed: list[Any], in_cluster: list[list[Any]], **ecs: Any) -> Deployment:
    described = [{"containerInstances": listed} for listed in in_cluster]
    return Deployment(
        ssm=Client(describe_instance_information={"InstanceInformationList": managed}, deregister_managed_instance={}),
        ecs=Client(
            list_container_instances={"containerInstanceArns": ["arn"]},
            describe_container_instances=described,
            update_container_instances_state={},
            deregister_container_instance={},
            **ecs,
        ),
    )


def test_a_host_that_never_had_a_task_is_told_what_to_remove_without_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deployed = deployment([information("mi-1")], [[container_instance("mi-1", runningTasksCount=0)]] * 9)
    deployed.target = None  # type: ignore[attr-defined]
    monkeypatch.setattr(commands, "_deployed", lambda _: deployed)
    monkeypatch.setattr(commands.choices, "confirm", lambda *_, **__: None)

    told = CliRunner().invoke(app, ["anywhere", "deregister", "mi-1", "--yes", "--force"]).output.replace("\n", " ")

    found = re.search(r"sudo (rm \S+) (/var/lib/amazon/ssm\S+) (/var/lib/ecs/data)", told)
    assert found is not None, told
    registration = tmp_path / "RegistrationKey"
    registration.touch()
    subprocess.run([*found[1].split(), registration, tmp_path / "data"], check=True)
    assert not registration.exists()


def test_a_host_is_listed_with_what_either_service_knows() -> None:
    deployed = deployment([information("mi-1"), information("mi-2")], [[container_instance("mi-1")]])
    hosts = instances.of_section(deployed)  # type: ignore[arg-type]

    assert [(host.instance_id, host.ping, host.connected, host.tasks) for host in hosts] == [
        ("mi-1", "Online", True, 1),
        ("mi-2", "Online", False, 0),
    ]


def test_a_host_that_systems_manager_forgot_is_listed_too() -> None:
    [host] = instances.of_section(deployment([], [[container_instance("mi-1")]]))  # type: ignore[arg-type]
    assert (host.ping, host.status) == ("-", "ACTIVE")


def test_a_host_is_drained_then_taken_from_the_cluster_then_from_systems_manager() -> None:
    busy, idle = container_instance("mi-1"), container_instance("mi-1", runningTasksCount=0, status="DRAINING")
    deployed = deployment([information("mi-1")], [[busy], [busy], [idle]])
    instances.deregister(deployed, instances.find(deployed, "mi-1"), force=False)  # type: ignore[arg-type]

    changes = [(name, asked) for name, asked in deployed.client("ecs").asked if name.startswith(("update", "dereg"))]
    assert [name for name, _ in changes] == ["update_container_instances_state", "deregister_container_instance"]
    assert changes[0][1]["status"] == "DRAINING"
    assert changes[1][1]["force"] is False
    assert deployed.client("ssm").asked[-1] == ("deregister_managed_instance", {"InstanceId": "mi-1"})


def test_a_host_whose_tasks_do_not_end_stays_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instances, "_DRAIN_SECONDS", 0.01)
    deployed = deployment([information("mi-1")], [[container_instance("mi-1")] for _ in range(20)])
    with pytest.raises(LabError, match=r"mi-1 still runs tasks .* or say --force to leave them to themselves"):
        instances.deregister(deployed, instances.find(deployed, "mi-1"), force=False)  # type: ignore[arg-type]
    asked = [name for client in deployed.clients.values() for name, _ in client.asked]
    assert not [name for name in asked if name.startswith("deregister")]


def test_with_force_nothing_is_waited_for() -> None:
    deployed = deployment([information("mi-1")], [[container_instance("mi-1")]])
    instances.deregister(deployed, instances.find(deployed, "mi-1"), force=True)  # type: ignore[arg-type]
    names = [name for name, _ in deployed.client("ecs").asked]
    assert "update_container_instances_state" not in names
    assert deployed.client("ecs").asked[-1][1]["force"] is True


def test_a_host_that_is_not_there_is_said_not_to_be() -> None:
    with pytest.raises(UsageError, match="There is no host mi-9: `lab anywhere list` names those that there are"):
        instances.find(deployment([], [[]]), "mi-9")  # type: ignore[arg-type]
