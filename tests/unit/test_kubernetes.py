"""Manifests are checked without a cluster, and a cluster is reached with a token of its own."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING
from unittest.mock import Mock
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.errors import LabError, UsageError
from lab.kubernetes import cluster, manifests, validation
from lab.project import SCRIPTS

if TYPE_CHECKING:
    from pathlib import Path

SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
    - port: 80
"""


def test_a_manifest_that_is_well_has_no_problem() -> None:
    assert validation.problems(SERVICE, "1.35") == []


def test_a_field_that_does_not_exist_is_named() -> None:
    [problem] = validation.problems(SERVICE.replace("ports:", "prots:"), "1.35")

    assert problem.manifest == "Service web"
    assert "prots" in problem.text
    assert str(problem).startswith("7:3: ")


def test_a_number_that_is_a_text_is_pointed_at() -> None:
    [problem] = validation.problems(SERVICE.replace("80", '"eighty"'), "1.35")

    assert problem.text.startswith("spec.ports.0.port: ")


def test_a_kind_that_the_version_does_not_have_is_named() -> None:
    gone = SERVICE.replace("v1\n", "policy/v1beta1\n", 1).replace("Service", "PodDisruptionBudget")

    [problem] = validation.problems(gone, "1.35")

    assert problem.text == "Kubernetes 1.35 has no PodDisruptionBudget of policy/v1beta1"


def test_every_document_is_checked() -> None:
    found = validation.problems(f"{SERVICE}---\nmetadata: {{}}\n---\n- 1\n", "1.35")

    assert [(problem.at.line, problem.text) for problem in found] == [
        (10, "no manifest: it names no kind and apiVersion"),
        (12, "no manifest: it names no kind and apiVersion"),
    ]


def test_an_unknown_version_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"there are schemas for .*1\.35"):
        validation.problems(SERVICE, "1.99")


@pytest.mark.parametrize("version", ["1.3", "1", "", "1.35.0"])
def test_no_other_version_is_taken_in_its_place(version: str) -> None:
    """Such as 1.3, which YAML makes of an unquoted 1.30."""
    with pytest.raises(UsageError, match=f"--kubernetes-version {version}: there are schemas for"):
        validation.problems(SERVICE, version)


@pytest.mark.parametrize("text", ["", "# nothing", "---\n---\n"])
def test_what_has_no_manifest_is_not_well(text: str) -> None:
    with pytest.raises(UsageError, match="There is no manifest in it"):
        validation.problems(text, "1.35")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: web}\n",
            "4:20: Pod web: spec.containers: ",
        ),
        ("apiVersion: v1\nkind: Pod\nmetadata: [web]\nspec: {containers: []}\n", "3:1: Pod ?: metadata: "),
        ("apiVersion: 1\nkind: Pod\n", "1:1: no manifest"),
        ("apiVersion: v1\nkind: [Pod]\n", "1:1: no manifest"),
    ],
)
def test_a_manifest_of_another_shape_is_refused(text: str, said: str) -> None:
    [problem] = validation.problems(text, "1.35")

    assert str(problem).startswith(said)


def test_pods_are_held_to_restricted_pod_security() -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {hostPID: true, containers: []}\n"

    [problem] = validation.problems(text, "1.35")

    assert str(problem) == "4:17: Pod web: hostPID is true: not with restricted pods"


def test_a_container_is_pointed_at_where_it_says_what_is_refused_or_would_have_to_say_more() -> None:
    text = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {}
  template:
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: first
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: {drop: [ALL]}
            privileged: true
        - name: second
          securityContext:
            allowPrivilegeEscalation: false
"""

    found = [str(problem) for problem in validation.problems(text, "1.35")]

    assert [one.partition(": Deployment web: ")[::2] for one in found] == [
        ("15:25", "container first: privileged is true: false"),
        ("17:11", "container second: capabilities.drop lacks ALL"),
    ]


POD = "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {hostPID: true, containers: []}}"


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        (
            f"apiVersion: v1\nkind: List\nitems:\n- {SERVICE.strip().replace(chr(10), chr(10) + '  ')}\n- {POD}\n",
            11,
            "hostPID",
        ),
        (f"apiVersion: v1\nkind: PodList\nitems:\n- {POD}\n", 4, "hostPID"),
        ("apiVersion: v1\nkind: PodList\nitems:\n- {spec: {hostPID: true, containers: []}}\n", 4, "hostPID"),
        (f"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - {POD}\n", 7, "hostPID"),
        ("apiVersion: v1\nkind: List\nitems:\n- {metadata: {name: web}}\n", 4, "no manifest"),
        ("apiVersion: v1\nkind: List\nitems:\n- 1\n", 4, "no manifest"),
        ("apiVersion: v1\nkind: List\nitems: {}\n", 2, "has no List of v1"),
    ],
)
def test_what_is_in_a_list_is_checked_one_by_one(text: str, at: int, said: str) -> None:
    [problem] = validation.problems(text, "1.35")

    assert problem.at.line == at
    assert said in problem.text


def test_an_empty_list_has_no_manifest() -> None:
    with pytest.raises(UsageError, match="There is no manifest in it"):
        validation.problems("apiVersion: v1\nkind: List\nitems: []\n", "1.35")


def test_a_key_that_is_given_twice_is_found_in_its_line_and_the_rest_is_checked() -> None:
    twice = SERVICE + "    - port: 443\n  ports: []\n"

    first, second = validation.problems(f"{twice}---\n{SERVICE.replace('ports:', 'prots:')}", "1.35")

    assert str(first) == "10:3: ports is given twice: leave one of them out (line 10)"
    assert (second.at.line, second.manifest) == (18, "Service web")


def test_text_that_is_no_yaml_is_a_problem_of_its_line() -> None:
    [problem] = validation.problems(f"{SERVICE}---\na: [", "1.35")

    assert str(problem).startswith("11:1: ")
    assert "this is no YAML" in problem.text


def test_the_command_names_the_file_and_fails(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(SERVICE.replace("ports:", "prots:"))

    result = CliRunner().invoke(app, ["eks", "validate", str(file)])

    assert result.exit_code == 1
    assert f"{file}:7:3: Service web: " in result.output


def test_a_program_gets_the_problems_as_json(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(SERVICE.replace("ports:", "prots:"))

    wrong = CliRunner().invoke(app, ["eks", "validate", str(file), "--json"])
    well = CliRunner().invoke(app, ["eks", "validate", "-", "--json"], input=SERVICE)

    [problem] = json.loads(wrong.stdout)["problems"]
    assert (wrong.exit_code, problem["line"], problem["manifest"]) == (1, 7, "Service web")
    assert (well.exit_code, json.loads(well.stdout)) == (0, {"kubernetes": "1.35", "problems": []})


def test_the_command_reads_standard_input_and_says_what_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_bytes(b"\xff\xfe")

    assert CliRunner().invoke(app, ["eks", "validate", "-"], input=SERVICE).exit_code == 0
    assert "is not UTF-8 text" in str(CliRunner().invoke(app, ["eks", "validate", str(file)]).exception)


def test_the_command_says_that_all_is_well(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(SERVICE)

    result = CliRunner().invoke(app, ["eks", "validate", str(file)])

    assert result.exit_code == 0
    assert "well, for Kubernetes 1.35" in result.output


@pytest.mark.parametrize("image", ["web", "web:latest", ""])
def test_an_image_that_is_not_pinned_is_refused_as_a_wrong_option(image: str) -> None:
    result = CliRunner().invoke(app, ["eks", "manifests", "--image", image])

    assert isinstance(result.exception, UsageError)
    assert f"image is {image}: an image with its tag" in str(result.exception)


def test_only_the_command_puts_the_node_js_of_set_up_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.environ["PATH"].replace(f"{SCRIPTS}{os.pathsep}", ""))
    before, paths = dict(os.environ), []
    manifests.of_image("web:1")
    assert dict(os.environ) == before

    def of_image(_: str) -> str:
        paths.append(os.environ["PATH"])
        return SERVICE

    monkeypatch.setattr(manifests, "of_image", of_image)
    assert CliRunner().invoke(app, ["eks", "manifests", "--image", "web:1"]).exit_code == 0
    assert paths[0].startswith(f"{SCRIPTS}{os.pathsep}")


def test_a_token_is_a_signed_question_that_names_the_cluster() -> None:
    session = boto3.Session("AKIDEXAMPLE", "secret", region_name="eu-west-1")

    prefix, _, text = cluster.token(session, "web").partition(".")
    url = urlsplit(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode())
    asked = parse_qs(url.query)

    assert prefix == "k8s-aws-v1"
    assert asked["Action"] == ["GetCallerIdentity"]
    assert asked["X-Amz-SignedHeaders"] == ["host;x-k8s-aws-id"]
    assert "secret" not in url.geturl()


def test_nobody_else_reads_the_file_for_kubectl_and_it_is_gone_afterwards(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    command = tmp_path / "kubectl"
    command.write_text(f'#!/bin/sh\nstat -c %a "$KUBECONFIG"; cat "$KUBECONFIG"; cat > {asked}\n')
    command.chmod(0o755)
    session = boto3.Session("AKIDEXAMPLE", "secret", region_name="eu-west-1")
    client = Mock()
    client.describe_cluster.return_value = {
        "cluster": {"endpoint": "https://127.0.0.1:1", "certificateAuthority": {"data": "Y2E="}}
    }
    real = session.client
    session.client = lambda name, **options: client if name == "eks" else real(name, **options)  # type: ignore[method-assign, assignment, call-overload]

    with cluster.reached(session, "web", str(command)) as kubectl:
        mode, _, config = kubectl("apply", "-f", "-", given=SERVICE).partition("\n")

    assert mode == "600"
    assert json.loads(config)["users"][0]["user"]["token"].startswith("k8s-aws-v1.")
    assert asked.read_text() == SERVICE
    assert not kubectl.kubeconfig.exists()


def test_what_kubectl_says_when_it_fails_is_told(tmp_path: Path) -> None:
    command = tmp_path / "kubectl"
    command.write_text("#!/bin/sh\necho 'no such namespace' >&2; exit 1\n")
    command.chmod(0o755)

    with pytest.raises(LabError, match=r"`kubectl get pods` failed: no such namespace"):
        cluster.Kubectl(str(command), tmp_path / "config")("get", "pods")


def test_an_endpoint_without_anybody_does_not_answer() -> None:
    assert not cluster.answers("https://127.0.0.1:1")
