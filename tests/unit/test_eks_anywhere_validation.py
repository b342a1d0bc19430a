"""Anybody's file is checked as EKS Anywhere would, and what is wrong is pointed at."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.eks_anywhere.validation import Report, validate
from lab_stacks.eks_anywhere_clusters import VSPHERE
from lambda_src.eks_anywhere import crds
from lambda_src.eks_anywhere.specification import Site

EXAMPLES = Path(__file__).with_name("eks_anywhere_examples")
TAKEN = sorted((EXAMPLES / "taken").glob("*.yaml"))
REFUSED: dict[str, list[list[object]]] = json.loads((EXAMPLES / "refused.json").read_text())
WHOLE = VSPHERE.as_yaml()


def seen(report: Report) -> list[list[object]]:
    """Return lines and rules; that no release of today has the old Kubernetes of an example is no news."""
    return [
        [finding.line, finding.problem.rule]
        for finding in report.findings
        if finding.problem.rule != "kubernetes-support"
    ]


@pytest.mark.parametrize("example", TAKEN, ids=lambda path: path.stem)
def test_what_upstream_takes_is_taken(example: Path) -> None:
    assert seen(validate(example.read_text())) == []


@pytest.mark.parametrize("example", REFUSED)
def test_what_upstream_refuses_is_refused_in_its_line(example: str) -> None:
    assert REFUSED[example]
    assert seen(validate((EXAMPLES / example).read_text())) == REFUSED[example]


def test_every_example_is_tried() -> None:
    refused = {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.glob("*/*.yaml")} - REFUSED.keys()

    assert refused == {str(path.relative_to(EXAMPLES)) for path in TAKEN}


def test_namespaces_that_differ_are_found_once_the_version_is_quoted() -> None:
    example = EXAMPLES / "refused" / "cluster_1_20_namespace_mismatch_between_cluster_and_datacenter.yaml"

    report = validate(example.read_text().replace("kubernetesVersion: 1.20", 'kubernetesVersion: "1.20"'))

    assert "namespace" in [rule for _, rule in seen(report)]


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("1.30", "the number 1.3"),
        ("1.31", "the number 1.31"),
        ("on", "true"),
        ("no", "false"),
        ("0x10", "the number 16"),
    ],
)
def test_what_yaml_makes_of_an_unquoted_text_is_named(written: str, read_as: str) -> None:
    [finding] = validate(WHOLE.replace("'1.35'", written)).findings

    assert (finding.line, finding.column) == (8, 22)
    assert finding.problem.text == (
        f'YAML reads {written} as {read_as}, and this is a text: write "{written}", in quotation marks'
    )


@pytest.mark.parametrize("text", ["2026-01-01", "52:54:00:12:34:56", "1_2_3x"])
def test_what_go_reads_as_text_is_text(text: str) -> None:
    assert validate(WHOLE.replace("datacenter: hall", f"datacenter: {text}")).findings == []


@pytest.mark.parametrize(
    ("was", "broken", "line", "said"),
    [
        ("  kubernetesVersion:", "  kubernetesVersion: '1.35'\n  kubernetesVersion:", 9, "given twice"),
        ("  name: factory", "  ? [a]\n  : b\n  name: factory", 5, "a key is no text"),
        ("  kubernetesVersion:", "  on: 1\n  kubernetesVersion:", 8, "the key on is no text"),
        ("  kubernetesVersion:", "\tkubernetesVersion:", 8, "this is no YAML"),
        ("  kubernetesVersion:", "  kubernetesVerison:", 8, "kubernetesVersion?"),
        ("spec:", "spec: &all\n  again: *all", 7, "inside of what it stands for"),
        ("'1.35'", "!!binary aGk=", 8, "binary is no type of JSON"),
        ("'1.35'", "!python/object:os.system x", 8, "is no type of JSON"),
        ("'1.35'", "!!bool maybe", 1, "cannot be read"),
    ],
)
def test_what_is_no_yaml_for_kubernetes_is_refused_in_its_line(was: str, broken: str, line: int, said: str) -> None:
    findings = validate(WHOLE.replace(was, broken, 1)).findings

    assert (findings[0].line, said in findings[0].problem.text) == (line, True), findings


def test_aliases_of_aliases_are_refused_before_they_fill_the_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    [finding] = validate("\n".join(lines)).findings

    assert "its aliases make more than" in finding.problem.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no document of EKS Anywhere"),
        ("---\n---\n", "no document of EKS Anywhere"),
        ("- a", "is no object"),
        ("apiVersion: v1\nkind: Secret\n", "no document of EKS Anywhere"),
        ("kind: Cluster\n", "apiVersion"),
        ("apiVersion: anywhere.eks.amazonaws.com/v1alpha2\nkind: Cluster\n", "v1alpha1"),
        ("a: \x00", "this is no YAML"),
    ],
)
def test_what_is_no_specification_at_all_is_said(text: str, said: str) -> None:
    findings = validate(text).findings

    assert any(said in str(finding.problem) for finding in findings), findings


@pytest.mark.parametrize("depth", [900, 3000])
@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ("- ", "")], ids=["flow", "block"])
def test_what_is_nested_too_deeply_is_one_problem(opened: str, closed: str, depth: int) -> None:
    [finding] = validate(f"{opened * depth}a{closed * depth}").findings

    # Python's limit is met, or before that libyaml's own: 1000 levels, if it is a version that has one.
    said = "this cannot be read: RecursionError|this is no YAML: .*: exceeded maximum nesting depth"
    assert re.search(said, finding.problem.text), finding


def test_what_else_is_in_a_file_is_let_be_and_counted() -> None:
    other = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}\n"

    assert validate(f"{other}{WHOLE}").findings == []
    [finding] = validate(
        f"{other}{WHOLE.replace('count: 3', 'count: 2', 2).replace('count: 2', 'count: 3', 1)}"
    ).findings
    assert finding.line == 4 + 32


def test_a_field_without_a_value_is_one_that_is_not_given() -> None:
    [finding] = validate(WHOLE.replace("server: vcenter.example.com", "server:")).findings

    assert (finding.problem.field, finding.problem.text) == ("spec.server", "this field is missing")
    assert WHOLE.splitlines()[finding.line - 1] == "  server: vcenter.example.com"


def test_addresses_are_held_against_a_network_that_no_document_names() -> None:
    site = Site(network="10.20.8.0/24", dhcp_range=("10.20.0.0", "10.20.0.99"))

    assert [finding.problem.rule for finding in validate(WHOLE, site).findings] == ["site", "site"]


def test_a_release_that_is_newer_than_what_is_known_says_itself_what_it_has() -> None:
    assert validate(WHOLE.replace("v0.26.0", "v0.99.0")).findings == []


@pytest.mark.parametrize(
    "given",
    [
        "kubeletConfiguration: {kind: KubeletConfiguration, maxPods: 20}",
        "machineHealthCheck: {maxUnhealthy: 2}",
        "machineHealthCheck: {maxUnhealthy: 40%}",
    ],
)
def test_what_upstream_leaves_open_stays_open(given: str) -> None:
    text = WHOLE.replace("  controlPlaneConfiguration:\n", f"  controlPlaneConfiguration:\n    {given}\n")

    assert validate(text).findings == []


def test_schemas_are_made_from_definitions() -> None:
    properties = {
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "either": {"x-kubernetes-int-or-string": True},
        "texts": {"type": "object", "additionalProperties": {"type": "string", "description": "left out"}},
        "parts": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer"}}}},
        "none": {"type": "string", "nullable": True},
    }
    described = {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}
    definition = {
        "spec": {"names": {"kind": "Thing"}, "versions": [{"schema": {"openAPIV3Schema": described}}]},
    }

    made = crds.schema(definition)

    assert made["required"] == ["apiVersion", "kind", "metadata"]
    assert made["properties"]["spec"] == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "open": {"type": "object"},
            "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
            "texts": {"type": "object", "additionalProperties": {"type": "string"}},
            "parts": {
                "type": "array",
                "items": {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "integer"}}},
            },
            "none": {"type": ["string", "null"]},
        },
    }


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(WHOLE)), st.integers(0, 9), st.text(max_size=3))
def test_no_damage_to_a_file_ends_in_anything_but_an_answer(at: int, lost: int, put: str) -> None:
    for finding in validate(WHOLE[:at] + put + WHOLE[at + lost :]).findings:
        assert finding.line >= 1
        assert finding.problem.text
