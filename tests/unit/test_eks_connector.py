"""A cluster is registered or nothing is left behind, and its activation code is in one file alone."""

from __future__ import annotations

import base64
import io
import os
import stat
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
import yaml
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError

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


def without_a_code(session: Session) -> None:
    session.eks.register_cluster.return_value = {"cluster": {**ANSWER["cluster"], "connectorConfig": {}}}


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
    without_a_code(session)

    with pytest.raises(KeyError):
        register(session, tmp_path)

    session.eks.deregister_cluster.assert_called_once_with(name="plant")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("failed", "said"), [(failure("AccessDenied"), "so it is"), (KeyboardInterrupt(), "Interrupted")]
)
def test_the_first_error_is_said_where_the_registration_cannot_be_taken_back(
    tmp_path: Path, failed: BaseException, said: str
) -> None:
    session = Session()
    without_a_code(session)
    session.eks.deregister_cluster.side_effect = failed

    with pytest.raises(connector.LeftBehindError) as raised:
        register(session, tmp_path)

    text = str(raised.value)
    assert text.startswith("KeyError: 'activation")
    assert text.index("KeyError") < text.index("Left behind: the registration of plant") < text.index(said)
    assert "`lab eks-anywhere disconnect plant`" in text
    assert isinstance(raised.value.__cause__, KeyError)
    assert [*tmp_path.iterdir()] == []


def test_a_file_that_cannot_be_removed_is_named_and_the_registration_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session()
    without_a_code(session)
    denied = Mock(side_effect=PermissionError(13, "Permission denied"))
    monkeypatch.setattr("pathlib.Path.unlink", denied)

    with pytest.raises(connector.LeftBehindError, match=r"KeyError.*Left behind: the file .*m\.yaml"):
        register(session, tmp_path)

    session.eks.deregister_cluster.assert_called_once_with(name="plant")


class FullDisk(io.StringIO):
    """Has no room for what is written, as is found out when it leaves the buffer."""

    def flush(self) -> None:
        if self.getvalue():
            raise OSError(28, "No space left on device")


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(descriptor: int, _: str) -> FullDisk:
        os.close(descriptor)
        return FullDisk()

    monkeypatch.setattr(connector.os, "fdopen", opened)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_said_beside_what_is_left_behind(tmp_path: Path) -> None:
    session = Session()
    session.eks.deregister_cluster.side_effect = failure("AccessDenied")

    with pytest.raises(
        connector.LeftBehindError, match=r"m\.yaml cannot be written: No space.* Left behind: the regi"
    ) as raised:
        register(session, tmp_path)

    assert not str(raised.value).startswith("LabError")


def test_what_aws_is_asked_with_and_cannot_be_read_is_no_fault_of_the_manifest(tmp_path: Path) -> None:
    session = Mock(region_name="us-east-1")
    session.client.side_effect = FileNotFoundError(2, "No such file or directory", "ca.pem")

    with pytest.raises(FileNotFoundError, match=r"ca\.pem"):
        connector.register(session, "plant", ROLE, tmp_path / "m.yaml")

    assert [*tmp_path.iterdir()] == []


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_said_and_takes_the_registration_back(tmp_path: Path) -> None:
    session = Session()

    with pytest.raises(LabError, match=r"m\.yaml cannot be written: No space left on device"):
        register(session, tmp_path)

    session.eks.deregister_cluster.assert_called_once_with(name="plant")


def test_a_question_without_an_answer_may_have_registered_the_cluster(tmp_path: Path) -> None:
    session = Session()
    session.eks.register_cluster.side_effect = ReadTimeoutError(endpoint_url="https://eks.example.com")

    with pytest.raises(connector.LeftBehindError, match=r"Read timeout.*perhaps the registration of plant") as raised:
        register(session, tmp_path)

    # Whoever has that name may be another one.
    assert not session.eks.deregister_cluster.called
    assert raised.value.exit_status == 1
    assert [*tmp_path.iterdir()] == []


def test_who_is_interrupted_is_told_what_is_left_and_with_which_status(tmp_path: Path) -> None:
    session = Session()
    session.eks.register_cluster.side_effect = KeyboardInterrupt

    with pytest.raises(connector.LeftBehindError, match=r"Interrupted\. Left behind: perhaps") as raised:
        register(session, tmp_path)

    assert raised.value.exit_status == 130


def test_a_client_that_cannot_be_made_leaves_no_file(tmp_path: Path) -> None:
    session = Mock(region_name="us-east-1")
    session.client.side_effect = NoCredentialsError

    with pytest.raises(NoCredentialsError):
        connector.register(session, "plant", ROLE, tmp_path / "m.yaml")

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
