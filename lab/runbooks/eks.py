"""EKS: a private cluster, who may use it, where its pods run; and the manifests of the web image."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from lab.kubernetes import cluster, manifests, validation
from lab.runbook import Evidence, NotMadeError, Runbook
from lab.target import TargetName

if TYPE_CHECKING:
    from lab.deployment import Deployment

runbook = Runbook()
_LOG_TYPES = {"api", "audit", "authenticator", "controllerManager", "scheduler"}


@runbook.check("The cluster is private, and its secrets are encrypted with a key", evidence=Evidence.CONTROL_PLANE_ONLY)
def cluster_is_private(deployed: Deployment) -> str:
    """The endpoint is reached from the VPC, or from networks that were named; a KMS key is over the secrets."""
    described = _cluster(deployed)
    network = described["resourcesVpcConfig"]
    assert network["endpointPrivateAccess"], "the VPC does not reach the endpoint"
    if network["endpointPublicAccess"]:
        assert "0.0.0.0/0" not in network["publicAccessCidrs"], "everybody reaches the endpoint"
    [encrypted] = described["encryptionConfig"]
    assert encrypted["resources"] == ["secrets"], f"encrypted are {encrypted['resources']}"
    reached_from = network["publicAccessCidrs"] if network["endpointPublicAccess"] else ["the VPC alone"]
    return f"Kubernetes {described['version']}, reached from {', '.join(reached_from)}"


@runbook.check(
    "Every log of the control plane is on, and upgrades are as ordered", evidence=Evidence.CONTROL_PLANE_ONLY
)
def logs_are_on(deployed: Deployment) -> str:
    """Five types of logs, which expire; `STANDARD` support ends in an upgrade, `EXTENDED` costs more."""
    described = _cluster(deployed)
    on = {kind for one in described["logging"]["clusterLogging"] if one["enabled"] for kind in one["types"]}
    assert on == _LOG_TYPES, f"off: {', '.join(sorted(_LOG_TYPES - on))}"
    group = f"/aws/eks/{described['name']}/cluster"
    groups = deployed.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    days = {one["logGroupName"]: one.get("retentionInDays") for one in groups}.get(group)
    assert days, f"the logs in {group} never expire"
    support = described["upgradePolicy"]["supportType"]
    ordered = _template_cluster(deployed)["UpgradePolicy"]["SupportType"]
    assert support == ordered, f"{support} and not {ordered}"
    return f"{len(on)} types of logs, kept for {days} days; support {support}"


@runbook.check("Access entries say who may use it, and not who made it", evidence=Evidence.CONTROL_PLANE_ONLY)
def access_is_by_entries(deployed: Deployment) -> str:
    """`API` is the only way in, and no entry is there but those that the stack orders, and AWS's own for its nodes."""
    described = _cluster(deployed)
    mode = described["accessConfig"]["authenticationMode"]
    assert mode == "API", f"the mode is {mode}"
    of_creator = _template_cluster(deployed)["AccessConfig"]["BootstrapClusterCreatorAdminPermissions"]
    assert of_creator is False, "whoever makes the cluster becomes its administrator"
    # What CloudFormation calls an entry begins with whose it is.
    ordered = {name.partition("|")[0] for name in deployed.physical_ids("AWS::EKS::AccessEntry")}
    pages = deployed.client("eks").get_paginator("list_access_entries").paginate(clusterName=described["name"])
    there = {principal for page in pages for principal in page["accessEntries"]}
    assert ordered <= there, f"no entry for {', '.join(sorted(ordered - there))}"
    unordered = there - ordered - _principals_of_aws(deployed, described, there)
    creator = _stack_role(deployed)
    assert creator not in unordered, f"{creator}, which made the cluster, has an entry"
    assert not unordered, f"nobody ordered an entry for {', '.join(sorted(unordered))}"
    return f"mode {mode}, {len(ordered)} entries ordered, {len(there - ordered)} of AWS's own"


@runbook.check("Pods have a place: on Fargate, or on Auto Mode's nodes", evidence=Evidence.CONTROL_PLANE_ONLY)
def pods_have_a_place(deployed: Deployment) -> str:
    """A Fargate profile selects the workload's namespace and the system's; hybrid nodes have kube-proxy and CoreDNS."""
    client, name = deployed.client("eks"), deployed.output("ClusterName")
    described = _cluster(deployed)
    if described.get("remoteNetworkConfig", {}).get("remoteNodeNetworks"):
        lacks = {"coredns", "kube-proxy"} - set(client.list_addons(clusterName=name)["addons"])
        assert not lacks, f"hybrid nodes lack {', '.join(sorted(lacks))}"
    profiles = client.list_fargate_profiles(clusterName=name)["fargateProfileNames"]
    if not profiles:
        pools = described["computeConfig"]["nodePools"]
        assert pools, "neither a Fargate profile nor a node pool"
        return f"Auto Mode's node pools {', '.join(pools)}"
    [profile] = profiles
    details = client.describe_fargate_profile(clusterName=name, fargateProfileName=profile)["fargateProfile"]
    selected = {selector["namespace"] for selector in details["selectors"]}
    assert {deployed.output("Namespace"), "kube-system"} <= selected, f"it selects {', '.join(sorted(selected))}"
    addon = client.describe_addon(clusterName=name, addonName="coredns")["addon"]
    assert json.loads(addon["configurationValues"])["computeType"] == "Fargate", "CoreDNS waits for a node"
    return f"profile for {', '.join(sorted(selected))}; coredns {addon['addonVersion']}"


@runbook.check("The manifests are what Kubernetes and restricted pods take", evidence=Evidence.OFFLINE)
def manifests_are_well(deployed: Deployment) -> str:
    """Against the schemas of the cluster's version; the same with a misspelt field, and as root, are refused."""
    version, text = deployed.output("KubernetesVersion"), manifests.of_section(deployed)
    found = validation.problems(text, version)
    assert not found, "; ".join(map(str, found))
    misspelt = validation.problems(text.replace("readinessProbe:", "readynessProbe:"), version)
    as_root = validation.problems(text.replace("runAsNonRoot: true", "runAsNonRoot: false"), version)
    assert misspelt, "a field that does not exist was taken"
    assert as_root, "a pod as root was taken"
    kinds = [document["kind"] for document in yaml.safe_load_all(text)]
    return f"{len(kinds)} manifests for Kubernetes {version}: {', '.join(dict.fromkeys(kinds))}"


@runbook.check("The workload runs in the cluster, and answers", evidence=Evidence.REAL_CONTAINER)
def workload_answers(deployed: Deployment) -> str:
    """`kubectl` applies the manifests, waits for the pods, and asks the service through the cluster's API."""
    command = cluster.installed()
    if command is None:
        raise NotMadeError("kubectl is not installed: it is what applies manifests.")
    endpoint = _cluster(deployed)["endpoint"]
    if not cluster.answers(endpoint):
        raise NotMadeError(_why_nobody_answers(deployed, endpoint))
    text, namespace = manifests.of_section(deployed), deployed.output("Namespace")
    with cluster.reached(deployed.target.session, deployed.output("ClusterName"), command) as kubectl:
        # What somebody applied before, by `lab eks manifests | kubectl apply -f -`, is theirs to delete.
        was_there = kubectl("get", "namespace", namespace, "--ignore-not-found", "-o", "name").strip()
        try:
            kubectl("apply", "-f", "-", given=text)
            kubectl("-n", namespace, "rollout", "status", f"deployment/{manifests.NAME}", "--timeout=280s")
            pods = json.loads(kubectl("-n", namespace, "get", "pods", "-o", "json"))["items"]
            page = kubectl("get", "--raw", f"/api/v1/namespaces/{namespace}/services/{manifests.NAME}:80/proxy/")
            server = json.loads(kubectl("get", "--raw", "/version"))["gitVersion"]
        finally:
            if not was_there:
                kubectl("delete", "-f", "-", "--ignore-not-found", given=text)
    names = [pod["metadata"]["name"] for pod in pods]
    assert any(name in page for name in names), f"none of {', '.join(names)} answered"
    return f"{len(names)} pods on Kubernetes {server}, and one of them answered"


def _why_nobody_answers(deployed: Deployment, endpoint: str) -> str:
    if deployed.target.name is TargetName.AWS:
        return f"{endpoint} cannot be reached from here: from the VPC it can, or with `-c public_access_from=...`."
    version = deployed.output("KubernetesVersion")
    return (
        f"No Kubernetes answers on {endpoint}: the emulator runs one, k3s, where a container engine had its image when "
        f"the section was deployed. Install Docker or Podman, pull rancher/k3s with a tag of {version}, `lab reset`, "
        "then `EKS_K3S_IMAGE=rancher/k3s:TAG lab run eks`."
    )


def _principals_of_aws(deployed: Deployment, described: dict[str, Any], there: set[str]) -> set[str]:
    """Name those for whom Amazon EKS makes entries by itself: its own roles, Fargate's pods, and Auto Mode's nodes.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
    """
    client, name = deployed.client("eks"), described["name"]
    profiles = [
        client.describe_fargate_profile(clusterName=name, fargateProfileName=profile)["fargateProfile"]
        for profile in client.list_fargate_profiles(clusterName=name)["fargateProfileNames"]
    ]
    return {
        described.get("computeConfig", {}).get("nodeRoleArn"),
        *(profile["podExecutionRoleArn"] for profile in profiles),
        *(principal for principal in there if ":role/aws-service-role/" in principal),
    }


def _stack_role(deployed: Deployment) -> str | None:
    """Return the role that CloudFormation makes the stack with; without one it has whoever deploys."""
    [stack] = deployed.client("cloudformation").describe_stacks(StackName=deployed.section.stack_id)["Stacks"]
    role: str | None = stack.get("RoleARN")
    return role


def _cluster(deployed: Deployment) -> dict[str, Any]:
    answer = deployed.client("eks").describe_cluster(name=deployed.output("ClusterName"))
    described: dict[str, Any] = answer["cluster"]
    return described


def _template_cluster(deployed: Deployment) -> dict[str, Any]:
    [resource] = _resources(deployed, "AWS::EKS::Cluster")
    properties: dict[str, Any] = resource["Properties"]
    return properties


def _resources(deployed: Deployment, kind: str) -> list[dict[str, Any]]:
    return [resource for resource in deployed.template()["Resources"].values() if resource["Type"] == kind]
