"""The emulator registers clusters that run elsewhere as Amazon EKS does, and refuses what that refuses."""

from __future__ import annotations

import base64
import stat
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from pathlib import Path

    import boto3

    from .conftest import Lab


@pytest.fixture(scope="module", autouse=True)
def section(lab: Lab) -> None:
    lab("up", "eks-anywhere")


@pytest.fixture
def eks(session: boto3.Session) -> Any:
    return session.client("eks")


@pytest.fixture
def role(session: boto3.Session) -> str:
    [stack] = session.client("cloudformation").describe_stacks(StackName="EksAnywhere")["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}["ConnectorRoleArn"]


def connection(role: str, provider: str = "EKS_ANYWHERE") -> dict[str, str]:
    return {"roleArn": role, "provider": provider}


def refused(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def test_what_cannot_be_registered_is_refused(eks: Any, role: str) -> None:
    for config in (connection(role, "MY_CLOUD"), connection(f"{role}IsNotThere")):
        with pytest.raises(ClientError) as error:
            eks.register_cluster(name="impossible", connectorConfig=config)
        assert refused(error) == "InvalidParameterException"
    with pytest.raises(ClientError) as error:
        eks.describe_cluster(name="impossible")
    assert refused(error) == "ResourceNotFoundException"


def test_a_cluster_is_registered_once_described_without_its_code_listed_apart_and_deregistered(
    eks: Any, role: str
) -> None:
    made = eks.register_cluster(name="plant", connectorConfig=connection(role), tags={"site": "north"})["cluster"]
    try:
        assert made["status"] == "PENDING"
        assert made["connectorConfig"]["activationCode"]
        with pytest.raises(ClientError) as error:
            eks.register_cluster(name="plant", connectorConfig=connection(role))
        assert refused(error) == "ResourceInUseException"
        described = eks.describe_cluster(name="plant")["cluster"]
        assert "activationCode" not in described["connectorConfig"]
        assert described["connectorConfig"]["activationId"] == made["connectorConfig"]["activationId"]
        assert eks.list_tags_for_resource(resourceArn=made["arn"])["tags"] == {"site": "north"}
        assert "plant" not in eks.list_clusters()["clusters"]
        assert "plant" in eks.list_clusters(include=["all"])["clusters"]
    finally:
        gone = eks.deregister_cluster(name="plant")["cluster"]
    assert gone["status"] == "DELETING"
    assert "plant" not in eks.list_clusters(include=["all"])["clusters"]
    with pytest.raises(ClientError) as error:
        eks.deregister_cluster(name="plant")
    assert refused(error) == "ResourceNotFoundException"


def test_clusters_are_listed_in_pages_and_none_is_left_out(eks: Any, role: str) -> None:
    names = [f"plant-{number}" for number in range(5)]
    for name in names:
        eks.register_cluster(name=name, connectorConfig=connection(role))
    try:
        there = eks.list_clusters(include=["all"])
        assert there["clusters"] == sorted([*eks.list_clusters()["clusters"], *names])
        assert "nextToken" not in there
        first = eks.list_clusters(include=["all"], maxResults=2)
        assert first["clusters"] == there["clusters"][:2]
        pages = eks.get_paginator("list_clusters").paginate(include=["all"], PaginationConfig={"PageSize": 2})
        assert [page["clusters"] for page in pages] == [
            there["clusters"][start : start + 2] for start in range(0, len(there["clusters"]), 2)
        ]
        gone = first["clusters"][-1]
        if gone in names:
            eks.deregister_cluster(name=names.pop(names.index(gone)))
        after = eks.list_clusters(include=["all"], nextToken=first["nextToken"])["clusters"]
        assert after == there["clusters"][2:]
    finally:
        for name in names:
            eks.deregister_cluster(name=name)


@pytest.mark.parametrize("wrong", [{"maxResults": 101}, {"nextToken": "?"}, {"include": ["ALL"]}])
def test_a_list_that_cannot_be_is_refused(eks: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as error:
        eks.list_clusters(**wrong)

    assert refused(error) == "InvalidParameterException"


def test_the_commands_connect_and_disconnect_and_print_no_code(lab: Lab, tmp_path: Path) -> None:
    manifest = tmp_path / "plant.yaml"
    done = lab("eks-anywhere", "connect", "plant", "--manifest", str(manifest))
    try:
        [secret] = [one for one in yaml.safe_load_all(manifest.read_text()) if "code" in one.get("data", {})]
        code = base64.b64decode(secret["data"]["code"]).decode()
        assert stat.S_IMODE(manifest.stat().st_mode) == 0o600
        assert code
        assert code not in done.stdout + done.stderr
        assert done.stdout.strip() == str(manifest)
        again = lab("eks-anywhere", "connect", "plant", "--manifest", str(tmp_path / "again.yaml"), status=1)
        assert "plant is registered already" in again.stderr
        assert [*tmp_path.iterdir()] == [manifest]
    finally:
        lab("eks-anywhere", "disconnect", "plant")
    assert "No cluster is registered" in lab("eks-anywhere", "disconnect", "plant", status=1).stderr
