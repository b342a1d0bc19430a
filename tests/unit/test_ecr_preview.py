"""A policy is tried on images from a file or a repository, and our evaluation is held against that of AWS."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from typer.testing import CliRunner

from lab import choices
from lab.cli import app
from lab.commands import ecr as commands
from lab.ecr import images, preview
from lab.errors import LabError, UsageError
from lambda_src.image_repository.lifecycle.policy import StorageClass, text_of
from tests.unit.lifecycle_examples import ARCHIVE, NOW, ago, image, keep, policy, rule

POLICY = policy(keep(1, 1, "v*"), rule(2, "sinceImagePulled", 30, action=ARCHIVE))
INDEX = "application/vnd.oci.image.index.v1+json"


def client() -> tuple[Any, Stubber]:
    made = boto3.client("ecr", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(made)
    stubber.activate()
    return made, stubber


def detail(digest: str, *tags: str, days: float = 1, **more: Any) -> dict[str, Any]:
    return {"imageDigest": digest, "imageTags": list(tags), "imagePushedAt": ago(days).isoformat(), **more}


def test_what_the_aws_cli_prints_is_read_and_epoch_seconds_too() -> None:
    [first, second] = images.read(
        {
            "imageDetails": [
                detail(
                    "sha256:a",
                    "v1",
                    imageStatus="ARCHIVED",
                    lastArchivedAt="2026-01-02T03:04:05.678000+02:00",
                    lastRecordedPullTime=0,
                    imageSizeInBytes=1,
                ),
                {"imageDigest": "sha256:b", "imagePushedAt": "2026-01-01", "subjectManifestDigest": "sha256:a"},
            ]
        },
        "x.json",
    )

    assert first.storage_class is StorageClass.ARCHIVE
    assert first.last_archived_at == datetime(2026, 1, 2, 1, 4, 5, 678000, timezone.utc)
    assert first.last_pulled_at == datetime(1970, 1, 1, tzinfo=timezone.utc)
    assert (second.tags, second.subject) == ((), "sha256:a")
    assert second.pushed_at == datetime(2026, 1, 1, tzinfo=timezone.utc)


WRONG: list[tuple[Any, str]] = [
    ("text", "x.json holds no list of images: it is what `aws ecr describe-images` prints."),
    ({}, "holds no list of images"),
    ([1], "imageDetails[0]: it is no object"),
    ([{"imagePushedAt": 1}], "imageDetails[0]: imageDigest is missing"),
    ([{"imageDigest": "a"}], "imageDetails[0]: imagePushedAt is missing"),
    ([{"imageDigest": "a", "imagePushedAt": "soon"}], 'imagePushedAt is "soon": a time such as 2026-01-31T12:00:00Z'),
    ([{"imageDigest": "a", "imagePushedAt": 1e300}], "imagePushedAt is 1e+300: a time"),
    ([{"imageDigest": "a", "imagePushedAt": True}], "imagePushedAt is true: a time"),
    ([detail("a", imageStatus="GONE")], 'imageStatus is "GONE": ACTIVE, ARCHIVED, ACTIVATING'),
    ([detail("a", "two\nlines")], "imageTags is no list of tags"),
    (
        [detail("a", imageManifest="{}"), detail("b", imageManifest="[]")],
        "imageDetails[1]: imageManifest is no manifest",
    ),
    ([detail("a"), detail("a")], "imageDetails[1]: imageDigest a is there twice"),
]


@pytest.mark.parametrize(("document", "said"), WRONG)
def test_what_is_no_image_is_refused(document: Any, said: str) -> None:
    with pytest.raises(UsageError) as refusal:
        images.read(document, "x.json")
    assert said in str(refusal.value)


def test_all_pages_of_a_repository_are_read_and_its_manifest_lists() -> None:
    made, stubber = client()
    request = {"repositoryName": "app", "filter": {"imageStatus": "ANY"}}
    a, b, c = (f"sha256:{letter * 64}" for letter in "abc")
    child = {"imageDigest": a, "imagePushedAt": ago(3)}
    index = {"imageDigest": b, "imageTags": ["v1"], "imagePushedAt": ago(3), "imageManifestMediaType": INDEX}
    archived = {**index, "imageDigest": c, "imageTags": [], "imageStatus": "ARCHIVED", "lastArchivedAt": ago(1)}
    stubber.add_response("describe_images", {"imageDetails": [child], "nextToken": "more"}, request)
    stubber.add_response(
        "describe_images", {"imageDetails": [index, archived, child]}, {**request, "nextToken": "more"}
    )
    manifest = {"imageId": {"imageDigest": b}, "imageManifest": json.dumps({"manifests": [{"digest": a}]})}
    stubber.add_response(
        "batch_get_image",
        {"images": [manifest]},
        {"repositoryName": "app", "imageIds": [{"imageDigest": b}], "acceptedMediaTypes": images._LISTS},
    )

    found = images.of_repository(made, "app")

    stubber.assert_no_pending_responses()
    assert [(one.digest, one.storage_class, one.manifests) for one in found] == [
        (a, StorageClass.STANDARD, ()),
        (b, StorageClass.STANDARD, (a,)),
        (c, StorageClass.ARCHIVE, ()),
    ]


def test_a_repository_that_is_not_there_is_a_wrong_question() -> None:
    made, stubber = client()
    stubber.add_client_error("describe_images", "RepositoryNotFoundException")
    with pytest.raises(UsageError, match="There is no repository app, nor a file of that name"):
        images.of_repository(made, "app")


IMAGES = [
    image("new", "v2", pushed=1),
    image("old", "v1", pushed=2),
    image("unused", "latest", pushed=40),
    image("used", "dev", pushed=40, last_pulled_at=ago(1)),
]


def shown() -> preview.Preview:
    return preview.preview(preview.checked(POLICY, "policy.json"), IMAGES, NOW)


def of_aws(*results: tuple[str, str, int]) -> dict[str, str]:
    """Have AWS's preview answer, on two pages."""
    made, stubber = client()
    text = text_of(POLICY)
    stubber.add_response(
        "start_lifecycle_policy_preview",
        {"status": "IN_PROGRESS"},
        {"repositoryName": "app", "lifecyclePolicyText": text},
    )
    listed = [
        {
            "imageDigest": digest,
            "imagePushedAt": NOW,
            "action": {"type": action, **({"targetStorageClass": "ARCHIVE"} if action == "TRANSITION" else {})},
            "appliedRulePriority": priority,
        }
        for digest, action, priority in results
    ]
    stubber.add_response("get_lifecycle_policy_preview", {"status": "COMPLETE"}, {"repositoryName": "app"})
    first = {"status": "COMPLETE", "previewResults": listed[:1], "nextToken": "more"}
    stubber.add_response("get_lifecycle_policy_preview", first, {"repositoryName": "app"})
    stubber.add_response(
        "get_lifecycle_policy_preview",
        {"status": "COMPLETE", "previewResults": listed[1:]},
        {"repositoryName": "app", "nextToken": "more"},
    )
    answer = preview.of_aws(made, "app", POLICY)
    stubber.assert_no_pending_responses()
    return answer


def test_where_aws_says_the_same_nothing_differs() -> None:
    assert preview.differences(shown(), of_aws(("old", "EXPIRE", 1), ("unused", "TRANSITION", 2))) == []


def test_every_image_of_which_aws_says_something_else_is_named() -> None:
    assert preview.differences(shown(), of_aws(("old", "EXPIRE", 2), ("used", "TRANSITION", 2))) == [
        preview.Difference("old", "expires by rule 1", "expires by rule 2"),
        preview.Difference("unused", "archived by rule 2", None),
        preview.Difference("used", None, "archived by rule 2"),
    ]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("LifecyclePolicyPreviewInProgressException", "AWS is still at another preview of app"),
        ("InvalidParameterException", "AWS refuses the policy, which we did not"),
    ],
)
def test_a_preview_that_aws_does_not_make_says_why(code: str, said: str) -> None:
    made, stubber = client()
    stubber.add_client_error("start_lifecycle_policy_preview", code)
    with pytest.raises(LabError, match=said):
        preview.of_aws(made, "app", POLICY)


def test_a_preview_that_fails_says_so() -> None:
    made, stubber = client()
    stubber.add_response("start_lifecycle_policy_preview", {"status": "IN_PROGRESS"})
    stubber.add_response("get_lifecycle_policy_preview", {"status": "FAILED"})
    with pytest.raises(LabError, match="AWS's preview of app did not come to an end"):
        preview.of_aws(made, "app", POLICY)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    written = tmp_path / "policy.json", tmp_path / "images.json"
    details = [detail("new", "v2", days=1), detail("old", "v1", days=2), detail("unused", "latest", days=40)]
    for path, document in zip(written, (POLICY, {"imageDetails": details}), strict=True):
        path.write_text(json.dumps(document))
    return str(written[0]), str(written[1])


def run(*words: str, read: str | None = None) -> tuple[int, str]:
    answer = CliRunner().invoke(app, ["ecr", "preview", *words], input=read)
    if answer.exception and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return answer.exit_code, answer.stdout


def test_the_command_shows_each_image_with_its_outcome_and_why(files: tuple[str, str]) -> None:
    status, printed = run("--policy", files[0], "--images", files[1], "--at", NOW.isoformat())

    assert status == 0
    assert [line.split("\t") for line in printed.splitlines() if "\t" in line] == [
        ["new", "v2", "2026-02-28 12:00", "stays", "rule 1 keeps 1, and it is number 1 from the newest"],
        ["old", "v1", "2026-02-27 12:00", "expires", "rule 1 keeps 1, and it is number 2 from the newest"],
        [
            "unused",
            "latest",
            "2026-01-20 12:00",
            "archived",
            "rule 2 keeps it for 30 days, and it was pushed 40.0 days ago",
        ],
    ]


@pytest.mark.parametrize("read", [0, 1])
def test_either_document_comes_from_standard_input(files: tuple[str, str], read: int) -> None:
    names = [name if number != read else "-" for number, name in enumerate(files)]
    words = ["--policy", names[0], "--images", names[1], "--at", NOW.isoformat(), "--json"]

    status, printed = run(*words, read=Path(files[read]).read_text())

    assert status == 0
    made = json.loads(printed)
    assert [(one["priority"], one["images"]) for one in made["rules"]] == [(1, ["old"]), (2, ["unused"])]
    assert [(one["digest"], one["outcome"], one["rule"]) for one in made["images"]] == [
        ("new", "stays", 1),
        ("old", "expires", 1),
        ("unused", "archived", 2),
    ]


QUESTIONS: list[tuple[list[str], str]] = [
    (["--policy", "-", "--images", "-"], "only one of them can be read from standard input"),
    (["--policy", "nowhere.json", "--images", "{images}"], "nowhere.json cannot be read: No such file or directory"),
    (["--policy", "{policy}", "--images", "nowhere.json"], "nowhere.json cannot be read"),
    (
        ["--policy", "{policy}", "--images", "No Repository"],
        "No Repository is neither a file nor the name of a repository",
    ),
    (["--policy", "{policy}", "--images", "{images}", "--at", "noon"], "--at noon: a time such as"),
    (
        ["--policy", "{policy}", "--images", "{images}", "--target", "aws"],
        "AWS's own preview, of a repository and of now",
    ),
    (["--policy", "{policy}", "--images", "app", "--target", "aws", "--at", "2026-01-01"], "leave --at out"),
    (["--policy", "{images}", "--images", "{images}"], "imageDetails is unknown: rules"),
]


@pytest.mark.parametrize(("words", "said"), QUESTIONS, ids=[said[:30] for _, said in QUESTIONS])
def test_a_wrong_question_is_refused(files: tuple[str, str], words: list[str], said: str) -> None:
    with pytest.raises(UsageError) as refusal:
        run(*(word.format(policy=files[0], images=files[1]) for word in words))
    assert said in str(refusal.value)


TEXTS: list[tuple[bytes, str]] = [
    (b'{"rules": [\n  {"rulePriority": 1,}\n]}', "line 2, column"),
    (b"", "line 1, column 1: Expecting value."),
    (b'{"a": "\xff"}', "is not UTF-8 text: byte 8"),
    (b'{"rules": [], "rules": []}', 'says "rules" twice in one object'),
    (b"[" * 100_000, "is nested too deeply."),
]


@pytest.mark.parametrize(("text", "said"), TEXTS, ids=[said for _, said in TEXTS])
def test_what_is_no_json_is_refused_with_where(tmp_path: Path, text: bytes, said: str) -> None:
    (tmp_path / "policy.json").write_bytes(text)
    with pytest.raises(UsageError) as refusal:
        run("--policy", str(tmp_path / "policy.json"), "--images", "app")
    assert said in str(refusal.value)


@pytest.mark.parametrize(("aws", "status"), [({"old": "expires by rule 1"}, 0), ({}, 1)])
def test_the_exit_status_says_whether_aws_agrees(
    files: tuple[str, str], monkeypatch: pytest.MonkeyPatch, aws: dict[str, str], status: int
) -> None:
    class Target:
        class session:  # noqa: N801
            client = staticmethod(lambda _: "ecr")

    monkeypatch.setattr(choices, "opened", lambda _: Target)
    monkeypatch.setattr(commands.described, "of_repository", lambda *_: IMAGES[:2])
    monkeypatch.setattr(commands.previews, "of_aws", lambda *_: aws)

    assert run("--policy", files[0], "--images", "app", "--target", "aws")[0] == status
    _, printed = run("--policy", files[0], "--images", "app", "--target", "aws", "--json")
    assert len(json.loads(printed)["differences"]) == status
