"""ECR: images are pushed and pulled by a token, tags stay what they are, and old images go as the preview says."""

from __future__ import annotations

import json
import subprocess
import uuid
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from lab.ecr import findings, oci, preview
from lab.ecr import images as described_images
from lab.engine import archives, discovery, images, service
from lab.errors import LabError
from lab.runbook import Evidence, NotMadeError, Runbook, wait_for
from lab.runbooks.told_events import told
from lab.target import TargetName
from lambda_src.web_image import RUNTIME as WEB_IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.deployment import Deployment
    from lab.engine.discovery import Engine

runbook = Runbook()
Event = dict[str, Any]


@runbook.check("An authorization token is issued, for twelve hours", evidence=Evidence.CONTROL_PLANE_ONLY)
def token_is_issued(deployed: Deployment) -> str:
    """Needed to push and to pull; `docker login` takes it."""
    [data] = deployed.client("ecr").get_authorization_token()["authorizationData"]
    hours = (data["expiresAt"] - datetime.now(timezone.utc)) / timedelta(hours=1)
    assert 11 < hours <= 12.1, f"it expires in {hours:.1f} hours"
    return f"for {data['proxyEndpoint']}, {hours:.0f} hours"


@runbook.check("An image that is pushed is pulled by its digest, the same to the last byte", evidence=Evidence.EMULATED)
def image_travels(deployed: Deployment) -> str:
    """By the HTTP API that `docker push` uses: manifest, configuration, and a layer with one file."""
    with _Shelf.of(deployed) as shelf:
        pushed = _image("travels")
        digest = shelf.push(pushed, tag := f"runbook-{uuid.uuid4()}")
        [described] = shelf.describe({"imageTag": tag})
        assert described["imageDigest"] == digest, f"the tag is of {described['imageDigest']}, not of {digest}"
        pulled = shelf.registry.pull(shelf.repository, digest)
        assert pulled == pushed, "what was pulled is not what was pushed"
        [path] = oci.files(pulled)
        return f"{digest[:19]}..., {sum(map(len, pulled.blobs.values()))} bytes, the file {path}"


@runbook.check("Our own web image, built here, is pushed and pulled by its digest", evidence=Evidence.REAL_CONTAINER)
def web_image_travels(deployed: Deployment) -> str:
    """Built by the container engine of this machine from the Dockerfile of the block WebImage."""
    engine = service.serving() or discovery.found()
    if engine is None:
        raise NotMadeError(f"No image can be built: {discovery.INSTALL}.")
    name = f"localhost/runbook:{uuid.uuid4()}"
    arguments = [word for argument in images.build_arguments().items() for word in ("--build-arg", "=".join(argument))]
    built = _of(engine, "build", "--tag", name, *arguments, str(WEB_IMAGE))
    if built.returncode:
        said = (built.stderr.strip().splitlines() or [f"status {built.returncode}"])[-1]
        # With a base that is here, nothing else than the image itself is wrong.
        assert not arguments, f"{engine.name} cannot build it: {said}"
        raise NotMadeError(f"{engine.name} cannot build it ({said}); {images.BASE_IMAGE} names a base that is here.")
    try:
        with _Shelf.of(deployed) as shelf:
            image = archives.image(engine, name)
            digest = shelf.push(image, f"runbook-{uuid.uuid4()}")
            assert shelf.registry.pull(shelf.repository, digest) == image, "what was pulled is not what was pushed"
            served = [path for path in oci.files(image) if path.endswith("bin/serve")]
    finally:
        _of(engine, "rmi", name)
    assert served, "it has no server"
    return f"{digest[:19]}..., {len(image.blobs) - 1} layers, {sum(map(len, image.blobs.values())):,} bytes"


@runbook.check("A tag cannot be moved to another image, unless it is one that may", evidence=Evidence.EMULATED)
def tags_are_immutable(deployed: Deployment) -> str:
    """Tag mutability is the repository's; `latest` and `dev-*` are excluded from it."""
    with _Shelf.of(deployed) as shelf:
        one, other = _image("one"), _image("other")
        kept, moved = f"runbook-{uuid.uuid4()}", f"dev-runbook-{uuid.uuid4()}"
        shelf.push(one, kept)
        try:
            shelf.push(other, kept)
        except oci.RegistryError as error:
            refused = error
        else:
            raise AssertionError(f"{kept} was moved to another image")
        assert refused.code == "TAG_INVALID", str(refused)
        [described] = shelf.describe({"imageTag": kept})
        assert described["imageDigest"] == one.digest, f"it was refused, but {kept} is another image's now"
        shelf.push(one, moved)
        shelf.push(other, moved)
        [described] = shelf.describe({"imageTag": moved})
        assert described["imageDigest"] == other.digest, f"{moved} is still the first image's"
        return f"second push: {refused.status} {refused.code}; dev-* was moved"


@runbook.check(
    "The preview of the deployed lifecycle policy says which images go, and when", evidence=Evidence.CONTROL_PLANE_ONLY
)
def lifecycle_is_previewed(deployed: Deployment) -> str:
    """Our evaluation of the deployed policy, now and in 31 days; on AWS its own preview must agree."""
    client = deployed.client("ecr")
    with _Shelf.of(deployed) as shelf:
        policy = json.loads(client.get_lifecycle_policy(repositoryName=shelf.repository)["lifecyclePolicyText"])
        untagged = shelf.push(_image("untagged"))
        branch = shelf.push(_image("branch"), f"dev-runbook-{uuid.uuid4()}")
        other = shelf.push(_image("other"), f"runbook-{uuid.uuid4()}")
        checked, described = (
            preview.checked(policy, "the deployed policy"),
            described_images.of_repository(client, shelf.repository),
        )
        now = datetime.now(timezone.utc)
        today, later = (preview.preview(checked, described, now + timedelta(days=days)) for days in (0, 31))
        assert not _expiring(today).keys() & {untagged, branch, other}, "images of today would expire"
        expiring = _expiring(later)
        assert (expiring.get(untagged), expiring.get(branch), other in expiring) == (1, 2, False), f"{expiring}"
        agreed = ""
        if deployed.target.name is TargetName.AWS:
            different = preview.differences(today, preview.of_aws(client, shelf.repository, policy))
            assert not different, f"AWS's own preview differs: {different}"
            agreed = "; AWS's own preview agrees"
        return f"{len(described)} images: all of ours stay today, two go within 31 days by the rules 1 and 2{agreed}"


@runbook.check("What the runbook pushed is gone again", evidence=Evidence.EMULATED)
def nothing_is_left(deployed: Deployment) -> str:
    """And a digest that is not there is said not to be, which the CDK CLI asks before it pushes an image asset."""
    client = deployed.client("ecr")
    with _Shelf.of(deployed) as shelf:
        digest = shelf.push(_image("gone"), f"runbook-{uuid.uuid4()}")
    try:
        client.describe_images(repositoryName=shelf.repository, imageIds=[{"imageDigest": digest}])
    except client.exceptions.ImageNotFoundException:
        pages = client.get_paginator("describe_images").paginate(repositoryName=shelf.repository)
        tags = [tag for page in pages for image in page["imageDetails"] for tag in image.get("imageTags", [])]
        assert not [tag for tag in tags if "runbook-" in tag], f"left: {tags}"
        return f"{digest[:19]}... is not found"
    raise AssertionError(f"{digest} is still there")


@runbook.check("Nobody pulls without a token", evidence=Evidence.AWS_ONLY)
def strangers_are_refused(deployed: Deployment) -> str:
    """The emulator's registry asks nobody for a token, and enforces no repository policy."""
    stranger = oci.Registry(oci.registry(deployed.client("ecr")).endpoint, authorization=None)
    try:
        stranger.pull(deployed.output("RepositoryName"), "latest")
    except oci.RegistryError as error:
        status = error.status
    else:
        status = 200
    assert status == 401, f"the registry answers {status}"
    return "refused with 401"


@runbook.check("Nobody but who was named may pull from elsewhere", evidence=Evidence.CONTROL_PLANE_ONLY)
def policy_names_its_readers(deployed: Deployment) -> str:
    """The repository policy; without one, this account's own IAM policies decide."""
    client, repository = deployed.client("ecr"), deployed.output("RepositoryName")
    try:
        document = json.loads(client.get_repository_policy(repositoryName=repository)["policyText"])
    except client.exceptions.RepositoryPolicyNotFoundException:
        return "no policy, so this account alone: -c accounts=... or -c organization_id=... names others"
    statements = document["Statement"]
    open_to_all = [
        one
        for one in statements
        if one["Principal"] in ("*", {"AWS": "*"}) and "aws:PrincipalOrgID" not in json.dumps(one.get("Condition", {}))
    ]
    assert not open_to_all, f"open to everybody: {open_to_all}"
    more = {action for one in statements for action in one["Action"]} - {
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
    }
    assert not more, f"more than pulling: {more}"
    return f"{len(statements)} statements, for pulling alone"


@runbook.check("The repository scans on push, encrypts, and is tagged", evidence=Evidence.CONTROL_PLANE_ONLY)
def repository_is_as_deployed(deployed: Deployment) -> str:
    """Scanning, encryption and tags are settings here: nothing scans on the emulator."""
    client = deployed.client("ecr")
    [repository] = client.describe_repositories(repositoryNames=[deployed.output("RepositoryName")])["repositories"]
    assert repository["imageScanningConfiguration"]["scanOnPush"], "it does not scan on push"
    assert repository["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION", repository["imageTagMutability"]
    tags = client.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
    assert {"project", "section", "posture"} <= {tag["Key"] for tag in tags}, f"tags: {tags}"
    return f"scan on push, {repository['encryptionConfiguration']['encryptionType']}, {len(tags)} tags"


@runbook.check(
    "Findings of a severity and above reach the topic, of basic and enhanced scans", evidence=Evidence.EMULATED
)
def findings_are_told(deployed: Deployment) -> str:
    """Events of the published shapes, put by hand: those of AWS are AWS's alone to send."""
    repository = deployed.output("RepositoryName")
    return told(
        deployed,
        [_basic(repository, HIGH=1), _basic(repository, CRITICAL=2, LOW=7), _enhanced(repository, "CRITICAL")],
        others=[
            _basic(repository, MEDIUM=3, HIGH=0),
            _basic("another/repository", CRITICAL=1),
            _enhanced(repository, "LOW"),
            _enhanced(repository, "HIGH", status="CLOSED"),
            _enhanced("another/repository", "CRITICAL"),
        ],
    )


@runbook.check("The scan of a pushed image has a result", evidence=Evidence.AWS_ONLY)
def scan_has_a_result(deployed: Deployment) -> str:
    """Nothing scans images on the emulator; `lab ecr findings` reads a scan of either kind."""
    client = deployed.client("ecr")
    with _Shelf.of(deployed) as shelf:
        release = {"etc/os-release": b'ID=alpine\nVERSION_ID="3.20.0"\nPRETTY_NAME="Alpine Linux v3.20"\n'}
        digest = shelf.push(oci.image({**release, "etc/alpine-release": b"3.20.0\n"}), f"runbook-{uuid.uuid4()}")

        def status() -> str:
            [detail] = shelf.describe({"imageDigest": digest})
            return str(detail.get("imageScanStatus", {}).get("status", "PENDING"))

        over = wait_for(lambda: status() not in {"PENDING", "IN_PROGRESS"}, seconds=300)
        assert over, f"the scan is {status()} after five minutes"
        try:
            scan = findings.of_image(client, shelf.repository, {"imageDigest": digest})
        except LabError as error:
            # An image of two files may be none that the scanner of the account supports.
            raise NotMadeError(str(error)) from None
        return f"{scan.kind} scanning, {scan.status}: {dict(scan.counts) or 'nothing found'}"


@runbook.check("The registry is configured as it was asked to be", evidence=Evidence.AWS_ONLY)
def registry_is_configured(deployed: Deployment) -> str:
    """Scanning, replication, cache rules and templates of the whole registry: -c registry=configured."""
    client = deployed.client("ecr")
    if not deployed.physical_ids("AWS::ECR::RegistryScanningConfiguration"):
        raise NotMadeError("The registry was left as it is: -c registry=configured changes it.")
    scanning = client.get_registry_scanning_configuration()["scanningConfiguration"]["scanType"]
    rules = client.describe_pull_through_cache_rules()["pullThroughCacheRules"]
    cached = {rule["ecrRepositoryPrefix"] for rule in rules}
    templates = {
        one["prefix"] for one in client.describe_repository_creation_templates()["repositoryCreationTemplates"]
    }
    assert {"ecr-public"} <= cached, f"cached: {cached}"
    assert {"ROOT", "ecr-public"} <= templates, f"templates: {templates}"
    return f"{scanning} scanning; cached: {', '.join(sorted(cached))}; templates: {', '.join(sorted(templates))}"


class _Shelf:
    """The repository, and what the runbook pushed to it, which goes at the end."""

    def __init__(self, client: Any, repository: str) -> None:
        self.client = client
        self.repository = repository
        self.registry = oci.registry(client)
        self.pushed: set[str] = set()

    @classmethod
    @contextmanager
    def of(cls, deployed: Deployment) -> Iterator[_Shelf]:
        shelf = cls(deployed.client("ecr"), deployed.output("RepositoryName"))
        try:
            yield shelf
        finally:
            if shelf.pushed:
                shelf.client.batch_delete_image(
                    repositoryName=shelf.repository, imageIds=[{"imageDigest": digest} for digest in shelf.pushed]
                )

    def push(self, image: oci.Image, tag: str | None = None) -> str:
        digest = self.registry.push(self.repository, image, tag)
        self.pushed.add(digest)
        return digest

    def describe(self, image: dict[str, str]) -> list[dict[str, Any]]:
        described: list[dict[str, Any]] = self.client.describe_images(repositoryName=self.repository, imageIds=[image])[
            "imageDetails"
        ]
        return described


def _of(engine: Engine, *words: str) -> subprocess.CompletedProcess[str]:
    command = [engine.name, *words]
    return subprocess.run(command, env=engine.environment, capture_output=True, text=True, check=False)


def _image(name: str) -> oci.Image:
    """Make an image that nobody else has."""
    return oci.image({"runbook.txt": f"{name} {uuid.uuid4()}\n".encode()})


def _expiring(shown: preview.Preview) -> dict[str, int]:
    return {one.image.digest: one.rule.priority for one in shown.decisions if one.action == "expire" and one.rule}


def _basic(repository: str, **counts: int) -> Event:
    detail = {"scan-status": "COMPLETE", "repository-name": repository, "finding-severity-counts": counts}
    return {"source": "by-hand.aws.ecr", "detail-type": "ECR Image Scan", "detail": detail}


def _enhanced(repository: str, severity: str, status: str = "ACTIVE") -> Event:
    image = {"type": "AWS_ECR_CONTAINER_IMAGE", "details": {"awsEcrContainerImage": {"repositoryName": repository}}}
    detail = {"severity": severity, "status": status, "title": "CVE-2026-0001 - shop", "resources": [image]}
    return {"source": "by-hand.aws.inspector2", "detail-type": "Inspector2 Finding", "detail": detail}
