"""A cluster's container never starts on a volume that is not the cluster's, and says why when there is none."""

from __future__ import annotations

import importlib
import json
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from lab.postgresql import choice
from lab.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DOCKER = {"engine": {"name": "docker", "address": "unix:///var/run/docker.sock"}}
PODMAN = {"engine": {"name": "podman", "address": "unix:///lab/podman.sock"}}
WHERE = "docker at unix:///var/run/docker.sock"
PUBLISHED = {"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": "40001"}]}


class DockerError(Exception):
    pass


class NotFoundError(DockerError):
    pass


class Engine:
    """Has volumes, and a container of none of their names."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.made: list[str] = []
        self.ports: dict[str, Any] = PUBLISHED
        self.said = b""
        self.refusal = ""
        self.volumes = SimpleNamespace(get=self._volume, create=self._create_volume)
        self.containers = SimpleNamespace(get=self._no_container, create=self._create_container)

    def _no_container(self, name: str) -> Any:
        raise NotFoundError(name)

    def _volume(self, name: str) -> Any:
        if name not in self.kept:
            raise NotFoundError(name)
        return SimpleNamespace(name=name, remove=lambda: self.kept.remove(name))

    def _create_volume(self, name: str, **_: Any) -> Any:
        self.kept.append(name)
        self.made.append(name)
        return self._volume(name)

    def _create_container(self, *_: Any, **__: Any) -> Any:
        if self.refusal:
            raise DockerError(self.refusal)
        commands = dict.fromkeys(("put_archive", "start", "reload", "stop", "remove"), lambda *_, **__: None)
        return SimpleNamespace(**commands, ports=self.ports, status="running", logs=lambda **_: self.said)


class Place:
    """A cluster's folder, and the engine that is lent at the moment."""

    def __init__(self, folder: Path, record: Path, module: Any) -> None:
        self.folder, self._record = folder, record
        self.module = module
        self.password = folder / "password"
        self.password.write_text("secret")

    def lend(self, record: dict[str, Any] | None) -> None:
        self._record.unlink(missing_ok=True)
        if record:
            self._record.write_text(json.dumps(record))

    def program(self) -> Any:
        return self.module.ContainerProgram("serverless-lab-one", "registry.example.com/postgres:18", self.folder)

    def refusal(self) -> str:
        with pytest.raises(self.module.NoServerError) as refused:
            self.program().start(self.password)
        return str(refused.value)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine) -> Place:
    """Import what runs in the emulator without the emulator and its packages, which are in another environment."""
    for name in ("lab.emulation.ecs", "lab.emulation.rds"):
        package = ModuleType(name)
        package.__path__ = [str(ROOT / name.replace(".", "/"))]
        monkeypatch.setitem(sys.modules, name, package)
    for name in ("lab.emulation.ecs.engine", "lab.emulation.rds.container", "lab.emulation.rds.program"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    errors = ModuleType("docker.errors")
    errors.DockerException, errors.NotFound = DockerError, NotFoundError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "docker", ModuleType("docker"))
    monkeypatch.setitem(sys.modules, "docker.errors", errors)
    monkeypatch.setenv("CONTAINER_ENGINE", str(tmp_path / "engine.json"))
    module = importlib.import_module("lab.emulation.rds.container")
    monkeypatch.setattr(module.engine, "_client", lambda *_: engine)
    (tmp_path / "cluster").mkdir()
    made = Place(tmp_path / "cluster", tmp_path / "engine.json", module)
    made.lend(DOCKER)
    return made


def used(place: Place) -> None:
    """Have the cluster run once, and end."""
    program = place.program()
    assert program.start(place.password) == 40001
    program.keep()
    program.stop()


def test_a_cluster_that_was_used_has_its_volume_again(place: Place, engine: Engine) -> None:
    used(place)
    assert choice.binding_of(place.folder) == choice.Binding("registry.example.com/postgres:18", WHERE)
    used(place)
    assert engine.made == engine.kept == ["serverless-lab-one"]


def test_another_engine_gets_no_empty_volume_and_both_are_named(place: Place, engine: Engine) -> None:
    used(place)
    place.lend(PODMAN)

    said = place.refusal()
    assert f"in a volume of {WHERE}, and what is lent to the emulator is podman at unix:///lab/podman.sock" in said
    assert "`lab up`; or `lab reset`" in said
    place.program().remove()
    assert engine.kept == engine.made == ["serverless-lab-one"]
    place.lend(DOCKER)
    used(place)


def test_a_volume_that_is_gone_is_not_made_anew(place: Place, engine: Engine) -> None:
    used(place)
    engine.kept.clear()

    assert f"serverless-lab-one with the data of this cluster is gone from {WHERE}" in place.refusal()
    assert engine.kept == []


def test_without_an_engine_it_says_what_to_do(place: Place) -> None:
    place.lend(None)
    assert "no container engine is lent to the emulator: see that it answers, then `lab up`" in place.refusal()
    place.lend(DOCKER)
    used(place)
    place.lend(None)
    assert f"in a volume of {WHERE}, and what is lent to the emulator is no container engine" in place.refusal()


@pytest.mark.parametrize("ports", [{}, {"5432/tcp": None}, {"5432/tcp": []}])
def test_a_container_that_ends_at_once_says_why_and_ties_the_cluster_to_nothing(
    place: Place, engine: Engine, ports: dict[str, Any]
) -> None:
    engine.ports, engine.said = ports, b"exec format error\n"

    said = place.refusal()
    assert "ended at once, and said: exec format error. See that the image is PostgreSQL's" in said
    assert "With SERVERLESS_LAB_POSTGRESQL=none, `lab up`" in said
    assert choice.binding_of(place.folder) is None
    engine.ports = PUBLISHED
    used(place)
    assert engine.made == ["serverless-lab-one"] * 2  # what a first start left is no cluster's data
    assert len(engine.kept) == 1


def test_a_container_that_the_engine_refuses_is_no_reason_to_be_tied_to_it(place: Place, engine: Engine) -> None:
    engine.refusal = "no such image"

    assert "No container of registry.example.com/postgres:18 can be started: no such image." in place.refusal()
    assert choice.binding_of(place.folder) is None


def test_an_engine_that_does_not_answer_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise DockerError("connection refused")

    monkeypatch.setattr(place.module.engine, "client", fails)
    assert "can be started: connection refused" in place.refusal()
