"""What runs PostgreSQL is chosen once, said, and had ready when a section needs it, never for one that does not."""

from __future__ import annotations

import json
import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from lab import cdk, deployment, emulator, preflight, target
from lab.engine import service
from lab.engine.discovery import Engine
from lab.errors import LabError, UsageError
from lab.postgresql import choice, preparation
from lab_stacks import catalog

if TYPE_CHECKING:
    from pathlib import Path

ENGINE = Engine("podman", "5.4.0", "amd64", rootless=True)
IMAGE = "registry.example.com/postgres"


class Steps:
    def __init__(self) -> None:
        self.said: list[str] = []

    def step(self, text: str) -> None:
        self.said.append(text)

    def step_failed(self) -> None:
        self.said.append("which failed")

    detail = note = step


class Machine:
    """An engine or none, what its command can do, and what was run."""

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self.can: set[str] = set()
        self.ran: list[str] = []

    def run(self, command: list[Any], **_: Any) -> subprocess.CompletedProcess[str]:
        what = " ".join(map(str, command[1:2]))
        self.ran.append(what if command[0] == "podman" else "set-up")
        said = "a line\nthere is no network."
        done = subprocess.CompletedProcess(command, 0 if self.ran[-1] in self.can else 1, "", said)
        if (what, done.returncode) == ("pull", 0):
            self.can.add("image")
        return done


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine without an engine, where nothing is installed."""
    made = Machine()
    monkeypatch.setattr(preparation, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(preparation, "STATE", tmp_path / "state")
    monkeypatch.setattr(emulator, "lend_engine", lambda: made.engine)
    monkeypatch.setattr(service, "lent", lambda: service.Lent(made.engine, "127.0.0.1:4566") if made.engine else None)
    monkeypatch.setattr(subprocess, "run", made.run)
    monkeypatch.delenv(preparation.IMAGE, raising=False)
    return made


def install(folder: Path) -> None:
    (folder / "postgresql").mkdir()
    (folder / "postgresql" / "made-from").touch()


def prepare(folder: Path, *versions: str, engine: str = "aurora-postgresql") -> list[str]:
    clusters = {
        f"Cluster{number}": {"Type": "AWS::RDS::DBCluster", "Properties": {"Engine": engine, "EngineVersion": version}}
        for number, version in enumerate(versions)
    }
    template = {"Resources": {**clusters, "Queue": {"Type": "AWS::SQS::Queue"}}}
    (folder / "Section.template.json").write_text(json.dumps(template))
    steps = Steps()
    preparation.prepare(folder, {}, steps)
    return steps.said


def test_what_cannot_be_installed_is_said_with_the_reason(tmp_path: Path, machine: Machine) -> None:
    with pytest.raises(LabError, match=r"PostgreSQL for the emulator could not be installed: .*there is no network"):
        prepare(tmp_path, "18.4")
    assert machine.ran == ["set-up"]


def test_an_installation_that_was_interrupted_is_made_again(tmp_path: Path, machine: Machine) -> None:
    (tmp_path / "postgresql" / "bin").mkdir(parents=True)
    with pytest.raises(LabError):
        prepare(tmp_path, "18.4")
    assert machine.ran == ["set-up"]


def test_a_section_that_needs_none_gets_none(tmp_path: Path, machine: Machine) -> None:
    machine.engine = ENGINE
    assert prepare(tmp_path, "8.0", engine="aurora-mysql") == []
    assert machine.ran == []


def test_without_an_engine_it_is_the_embedded_one_of_a_version_that_is_not_newer(
    tmp_path: Path, machine: Machine
) -> None:
    install(tmp_path)
    assert prepare(tmp_path, "18.4", "17.5") == [
        "A new cluster of Aurora PostgreSQL 17 gets: PostgreSQL 16, embedded: no container engine answers",
        "A new cluster of Aurora PostgreSQL 18 gets: PostgreSQL 18, embedded: no container engine answers",
    ]
    assert machine.ran == []


def test_an_image_that_is_there_is_not_pulled_and_nothing_is_installed(tmp_path: Path, machine: Machine) -> None:
    machine.engine, machine.can = ENGINE, {"image"}
    image = "public.ecr.aws/docker/library/postgres:17"

    said = f"A new cluster of Aurora PostgreSQL 17 gets: PostgreSQL 17, in a container of {image}"
    assert prepare(tmp_path, "17.5") == [said]
    assert machine.ran == ["image"]


def test_an_image_is_pulled_once(tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(preparation.IMAGE, IMAGE)
    machine.engine, machine.can = ENGINE, {"pull"}

    assert prepare(tmp_path, "17.5")[0] == f"Pulling PostgreSQL 17, once ({IMAGE}:17)"
    assert prepare(tmp_path, "17.5")[0].endswith(f"PostgreSQL 17, in a container of {IMAGE}:17")
    assert machine.ran == ["image", "pull", "image"]


def test_an_image_that_cannot_be_had_is_not_pulled_again_unless_another_one_is_asked_for(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path)
    machine.engine = ENGINE
    first = prepare(tmp_path, "18.4")
    said = [first[-1], prepare(tmp_path, "18.4")[-1]]

    assert first[1] == "which failed"
    assert said[0].endswith(
        "PostgreSQL 18, embedded: podman has no public.ecr.aws/docker/library/postgres:18 and cannot pull it "
        "(there is no network). Once you have pulled it, `lab up` uses it"
    )
    assert said[0] == said[1]
    assert machine.ran == ["image", "pull", "image"]
    monkeypatch.setenv(preparation.IMAGE, IMAGE)
    machine.can = {"image"}
    assert f"in a container of {IMAGE}:18" in prepare(tmp_path, "18.4")[-1]


def test_an_image_that_somebody_pulled_by_now_is_used(tmp_path: Path, machine: Machine) -> None:
    install(tmp_path)
    machine.engine = ENGINE
    prepare(tmp_path, "18.4")
    machine.can = {"image"}

    assert "in a container of" in prepare(tmp_path, "18.4")[-1]
    assert machine.ran == ["image", "pull", "image"]


@pytest.mark.parametrize("image", ["postgres:17", "registry.example.com:5000/postgres:17", f"{IMAGE}@sha256:abc"])
def test_an_image_with_its_tag_is_refused(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch, image: str
) -> None:
    machine.engine = ENGINE
    monkeypatch.setenv(preparation.IMAGE, image)

    with pytest.raises(UsageError, match=f"SERVERLESS_LAB_POSTGRESQL is {image}: without what follows the name"):
        prepare(tmp_path, "18.4")
    assert machine.ran == []


def test_a_registry_may_have_a_port(tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.engine, machine.can = ENGINE, {"image"}
    monkeypatch.setenv(preparation.IMAGE, "127.0.0.1:5000/postgres")

    assert prepare(tmp_path, "18.4")[-1].endswith("in a container of 127.0.0.1:5000/postgres:18")


def test_who_asks_for_none_gets_the_embedded_one(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path)
    monkeypatch.setenv(preparation.IMAGE, "none")
    machine.engine, machine.can = ENGINE, {"image", "pull"}

    assert "embedded: SERVERLESS_LAB_POSTGRESQL is none" in prepare(tmp_path, "18.4")[-1]
    assert machine.ran == []


def test_an_engine_that_comes_or_goes_changes_the_choice(tmp_path: Path, machine: Machine) -> None:
    install(tmp_path)
    machine.can = {"image"}
    seen = []
    for engine in (None, ENGINE, None):
        machine.engine = engine
        seen.append("container of" in prepare(tmp_path, "18.4")[-1])

    assert seen == [False, True, False]


def test_an_engine_that_cannot_be_lent_is_no_reason_to_fail_and_is_tried_again(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path)
    lent: list[LabError] = [LabError("Podman's API did not start"), UsageError("SERVERLESS_LAB_ENGINE is lxc")]

    def lend() -> Engine:
        raise lent.pop(0)

    monkeypatch.setattr(emulator, "lend_engine", lend)
    assert prepare(tmp_path, "18.4")[-1].endswith("no container engine answers (Podman's API did not start)")
    with pytest.raises(UsageError, match="lxc"):
        prepare(tmp_path, "18.4")
    assert machine.ran == []


def test_a_cluster_stays_where_its_data_is(tmp_path: Path, machine: Machine) -> None:
    machine.engine, machine.can = ENGINE, {"image"}
    prepare(tmp_path, "18.4")
    choice.bind_cluster(preparation.STATE / "cluster-ONE", choice.Binding(f"{IMAGE}:18", "docker at npipe://one"))
    (preparation.STATE / "cluster-TWO" / "data").mkdir(parents=True)

    assert preparation.program_of("cluster-ONE") == f"in a container of {IMAGE}:18, with docker at npipe://one"
    assert preparation.program_of("cluster-TWO") == "embedded"
    assert preparation.program_of("cluster-NEW") == "not used yet"


def test_what_is_chosen_is_for_a_program_too(tmp_path: Path, machine: Machine) -> None:
    install(tmp_path)
    machine.engine = ENGINE
    prepare(tmp_path, "18.4")

    [one] = preparation.chosen()
    assert (one.major, one.image, one.reason) == (18, None, choice.Reason.NO_IMAGE)


def test_what_only_looks_has_no_postgresql_made_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(preparation, "prepare", lambda *_: made.append("PostgreSQL"))
    monkeypatch.setattr(target, "LAB", tmp_path)
    monkeypatch.setattr(deployment, "LAB", tmp_path)
    monkeypatch.setattr(deployment, "settings_of", lambda *_: {})
    monkeypatch.setattr(deployment, "_require_parameters", lambda *_: made.append("parameters"))
    monkeypatch.setattr(deployment, "_require_migrations_unedited", lambda *_: made.append("migrations"))
    monkeypatch.setattr(deployment, "find", lambda section, _: section)
    monkeypatch.setattr(cdk, "synth", lambda *_, **__: tmp_path)
    monkeypatch.setattr(cdk, "run", lambda *_, **__: made.append("deployment"))
    monkeypatch.setattr(preflight, "fit", lambda *_: {})
    monkeypatch.setattr(preflight, "runs_containers", lambda _: False)
    monkeypatch.setattr(preflight, "leave_images_out", lambda _: 0)
    monkeypatch.setattr(target.Local, "__init__", lambda self: setattr(self, "_proxies", {}))
    monkeypatch.setattr(target.Local, "session", SimpleNamespace(client=None))
    monkeypatch.setattr(target.Local, "prepare", lambda *_: None)
    local = target.Local()  # type: ignore[call-arg]

    deployment.synth([catalog.section("aurora")], {}, local, Steps())
    assert made == []
    deployment.deploy([catalog.section("aurora")], {}, local, Steps())
    assert made == ["parameters", "migrations", "PostgreSQL", "deployment"]
