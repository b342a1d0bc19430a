"""The emulator's registry refuses as Amazon ECR does, is on this machine, and gets the image assets of the CDK CLI."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from lab.ecr import oci
from lab.loopback import is_loopback
from tests import stand_in

from .conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3

    from .conftest import Lab

TEMPLATE = {
    "Resources": {
        "Images": {
            "Type": "AWS::ECR::Repository",
            "Properties": {
                "EmptyOnDelete": True,
                "ImageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
                "ImageTagMutabilityExclusionFilters": [
                    {
                        "ImageTagMutabilityExclusionFilterType": "WILDCARD",
                        "ImageTagMutabilityExclusionFilterValue": "dev-*",
                    }
                ],
            },
        }
    },
    "Outputs": {"Name": {"Value": {"Ref": "Images"}}},
}
# Stands in for a container engine: what it is told to push, it pushes to the registry that it was logged in to.
DOCKER = """
import base64, json, os, sys
from pathlib import Path
from lab.ecr import oci
words, state = sys.argv[1:], Path(__file__).with_suffix(".json")
known = json.loads(state.read_text()) if state.exists() else {"calls": []}
known["calls"].append(words)
if words[0] == "login":
    user, password = words[words.index("--username") + 1], sys.stdin.read().strip()
    known[words[-1]] = base64.b64encode(f"{user}:{password}".encode()).decode()
state.write_text(json.dumps(known))
if words[0] == "push":
    registry, _, rest = words[1].partition("/")
    repository, _, tag = rest.rpartition(":")
    oci.Registry("http://" + registry, known[registry]).push(repository, oci.image({"app": b"asset"}), tag)
sys.exit(words[0] == "inspect")
"""
APP = """
import aws_cdk as cdk
from aws_cdk import aws_ecr_assets as assets
app = cdk.App()
stack = cdk.Stack(app, "WithImage", env=cdk.Environment(account="000000000000", region="us-east-1"))
image = assets.DockerImageAsset(stack, "Image", directory="image")
cdk.CfnOutput(stack, "ImageTag", value=image.image_tag)
cdk.CfnOutput(stack, "Repository", value=image.repository.repository_name)
app.synth()
"""


@pytest.fixture(scope="module", autouse=True)
def section(lab: Lab) -> None:
    lab("up", "ecr")


@pytest.fixture
def repository(session: boto3.Session) -> Iterator[str]:
    cloudformation = session.client("cloudformation")
    cloudformation.create_stack(StackName="TriedImages", TemplateBody=json.dumps(TEMPLATE))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="TriedImages", WaiterConfig={"Delay": 1})
    [stack] = cloudformation.describe_stacks(StackName="TriedImages")["Stacks"]
    yield stack["Outputs"][0]["OutputValue"]
    cloudformation.delete_stack(StackName="TriedImages")


@pytest.mark.parametrize("image", [{"imageTag": "v9"}, {"imageDigest": f"sha256:{'0' * 64}"}])
def test_an_image_that_is_not_there_is_said_not_to_be(
    session: boto3.Session, repository: str, image: dict[str, str]
) -> None:
    client = session.client("ecr")
    oci.registry(client).push(repository, oci.image({}), "v1")

    with pytest.raises(client.exceptions.ImageNotFoundException) as refused:
        client.describe_images(repositoryName=repository, imageIds=[{"imageTag": "v1"}, image])
    assert all(text in str(refused.value) for text in [*image, *image.values(), repository])
    assert len(client.describe_images(repositoryName=repository, imageIds=[{"imageTag": "v1"}])["imageDetails"]) == 1


def test_a_repository_that_is_not_there_is_said_not_to_be(session: boto3.Session) -> None:
    client = session.client("ecr")

    with pytest.raises(client.exceptions.RepositoryNotFoundException):
        client.describe_images(repositoryName="nowhere", imageIds=[{"imageTag": "v1"}])


def test_the_registry_is_on_this_machine(session: boto3.Session, repository: str) -> None:
    client = session.client("ecr")
    [data] = client.get_authorization_token()["authorizationData"]
    [described] = client.describe_repositories(repositoryNames=[repository])["repositories"]

    assert is_loopback(data["proxyEndpoint"])
    assert described["repositoryUri"] == f"{urlsplit(data['proxyEndpoint']).netloc}/{repository}"


def test_a_tag_moves_only_where_it_may(session: boto3.Session, repository: str) -> None:
    client = session.client("ecr")
    registry, one, other = oci.registry(client), oci.image({"a": b"1"}), oci.image({"a": b"2"})
    for image in (one, one):
        registry.push(repository, image, "v1")
    with pytest.raises(oci.RegistryError, match="TAG_INVALID"):
        registry.push(repository, other, "v1")
    with pytest.raises(ClientError, match="ImageTagAlreadyExistsException"):
        client.put_image(repositoryName=repository, imageManifest=other.manifest.decode(), imageTag="v1")
    for image in (one, other):
        registry.push(repository, image, "dev-1")

    assert registry.pull(repository, "v1") == one
    assert registry.pull(repository, "dev-1") == other
    [described] = client.describe_repositories(repositoryNames=[repository])["repositories"]
    assert described["imageTagMutabilityExclusionFilters"] == [{"filterType": "WILDCARD", "filter": "dev-*"}]


def test_images_outlive_a_stop_and_a_start(lab: Lab, session: boto3.Session, repository: str) -> None:
    image = oci.image({"kept": b"yes"})
    oci.registry(session.client("ecr")).push(repository, image, "v1")

    lab("down")
    lab("up", "ecr")

    endpoint = json.loads(lab("env", "--json").stdout)["AWS_ENDPOINT_URL"]
    client: Any = session.client("ecr", endpoint_url=endpoint)
    registry = oci.registry(client)
    assert registry.endpoint == endpoint
    assert registry.pull(repository, image.digest) == image


def test_the_cdk_cli_pushes_an_image_asset_once(lab: Lab, session: boto3.Session, tmp_path: Path) -> None:
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    stand_in.install(docker, DOCKER)
    (tmp_path / "image").mkdir()
    (tmp_path / "image" / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "app.py").write_text(APP)
    environ = {
        **os.environ,
        **json.loads(lab("env", "--json").stdout),
        "PATH": f"{docker.parent}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    words = [str(ROOT / "node_modules" / ".bin" / "cdk"), "--app", f"{shlex.quote(sys.executable)} app.py", "deploy"]
    for _ in range(2):
        subprocess.run([*words, "--require-approval", "never"], cwd=tmp_path, env=environ, check=True, timeout=120)

    [stack] = session.client("cloudformation").describe_stacks(StackName="WithImage")["Stacks"]
    made = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    pulled = oci.registry(session.client("ecr")).pull(made["Repository"], made["ImageTag"])
    assert oci.files(pulled) == {"app": b"asset"}
    calls = json.loads(docker.with_suffix(".json").read_text())["calls"]
    pushes = [call for call in calls if call[0] == "push"]
    assert len(pushes) == 1, calls
    assert is_loopback(f"http://{pushes[0][1]}")
