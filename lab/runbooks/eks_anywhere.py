"""EKS Anywhere: specifications are written, checked and planned with, and a cluster is connected to the console."""

from __future__ import annotations

import base64
import json
import stat
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import yaml

from lab.eks_anywhere import connector, upgrade, validation
from lab.eks_d import comparison, releases
from lab.errors import LabError
from lab.runbook import Evidence, NotMadeError, Runbook
from lab_stacks.eks_anywhere_clusters import CLUSTERS, VSPHERE
from lambda_src.eks_anywhere.crds import kubernetes_versions

if TYPE_CHECKING:
    from lab.deployment import Deployment

runbook = Runbook()
# What a specification says, what is put in its place, and what of that is wrong.
_BREAKS = [
    ("  clusterNetwork:", "  networkPlugin: cilium\n  clusterNetwork:", "networkPlugin"),
    (f"kubernetesVersion: '{VSPHERE.kubernetes_version}'", "kubernetesVersion: 1.30", "1.30"),
    ("  externalEtcdConfiguration:\n    count: 3", "  externalEtcdConfiguration:\n    count: 2", "count: 2"),
    ("    name: factory-md-0", "    name: factory-workers", "factory-workers"),
    ("host: 10.20.0.10", "host: 10.20.2.10", "10.20.2.10"),
]


@runbook.check("The specification of each provider is what EKS Anywhere takes", evidence=Evidence.OFFLINE)
def specifications_hold(deployed: Deployment) -> str:  # noqa: ARG001 - as every check
    """Rendered as YAML, read again, and held against EKS Anywhere's own schemas and rules."""
    documents = 0
    for name, cluster in CLUSTERS.items():
        report = validation.validate(cluster.as_yaml(), cluster.site)
        assert not report.findings, f"{name}: {report.findings[0].problem}"
        documents += len(report.documents)
    return f"{len(CLUSTERS)} clusters, {documents} documents: {', '.join(CLUSTERS)}"


@runbook.check("A broken specification is refused at the line that is wrong", evidence=Evidence.OFFLINE)
def broken_is_refused(deployed: Deployment) -> str:  # noqa: ARG001
    """A field that does not exist, an unquoted 1.30, even etcd, workers without machines, an address of DHCP."""
    whole = VSPHERE.as_yaml()
    seen = []
    for was, broken, wrong in _BREAKS:
        assert whole.count(was) == 1, f"{was!r} is not once in the specification"
        text = whole.replace(was, broken)
        line = text[: text.index(wrong)].count("\n") + 1
        findings = validation.validate(text, VSPHERE.site).findings
        assert [finding.line for finding in findings] == [line], f"{wrong!r} in line {line}: found {findings}"
        seen.append(f"line {line} {findings[0].problem.rule}")
    return ", ".join(seen)


@runbook.check("An upgrade plan takes one minor version at a time, in an order that can be", evidence=Evidence.OFFLINE)
def upgrade_is_planned(deployed: Deployment) -> str:  # noqa: ARG001
    """From the oldest EKS Anywhere that has Kubernetes 1.30 to the newest of both; after each step, the rules hold."""
    newest = next(iter(kubernetes_versions()))
    oldest = next(one for one in reversed([*kubernetes_versions()]) if "1.30" in kubernetes_versions()[one])
    target = kubernetes_versions()[newest][0]
    text = VSPHERE.as_yaml().replace(VSPHERE.kubernetes_version, "1.30").replace("v0.26.0", f"v{oldest}.0")
    report = validation.validate(text)
    assert not report.findings, f"{report.findings[0].problem}"
    plan = upgrade.plan("factory.yaml", report.documents, kubernetes=target, eks_anywhere=newest)
    changes = [change for step in plan.steps for change in step.changes]
    versions = [change.after for change in changes if change.field == "spec.kubernetesVersion"]
    expected = [f"1.{minor}" for minor in range(31, int(target.partition(".")[2]) + 1)]
    assert versions == expected, f"by way of {versions}"
    releases_taken = [change.after for change in changes if change.field == "spec.eksaVersion"]
    assert len(releases_taken) == int(newest.partition(".")[2]) - int(oldest.partition(".")[2]), f"{releases_taken}"
    try:
        upgrade.plan("factory.yaml", report.documents, kubernetes="1.29")
    except LabError as error:
        refused = str(error)
    else:
        raise AssertionError("a way back was planned")
    assert "no upgrade" in refused, refused
    way = f"EKS Anywhere {oldest} to {newest}, Kubernetes 1.30 to {target}"
    return f"{len(plan.steps)} steps, {way}; a way back is refused"


@runbook.check("A cluster's images are told from those of another EKS Distro release", evidence=Evidence.OFFLINE)
def images_are_checked(deployed: Deployment) -> str:  # noqa: ARG001
    """The images of one release of each channel, held against it and against the one before."""
    newest, before = releases.pinned()[:2]
    images = [image.uri for image in newest.images]
    same, other = comparison.check(images, newest), comparison.check(images, before)
    assert all(one.verdict is comparison.Verdict.OF_THE_RELEASE for one in same), f"{same}"
    assert all(one.verdict is comparison.Verdict.OTHER_RELEASE for one in other), f"{other}"
    channels = {one.channel for one in releases.pinned()}
    return f"{len(images)} images of {newest.name}, none of {before.name}; {len(channels)} channels known"


@runbook.check("A cluster is registered, under a name once, and deregistered", evidence=Evidence.CONTROL_PLANE_ONLY)
def cluster_is_connected(deployed: Deployment) -> str:
    """By EKS Connector: the manifest is its owner's alone, and nothing else has the activation code."""
    client, name = deployed.client("eks"), f"runbook-{uuid.uuid4()}"
    with tempfile.TemporaryDirectory() as folder:
        manifest, second = Path(folder, "eks-connector.yaml"), Path(folder, "second.yaml")
        made = connector.register(deployed.target.session, name, deployed.output("ConnectorRoleArn"), manifest)
        try:
            mode = stat.S_IMODE(manifest.stat().st_mode)
            assert mode == 0o600, f"the manifest's mode is {mode:o}"
            code = _activation_code(manifest)
            described = client.describe_cluster(name=name)["cluster"]
            assert described["status"] == "PENDING", described["status"]
            assert code not in json.dumps(described, default=str), "describing the cluster tells its activation code"
            assert code not in repr(made), "the registration tells its activation code"
            assert name not in client.list_clusters()["clusters"], "it is listed among the clusters of EKS"
            assert name in client.list_clusters(include=["all"])["clusters"], "it is not listed"
            _refused_twice(deployed, name, second)
        finally:
            connector.deregister(deployed.target.session, name)
    try:
        connector.deregister(deployed.target.session, name)
    except LabError:
        return f"PENDING until {made.expires:%Y-%m-%d %H:%M}, manifest 0600, the name refused twice, and gone"
    raise AssertionError(f"{name} was deregistered twice")


@runbook.check("The agent's role opens a channel for a cluster, and may do nothing else", evidence=Evidence.TEMPLATE)
def role_is_narrow(deployed: Deployment) -> str:
    """The role that AWS Systems Manager takes on for the agent."""
    client = deployed.client("iam")
    name = deployed.output("ConnectorRoleArn").rpartition("/")[2]
    role = client.get_role(RoleName=name)["Role"]
    [trusted] = _document(role["AssumeRolePolicyDocument"])["Statement"]
    assert trusted["Principal"] == {"Service": "ssm.amazonaws.com"}, f"trusts {trusted['Principal']}"
    attached = client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert not attached, f"{attached}"
    statements = []
    for policy in client.list_role_policies(RoleName=name)["PolicyNames"]:
        document = client.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        statements += _document(document)["Statement"]
    actions = {action for one in statements for action in _listed(one["Action"])}
    assert {action.partition(":")[0] for action in actions} == {"ssmmessages"}, f"{actions}"
    return f"{len(actions)} actions of ssmmessages"


@runbook.check("Curated packages are pulled from the registry of the subscription's region", evidence=Evidence.TEMPLATE)
def packages_can_be_pulled(deployed: Deployment) -> str:
    """Curated packages require an Enterprise subscription: -c packages_region=us-west-2 adds the policy."""
    arn = deployed.outputs.get("PackagesPolicyArn")
    if arn is None:
        raise NotMadeError(
            "The stack has no policy for curated packages: `lab up eks-anywhere -c packages_region=...`."
        )
    client = deployed.client("iam")
    version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = _document(client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    [pull] = [one for one in document["Statement"] if one["Resource"] != "*"]
    account = deployed.output("PackagesRegistry").partition(".")[0]
    assert f":{account}:" in json.dumps(pull["Resource"]), f"{pull['Resource']} is not the registry's"
    return f"from {deployed.output('PackagesRegistry')}, {len(_listed(pull['Action']))} actions that read"


@runbook.check("The agent of a registered cluster answers", evidence=Evidence.AWS_ONLY)
def agent_answers(deployed: Deployment) -> str:
    """No agent runs on the emulator: on AWS, one of the registered clusters is ACTIVE."""
    client = deployed.client("eks")
    names = client.list_clusters(include=["all"])["clusters"]
    described = [client.describe_cluster(name=name)["cluster"] for name in names]
    registered = [one for one in described if "connectorConfig" in one]
    if not registered:
        raise NotMadeError("No cluster is registered: `lab eks-anywhere connect NAME --target aws`.")
    active = [one["name"] for one in registered if one["status"] == "ACTIVE"]
    assert active, f"{len(registered)} registered, none ACTIVE: apply the manifest within three days"
    return f"{', '.join(active)}"


def _activation_code(manifest: Path) -> str:
    secrets = [one for one in yaml.safe_load_all(manifest.read_text()) if one["kind"] == "Secret" and "data" in one]
    [code] = [base64.b64decode(one["data"]["code"]).decode() for one in secrets]
    assert code, "the manifest has no activation code"
    return code


def _refused_twice(deployed: Deployment, name: str, manifest: Path) -> None:
    try:
        connector.register(deployed.target.session, name, deployed.output("ConnectorRoleArn"), manifest)
    except LabError:
        assert not manifest.exists(), "a refused registration left a manifest"
        return
    raise AssertionError(f"{name} was registered twice")


def _document(given: Any) -> dict[str, Any]:
    """Return a policy's document; botocore decodes those of AWS, and an emulator's may be text."""
    document: dict[str, Any] = json.loads(unquote(given)) if isinstance(given, str) else given
    return document


def _listed(given: Any) -> list[str]:
    return [given] if isinstance(given, str) else list(given)
