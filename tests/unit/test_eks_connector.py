"""A cluster is registered or nothing is left behind, and its activation code is in one file alone."""

from __future__ import annotations

import base64
import stat
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
import yaml
from botocore.exceptions import ClientError

from lab.eks_anywhere import connector
from lab.errors import LabError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

CODE = "very-secret-code"
ROLE = "arn:aws:iam::111122223333:role/EksConnectorAgent"
VIEWER = "arn:aws:iam::111122223333:user/ada"
ANSWER = {
    "cluster": {
        "arn": "arn:aws:eks:us-east-1:111122223333:cluster/plant",
        "connectorConfig": {
            "activationId": "an-id",
            "activationCode": CODE,
            "activationExpiry": datetime(2026, 1, 4, tzinfo=timezone.utc),
        },
    }
}


def failure(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "so it is"}}, "AnOperation")


class Session:
    """Stands in for boto3's."""

    region_name = "us-east-1"

    def __init__(self) -> None:
        self.eks, self.iam = Mock(), Mock()
        self.eks.register_cluster.return_value = ANSWER

    def client(self, service: str) -> Any:
        return getattr(self, service)


def register(session: Session, folder: Path, name: str = "plant", **options: Any) -> connector.Registered:
    return connector.register(session, name, ROLE, folder / "m.yaml", **options)


@pytest.mark.parametrize("name", ["", "-plant", "plant 1", "p" * 101])
def test_what_is_no_name_is_refused_before_anything_is_registered(tmp_path: Path, name: str) -> None:
    session = Session()

    with pytest.raises(UsageError, match="is no name for a cluster"):
        register(session, tmp_path, name)

    assert session.eks.mock_calls == session.iam.mock_calls == [*tmp_path.iterdir()] == []


def test_who_is_nobody_is_refused_before_anything_is_registered(tmp_path: Path) -> None:
    session = Session()

    with pytest.raises(UsageError, match="--viewer ada"):
        register(session, tmp_path, viewers=["ada"])

    assert session.eks.mock_calls == [*tmp_path.iterdir()] == []


def test_a_file_that_is_there_stays_and_nothing_is_registered(tmp_path: Path) -> None:
    session, manifest = Session(), tmp_path / "m.yaml"
    manifest.write_text("mine")

    with pytest.raises(UsageError, match="is there already"):
        register(session, tmp_path)

    assert (manifest.read_text(), session.eks.mock_calls) == ("mine", [])


def test_a_folder_that_is_not_there_is_said_and_nothing_is_registered(tmp_path: Path) -> None:
    session = Session()

    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        register(session, tmp_path / "nowhere")

    assert session.eks.mock_calls == []


def test_a_name_that_is_taken_leaves_no_file(tmp_path: Path) -> None:
    session = Session()
    session.eks.register_cluster.side_effect = failure("ResourceInUseException")

    with pytest.raises(LabError, match="plant is registered already"):
        register(session, tmp_path)

    assert [*tmp_path.iterdir()] == []
    assert not session.eks.deregister_cluster.called


def test_a_manifest_that_cannot_be_written_takes_the_registration_back(tmp_path: Path) -> None:
    session = Session()
    session.eks.register_cluster.return_value = {"cluster": {**ANSWER["cluster"], "connectorConfig": {}}}

    with pytest.raises(KeyError):
        register(session, tmp_path)

    session.eks.deregister_cluster.assert_called_once_with(name="plant")
    assert [*tmp_path.iterdir()] == []


def test_what_aws_refuses_otherwise_is_said_as_aws_says_it(tmp_path: Path) -> None:
    session = Session()
    session.iam.create_service_linked_role.side_effect = failure("AccessDenied")

    with pytest.raises(ClientError, match="so it is"):
        register(session, tmp_path)

    assert [*tmp_path.iterdir()] == session.eks.mock_calls == []


@pytest.mark.parametrize("there", [None, failure("InvalidInput")])
def test_the_code_goes_into_one_file_of_its_owner_and_nowhere_else(
    tmp_path: Path, there: ClientError | None, capfd: pytest.CaptureFixture[str]
) -> None:
    session = Session()
    session.iam.create_service_linked_role.side_effect = there

    made = register(session, tmp_path)

    assert stat.S_IMODE(made.manifest.stat().st_mode) == 0o600
    text = made.manifest.read_text()
    documents = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(text)}
    secret = documents["Secret", "eks-connector-activation-config"]
    assert base64.b64decode(secret["data"]["code"]).decode() == CODE
    assert "%" not in text.replace("%Date %Time %LEVEL", "").replace("%FuncShort @ %File.%Line", "").replace(
        "%Msg%n", ""
    )
    assert CODE not in f"{made!r}{capfd.readouterr()}"
    session.eks.register_cluster.assert_called_once_with(
        name="plant", connectorConfig={"roleArn": ROLE, "provider": "EKS_ANYWHERE"}
    )


def test_viewers_are_spoken_for_by_name_and_may_only_look(tmp_path: Path) -> None:
    manifest = register(Session(), tmp_path, viewers=[VIEWER]).manifest
    documents = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(manifest.read_text())}

    [speak] = documents["ClusterRole", "eks-connector-impersonation"]["rules"]
    assert (speak["verbs"], speak["resourceNames"]) == (["impersonate"], [VIEWER])
    assert documents["ClusterRoleBinding", "eks-connector-view"]["roleRef"]["name"] == "view"
    [machines] = documents["ClusterRole", "eks-connector-machines"]["rules"]
    assert machines["verbs"] == ["get", "list"]


def test_a_cluster_that_is_not_registered_is_said() -> None:
    session = Session()
    session.eks.deregister_cluster.side_effect = failure("ResourceNotFoundException")

    with pytest.raises(LabError, match="No cluster is registered under the name plant"):
        connector.deregister(session, "plant")
