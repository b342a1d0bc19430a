"""The block `WebWorkload`: manifests that Kubernetes and restricted pods take, and options that it refuses."""

from __future__ import annotations

from typing import Any

import cdk8s
import pytest
import yaml

from lab.kubernetes import manifests, validation
from lambda_src.options import InvalidOptionsError
from lambda_src.web_workload.construct import WebWorkload
from lambda_src.web_workload.fargate_logs import FargateLogs

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/web:1"


@pytest.fixture(scope="module")
def text() -> str:
    return manifests.rendered(IMAGE, logs=FargateLogs("pods", "us-east-1"))


def documents(text: str, kind: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document["kind"] == kind]


REFUSED = [
    ({"image": "web"}, "image is web: an image with its tag"),
    ({"image": "web:latest"}, "image is web:latest: an image with its tag"),
    ({"namespace": "Web"}, "namespace is Web: such as web"),
    ({"port": 80}, "port is 80: 1,025 to 65,535"),
    ({"health_path": "health"}, "health_path is health: a path"),
    ({"cpu_millis": 10}, "cpu_millis is 10: 50 to 16,000"),
    ({"memory_mib": 1}, "memory_mib is 1 MiB: 32 to 122,880"),
    ({"min_pods": 1}, "min_pods is 1: 2 or more"),
    ({"min_pods": 4, "max_pods": 3}, "max_pods is 3: min_pods (4) or more"),
]


@pytest.mark.parametrize(("options", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_it_refuses(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidOptionsError) as error:
        WebWorkload(cdk8s.App(), "web", **{"image": IMAGE, **options})

    assert said in str(error.value)


@pytest.mark.parametrize("version", ["1.34", "1.35", "1.36"])
def test_every_supported_kubernetes_takes_the_manifests(text: str, version: str) -> None:
    assert validation.problems(text, version) == []


@pytest.mark.parametrize(
    ("was", "broken", "said"),
    [
        ("runAsNonRoot: true", "runAsNonRoot: false", "Deployment web: container web: runAsNonRoot is False"),
        ("type: RuntimeDefault", "type: Unconfined", "Deployment web: container web: seccompProfile is not set"),
        ("privileged: false", "privileged: true", "Deployment web: container web: privileged is true"),
        ("- ALL", "- NET_RAW", "Deployment web: container web: capabilities.drop lacks ALL"),
        ("readinessProbe:", "readynessProbe:", "Deployment web: spec.template.spec.containers.0"),
        ("maxUnavailable: 1\n", "maxUnavailable: [1]\n", "PodDisruptionBudget web"),
        ("policyTypes:", "policyType:", "NetworkPolicy web"),
        ("minReplicas: 2", "minReplicas: two", "HorizontalPodAutoscaler web"),
    ],
)
def test_what_is_broken_in_them_is_found(text: str, was: str, broken: str, said: str) -> None:
    assert was in text

    found = [str(problem) for problem in validation.problems(text.replace(was, broken), "1.35")]

    assert [problem for problem in found if said in problem], found


def test_there_is_all_that_keeps_a_workload_up(text: str) -> None:
    kinds = {document["kind"] for document in yaml.safe_load_all(text)}

    assert kinds == {
        "Namespace",
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "NetworkPolicy",
        "ConfigMap",
    }


def test_the_budget_and_the_policy_are_about_the_pods_of_the_deployment(text: str) -> None:
    [deployment] = documents(text, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"].items()
    [budget], [policy] = documents(text, "PodDisruptionBudget"), documents(text, "NetworkPolicy")

    assert budget["spec"]["selector"]["matchLabels"].items() <= labels
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels


def test_pods_that_outnumber_nodes_and_zones_have_a_place_all_the_same(text: str) -> None:
    [deployment] = documents(text, "Deployment")
    pods = deployment["spec"]["template"]["spec"]

    assert pods["affinity"].keys() == {"podAntiAffinity"}
    assert pods["affinity"]["podAntiAffinity"].keys() == {"preferredDuringSchedulingIgnoredDuringExecution"}
    preferred = pods["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert {one["podAffinityTerm"]["topologyKey"] for one in preferred} == {
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    }
    labels = deployment["spec"]["template"]["metadata"]["labels"].items()
    assert all(one["podAffinityTerm"]["labelSelector"]["matchLabels"].items() <= labels for one in preferred)


def test_pods_reach_nothing_but_dns_and_are_reached_on_their_port(text: str) -> None:
    [policy] = documents(text, "NetworkPolicy")

    assert [port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]] == [8080]
    assert {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]} == {53}


def test_the_logs_of_fargate_go_to_the_group_that_was_made(text: str) -> None:
    [config] = documents(text, "ConfigMap")

    assert (config["metadata"]["namespace"], config["metadata"]["name"]) == ("aws-observability", "aws-logging")
    assert "log_group_name pods" in config["data"]["output.conf"]
    assert "auto_create_group false" in config["data"]["output.conf"]
