"""The commands about specifications: what they refuse, what they print, and with which status they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.errors import LabError, UsageError
from lab_stacks.eks_anywhere_clusters import BARE_METAL, VSPHERE
from lab_stacks.names import UnknownNameError

if TYPE_CHECKING:
    from click.testing import Result

EXAMPLE = Path(__file__).with_name("eks_anywhere_examples") / "bundle-release.yaml"
MINE = """
from dataclasses import replace
from lab_stacks.eks_anywhere_clusters import DOCKER
MINE = replace(DOCKER, name="mine")
OTHER = 1
"""


def run(*words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["eks-anywhere", *words], input=stdin)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "factory.yaml"
    path.write_text(VSPHERE.as_yaml())
    return path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["validate", "nowhere.yaml"], "nowhere.yaml cannot be read"),
        (["validate", "-", "--network", "all"], "--network all"),
        (["validate", "-", "--dhcp-range", "10.0.0.1"], "two addresses"),
        (["validate", "-", "--dhcp-range", "10.0.0.9-10.0.0.1"], "comes after the last"),
        (["render", "nowhere.py:A"], "nowhere.py is no Python file"),
        (["plan-upgrade", "-"], "Say where to"),
        (["connect", "plant", "--provider", "CLOUD"], "There is no provider CLOUD"),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], said: str) -> None:
    done = run(*words, stdin="")

    assert isinstance(done.exception, UsageError | UnknownNameError)
    assert said in str(done.exception)


def test_an_unknown_cluster_is_refused_with_those_there_are() -> None:
    assert "bare-metal" in str(run("render", "metal").exception)


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (MINE, "OTHER", "has no Cluster that is called OTHER"),
        (MINE, "GONE", "has no Cluster that is called GONE"),
        ("1 / 0", "A", "does not run: ZeroDivisionError"),
        (MINE.replace('name="mine"', 'name="1"'), "MINE", "is no name for a cluster"),
    ],
)
def test_a_file_that_has_no_cluster_is_refused(tmp_path: Path, text: str, name: str, said: str) -> None:
    path = tmp_path / "clusters.py"
    path.write_text(text)

    done = run("render", f"{path}:{name}")

    assert isinstance(done.exception, LabError)
    assert said in str(done.exception)


def test_a_cluster_of_one_s_own_is_rendered_and_what_is_rendered_is_valid(tmp_path: Path) -> None:
    path, rendered = tmp_path / "clusters.py", tmp_path / "mine.yaml"
    path.write_text(MINE)

    assert run("render", f"{path}:MINE", "--output", str(rendered)).exit_code == 0
    assert rendered.read_text() == run("render", f"{path}:MINE").stdout
    assert run("validate", str(rendered), "-", stdin=rendered.read_text()).exit_code == 0


def test_what_is_wrong_is_printed_with_its_line_and_ends_with_1(file: Path) -> None:
    file.write_text(file.read_text().replace("'1.35'", "1.30"))

    shown, read = run("validate", str(file)), run("validate", str(file), "--json")

    assert (shown.exit_code, read.exit_code) == (1, 1)
    assert f"{file}:8:22: spec.kubernetesVersion: YAML reads 1.30 as the number 1.3" in shown.stdout
    [finding] = json.loads(read.stdout)[str(file)]["findings"]
    assert (finding["line"], finding["column"], finding["rule"]) == (8, 22, "yaml")


def test_a_network_and_a_range_are_held_against_the_addresses(file: Path) -> None:
    words = ("--network", "10.20.0.0/22", "--dhcp-range")

    assert run("validate", str(file), *words, "10.20.1.0-10.20.3.250").exit_code == 0
    assert run("validate", str(file), *words, "10.20.0.1-10.20.0.99").exit_code == 1


@pytest.mark.parametrize("command", [["plan-upgrade", "--to", "1.36"], ["bundle"]])
def test_nothing_is_planned_with_what_is_wrong(file: Path, command: list[str]) -> None:
    file.write_text(file.read_text().replace("count: 3", "count: 2"))

    done = run(command[0], str(file), *command[1:])

    assert isinstance(done.exception, LabError)
    assert ":32:12: spec.externalEtcdConfiguration.count: 2 is even" in str(done.exception)


@pytest.mark.parametrize("command", [["plan-upgrade", "--to", "1.36"], ["bundle"]])
def test_nothing_is_planned_for_two_clusters_at_once(file: Path, command: list[str]) -> None:
    file.write_text(BARE_METAL.as_yaml() + VSPHERE.as_yaml())

    done = run(command[0], str(file), *command[1:])

    assert isinstance(done.exception, UsageError)
    assert "has the clusters warehouse, factory: give a file with one of them" in str(done.exception)


def test_a_kit_is_printed_for_a_person_and_for_a_program(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.yaml"
    file.write_text(BARE_METAL.as_yaml())

    shown, read = run("bundle", str(file)), json.loads(run("bundle", str(file), "--json").stdout)

    assert "Projects of registry.example.com:443: bottlerocket" in shown.stdout
    assert len(read["images"]) == 10
    assert isinstance(run("bundle", str(file), "--manifest", "nowhere").exception, UsageError)


def test_a_kit_of_an_older_kubernetes_asks_for_the_bundle_s_manifest_and_takes_it(tmp_path: Path) -> None:
    file, bundle = tmp_path / "old.yaml", tmp_path / "bundle-release.yaml"
    specification = BARE_METAL.as_yaml().replace("eksaVersion: v0.26.0", "eksaVersion: v0.22.0")
    file.write_text(specification.replace("'1.35'", "'1.29'").replace("kube-v1.35", "kube-v1.29"))
    bundle.write_text(EXAMPLE.read_text().replace('kubeVersion: "1.30"', 'kubeVersion: "1.29"'))

    refused, taken = run("bundle", str(file)), run("bundle", str(file), "--manifest", str(bundle))

    assert isinstance(refused.exception, UsageError)
    assert "Kubernetes 1.29" in str(refused.exception)
    assert "--manifest eks-anywhere-downloads/bundle-release.yaml" in str(refused.exception)
    assert taken.exit_code == 0, taken.exception
