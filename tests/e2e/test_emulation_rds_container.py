"""With a container engine, a cluster's PostgreSQL is a container, and leaves nothing behind; without its image, not."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import psutil
import pytest
from botocore.exceptions import ClientError

from lab import emulator
from lab.database import DatabaseError

from . import postgres_image
from .conftest import Emulated, run_script
from .test_emulation_rds import TEMPLATE, Cluster, made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.engine.discovery import Engine

    from .conftest import Lab

_MAJOR = 16
# As `lab up` does before it deploys.
_PREPARE = """
import os, pathlib, sys
from lab import emulator
from lab.postgresql import preparation
from lab.views.terminal import Steps
emulator.start(Steps(None))
preparation.prepare(pathlib.Path(sys.argv[1]), os.environ, Steps(None))
"""


class Machine:
    """A lab of its own, whose clusters are of an image."""

    def __init__(self, lab: Lab, home: Path, engine: Engine, repository: str) -> None:
        self.environment = {
            "SERVERLESS_LAB_HOME": str(home / "lab"),
            "SERVERLESS_LAB_POSTGRESQL": repository,
            emulator.CHOICE: str(int(os.environ[emulator.CHOICE]) + 2),
        }
        self._lab, self._home, self._engine = lab, home, engine

    def lab(self, *words: str) -> str:
        return self._lab(*words, **self.environment).stdout

    def prepare(self) -> str:
        """Start the emulator, choose, and return what a user would read."""
        (self._home / "Section.template.json").write_text(json.dumps(TEMPLATE))
        return run_script(_PREPARE, self._home, **self.environment).stderr

    def emulated(self) -> Emulated:
        return Emulated(json.loads(self.lab("env", "--json")))

    def has(self, what: str) -> list[str]:
        """List the lab's containers (``ps``) or volumes, by the label that all of them have."""
        label = f"label=serverless-lab={self.environment['SERVERLESS_LAB_HOME']}"
        words = {"containers": ["ps", "--all"], "volumes": ["volume", "ls"]}[what]
        command = [self._engine.name, *words, "--quiet", "--filter", label]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    def published(self, container: str) -> str:
        command = [self._engine.name, "port", container]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def repository(engine: Engine, base: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if shutil.which("ldd") is None:
        pytest.skip("the image is made of this machine's libraries, which `ldd` names: it is for Linux")
    made = postgres_image.build(engine.name, base, _MAJOR, tmp_path_factory.mktemp("image"))
    yield made
    subprocess.run([engine.name, "rmi", "--force", f"{made}:{_MAJOR}"], check=True, capture_output=True)


@pytest.fixture
def machine(lab: Lab, engine: Engine, tmp_path: Path) -> Iterator[Callable[[str], Machine]]:
    """Make a lab for an image, and leave nothing of it."""
    machines: list[Machine] = []

    def make(repository: str) -> Machine:
        machines.append(Machine(lab, tmp_path, engine, repository))
        return machines[0]

    yield make
    for one in machines:
        one.lab("reset", "--yes")


def test_a_cluster_is_a_container_until_the_emulator_ends_and_a_volume_until_it_is_deleted(
    machine: Callable[[str], Machine], repository: str
) -> None:
    ours = machine(repository)
    assert f"PostgreSQL {_MAJOR}, in a container of {repository}:{_MAJOR}" in ours.prepare()
    emulated = ours.emulated()
    cluster = Cluster(emulated, made(emulated, "Contained"), "app")
    cluster.make_user(rights=["SELECT"])
    cluster.master.execute("CREATE TABLE kept (n int)")
    cluster.master.execute("INSERT INTO kept VALUES (7)")

    image = f"{repository}:{_MAJOR}"
    status = json.loads(ours.lab("status", "--json"))["postgresql"]
    assert status["new_clusters"] == [{"major": _MAJOR, "image": image, "reason": None}]
    assert [said.partition(", with")[0] for said in status["clusters"].values()] == [f"in a container of {image}"]

    [container], [_] = ours.has("containers"), ours.has("volumes")
    # On loopback alone, and with a password even from there.
    assert [line.rpartition(":")[0] for line in ours.published(container).splitlines()] == ["5432/tcp -> 127.0.0.1"]
    cluster.make_user(password="another one", rights=["SELECT"])
    with pytest.raises(DatabaseError) as wrong:
        cluster.application.query("SELECT 1")
    assert wrong.value.sqlstate == "28P01"
    with pytest.raises(DatabaseError) as refused:
        cluster.master.query("SELECT pg_read_file('/etc/passwd')")
    assert refused.value.sqlstate == "42501"

    ours.lab("down")
    assert (ours.has("containers"), len(ours.has("volumes"))) == ([], 1)
    ours.prepare()
    emulated = ours.emulated()
    again = Cluster(emulated, {"Cluster": cluster.arn, "Resource": "", "Master": cluster.master_secret}, "app")
    assert again.master.query("SELECT n FROM kept") == [{"n": 7}]

    cloudformation = emulated.client("cloudformation")
    cloudformation.delete_stack(StackName="Contained")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="Contained", WaiterConfig={"Delay": 1})
    assert (ours.has("containers"), ours.has("volumes")) == ([], [])


def test_what_a_killed_emulator_leaves_behind_is_removed(machine: Callable[[str], Machine], repository: str) -> None:
    ours = machine(repository)
    ours.prepare()
    emulated = ours.emulated()
    Cluster(emulated, made(emulated, "Killed"), "app").master.execute("CREATE TABLE kept (n int)")
    assert ours.has("containers")

    psutil.Process(json.loads(ours.lab("status", "--json"))["emulator"]["pid"]).kill()
    assert ours.has("containers")
    ours.prepare()
    assert ours.has("containers") == []
    ours.lab("reset", "--yes")
    assert ours.has("volumes") == []


def test_a_cluster_whose_volume_somebody_removed_does_not_come_back_empty(
    machine: Callable[[str], Machine], repository: str, engine: Engine
) -> None:
    ours = machine(repository)
    ours.prepare()
    emulated = ours.emulated()
    cluster = Cluster(emulated, made(emulated, "Lost"), "app")
    cluster.master.execute("CREATE TABLE kept (n int)")
    ours.lab("down")
    subprocess.run([engine.name, "volume", "rm", *ours.has("volumes")], check=True, capture_output=True)
    ours.prepare()

    request = {"resourceArn": cluster.arn, "secretArn": cluster.master_secret, "sql": "SELECT 1"}
    with pytest.raises(ClientError, match=r"with the data of this cluster is gone") as refused:
        ours.emulated().client("rds-data").execute_statement(**request)
    assert refused.value.response["Error"]["Code"] == "DatabaseUnavailableException"
    assert ours.has("volumes") == []


def test_without_the_image_the_embedded_one_is_used_and_says_why(machine: Callable[[str], Machine]) -> None:
    ours = machine("localhost/serverless-lab-has-no-such-image")
    assert f"PostgreSQL {_MAJOR}, embedded:" in ours.prepare()
    emulated = ours.emulated()
    cluster = Cluster(emulated, made(emulated, "Embedded"), "app")

    assert cluster.master.query("SELECT 1 AS one") == [{"one": 1}]
    assert ours.has("containers") == []
    said = ours.lab("status")
    assert "cannot pull it" in said
    assert re.search(r"The PostgreSQL of \S+: embedded\.", said)
    [new] = json.loads(ours.lab("status", "--json"))["postgresql"]["new_clusters"]
    assert new == {"major": _MAJOR, "image": None, "reason": "no_image"}
