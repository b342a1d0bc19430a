"""Connects a cluster outside AWS to the EKS console, and takes it away again.

A registration has an activation code, with which an agent becomes the cluster: it goes from AWS's answer into a file
that nobody else can read, and nowhere else.
"""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from botocore.exceptions import BotoCoreError, ClientError

from lab.errors import LabError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

#: What a cluster may be, as ``eks:RegisterCluster`` has it.
PROVIDERS = ["EKS_ANYWHERE", "ANTHOS", "GKE", "AKS", "OPENSHIFT", "TANZU", "RANCHER", "EC2", "OTHER"]
_TEMPLATE = Path(__file__).with_name("upstream") / "eks-connector.yaml"
_IMAGES = {
    "%EKS_CONNECTOR_IMAGE%": "public.ecr.aws/eks-connector/eks-connector:0.0.11",
    "%SSM_AGENT_IMAGE%": "public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent:3.2.2303.0",
}
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}")
_PERSON = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(user|role)/\S+")


@dataclass(frozen=True)
class Registered:
    """A cluster that is registered, and where the manifest is that its agent needs."""

    name: str
    arn: str
    expires: datetime
    manifest: Path = field(repr=False)


class LeftBehindError(LabError):
    """Something went wrong, and then something else while what was made was taken back: both are said."""

    def __init__(self, what: str, left: Sequence[str], *, interrupted: bool = False) -> None:
        super().__init__(f"{what.rstrip('.')}. Left behind: {'; '.join(left)}.")
        if interrupted:
            self.exit_status = 130


def register(
    session: Any,
    name: str,
    role_arn: str,
    manifest: Path,
    *,
    provider: str = "EKS_ANYWHERE",
    viewers: Sequence[str] = (),
) -> Registered:
    """Register a cluster, and write the manifest that has to be applied to it within three days.

    :param role_arn: of the agent's role.
    :param manifest: a file that is not there yet; only its owner may read it.
    :param viewers: ARNs of users and roles who may look at the cluster in the console.
    :raises UsageError: for what cannot be a name, a viewer or the file; nothing is registered then.
    :raises LeftBehindError: for what went wrong, where not all that was made could be taken back.
    """
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            f"{name} is no name for a cluster: 1 to 100 letters, digits, - and _, a letter or digit first."
        )
    wrong = next((one for one in viewers if _PERSON.fullmatch(one) is None), None)
    if wrong is not None:
        raise UsageError(f"--viewer {wrong}: the ARN of a user or a role of IAM.")
    opened = os.fdopen(_reserve(manifest), "w")
    registered: bool | None = False  # None: asked for, and no answer
    try:
        with opened:
            _ensure_service_linked_role(session.client("iam"))
            client, registered = session.client("eks"), None
            answer = client.register_cluster(name=name, connectorConfig={"roleArn": role_arn, "provider": provider})
            registered = True
            cluster = answer["cluster"]
            text = _manifest(cluster["connectorConfig"], session.region_name, viewers)
            _write(opened, text, manifest)
    except BaseException as error:
        # A registration without its manifest is of no use, and its name would be taken.
        if registered is None and isinstance(error, ClientError):
            registered = False
        left = [*_not_removed(manifest), *_not_taken_back(session, name, registered)]
        told = _told(name, error)
        if left:
            said = told or _said(error)
            raise LeftBehindError(said, left, interrupted=isinstance(error, KeyboardInterrupt)) from error
        if told:
            raise LabError(told) from None
        raise
    return Registered(name, cluster["arn"], cluster["connectorConfig"]["activationExpiry"], manifest)


def deregister(session: Any, name: str) -> None:
    """Take a cluster away from the console; the agent stays in the cluster until it is deleted there.

    :raises LabError: when no cluster of that name is registered.
    """
    try:
        session.client("eks").deregister_cluster(name=name)
    except ClientError as error:
        if _code(error) == "ResourceNotFoundException":
            raise LabError(f"No cluster is registered under the name {name}.") from None
        raise


def _reserve(manifest: Path) -> int:
    """Make the file, for its owner alone, before anything is registered that has to be written to it."""
    try:
        return os.open(manifest, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise UsageError(f"{manifest} is there already: say --manifest with another name, or remove it.") from None
    except OSError as error:
        raise UsageError(f"{manifest} cannot be written: {error.strerror}.") from None


def _write(opened: TextIO, text: str, manifest: Path) -> None:
    try:
        opened.write(text)
        opened.flush()
    except OSError as error:
        raise LabError(f"{manifest} cannot be written: {error.strerror}.") from None


def _not_removed(manifest: Path) -> Iterator[str]:
    try:
        manifest.unlink(missing_ok=True)
    except OSError as error:
        yield f"the file {manifest}, which has to be deleted, as it may have the activation code ({error.strerror})"


def _not_taken_back(session: Any, name: str, registered: bool | None) -> Iterator[str]:
    if registered is None:
        yield f"perhaps the registration of {name}: `aws eks describe-cluster --name {name}` says whether it is there"
    elif registered:
        try:
            session.client("eks").deregister_cluster(name=name)
        except (BotoCoreError, ClientError, KeyboardInterrupt) as error:
            yield f"the registration of {name}: `lab eks-anywhere disconnect {name}` ends it ({_said(error)})"


def _told(name: str, error: BaseException) -> str | None:
    if isinstance(error, ClientError) and _code(error) == "ResourceInUseException":
        return f"{name} is registered already: take another name, or disconnect it first."
    return None


def _said(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted"
    return (
        str(error) if isinstance(error, (LabError, BotoCoreError, ClientError)) else f"{type(error).__name__}: {error}"
    )


def _ensure_service_linked_role(client: Any) -> None:
    try:
        client.create_service_linked_role(AWSServiceName="eks-connector.amazonaws.com")
    except ClientError as error:
        if _code(error) not in {"InvalidInput", "EntityAlreadyExists"}:  # it is there, as a rule
            raise


def _manifest(connection: dict[str, Any], region: str, viewers: Sequence[str]) -> str:
    import yaml  # noqa: PLC0415 - not for `lab --help`

    text = _TEMPLATE.read_text()
    values = {
        **_IMAGES,
        "%AWS_REGION%": region,
        "%EKS_ACTIVATION_ID%": connection["activationId"],
        "%EKS_ACTIVATION_CODE%": base64.b64encode(connection["activationCode"].encode()).decode(),
    }
    for name, value in values.items():
        text = text.replace(name, value)
    return text + (yaml.safe_dump_all(_access(viewers), sort_keys=False, explicit_start=True) if viewers else "")


def _access(viewers: Sequence[str]) -> list[dict[str, Any]]:
    """Let the agent speak for the viewers, and the viewers look at what Kubernetes lets them view, and at machines."""
    agent = {"kind": "ServiceAccount", "name": "eks-connector", "namespace": "eks-connector"}
    people = [{"kind": "User", "name": arn, "apiGroup": "rbac.authorization.k8s.io"} for arn in viewers]
    speak = {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"], "resourceNames": [*viewers]}
    machines = {"apiGroups": [""], "resources": ["nodes", "namespaces"], "verbs": ["get", "list"]}
    return [
        _rbac("ClusterRole", "eks-connector-impersonation", rules=[speak]),
        _bound("eks-connector-impersonation", "eks-connector-impersonation", [agent]),
        _rbac("ClusterRole", "eks-connector-machines", rules=[machines]),
        _bound("eks-connector-machines", "eks-connector-machines", people),
        _bound("eks-connector-view", "view", people),
    ]


def _rbac(kind: str, name: str, **content: Any) -> dict[str, Any]:
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name}, **content}


def _bound(name: str, role: str, subjects: Sequence[dict[str, str]]) -> dict[str, Any]:
    reference = {"kind": "ClusterRole", "name": role, "apiGroup": "rbac.authorization.k8s.io"}
    return _rbac("ClusterRoleBinding", name, subjects=list(subjects), roleRef=reference)


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]
