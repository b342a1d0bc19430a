"""A package is the same for the same content, names nothing of this machine, and is refused before anything is sent."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lab.errors import LabError, UsageError
from lab.sar import packaging
from lambda_src.published_application.rules import METADATA

if TYPE_CHECKING:
    from pathlib import Path


class Bucket:
    """As much of Amazon S3 as packaging uses."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.refuses: str | None = None

    def head_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803 - boto3's names
        del Bucket
        if self.refuses or Key not in self.objects:
            raise ClientError({"Error": {"Code": self.refuses or "404", "Message": "no"}}, "HeadObject")

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - boto3's names
        del Bucket
        assert Key not in self.objects, "uploaded twice"
        self.objects[Key] = Body


@pytest.fixture
def template_file(tmp_path: Path) -> Path:
    code = tmp_path / "asset" / "package"
    code.mkdir(parents=True)
    (code / "b.py").write_text("b = 1\n")
    (code / "a.py").write_text("a = 1\n")
    (code / "run.sh").write_text("#!/bin/sh\n")
    (code / "run.sh").chmod(0o755)
    (tmp_path / "LICENSE").write_text("MIT")
    (tmp_path / "README.md").write_text("# App")
    template = {
        "Metadata": {
            METADATA: {
                "Name": "app",
                "Author": "me",
                "Description": "It does.",
                "SemanticVersion": "1.0.0",
                "SpdxLicenseId": "MIT",
                "LicenseUrl": "LICENSE",
                "ReadmeUrl": "README.md",
            }
        },
        "Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "asset"}}},
    }
    file = tmp_path / "Sar.Application.sam.json"
    file.write_text(json.dumps(template))
    return file


def change(file: Path, **metadata: Any) -> None:
    template = json.loads(file.read_text())
    template["Metadata"][METADATA].update(metadata)
    file.write_text(json.dumps(template))


def test_what_is_on_this_machine_goes_to_the_bucket_once(template_file: Path) -> None:
    bucket = Bucket()
    first = packaging.package(template_file, bucket, "packages")
    again = packaging.package(template_file, bucket, "packages")

    assert first == again
    code = first["Resources"]["F"]["Properties"]["CodeUri"]
    metadata = first["Metadata"][METADATA]
    assert {code, metadata["LicenseUrl"], metadata["ReadmeUrl"]} == {f"s3://packages/{key}" for key in bucket.objects}
    archive = zipfile.ZipFile(io.BytesIO(bucket.objects[code.removeprefix("s3://packages/")]))
    assert archive.namelist() == ["package/a.py", "package/b.py", "package/run.sh"]
    assert archive.read("package/a.py") == b"a = 1\n"
    modes = [entry.external_attr >> 16 for entry in archive.infolist()]
    assert modes == [0o644, 0o644, 0o755]


def test_what_is_packaged_already_is_left_as_it_is(template_file: Path, tmp_path: Path) -> None:
    bucket = Bucket()
    packaged = packaging.package(template_file, bucket, "packages")
    (tmp_path / "packaged.json").write_text(json.dumps(packaged))

    assert packaging.package(tmp_path / "packaged.json", Bucket(), "another") == packaged
    assert packaging.read(tmp_path / "packaged.json") == packaged


def test_all_that_would_be_refused_is_said_at_once_and_nothing_is_uploaded(
    template_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(template_file, Name="two words", Author="ME")
    (tmp_path / "README.md").write_text("x" * 50)
    monkeypatch.setattr(packaging, "LARGEST_DOCUMENT", 49)
    monkeypatch.setattr(packaging, "LARGEST_TEMPLATE", 100)
    monkeypatch.setattr(packaging, "LARGEST_CODE", 10)
    bucket = Bucket()

    with pytest.raises(UsageError) as refused:
        packaging.package(template_file, bucket, "packages")
    for part in (
        "Name is two words",
        "Author is ME",
        "ReadmeUrl has 50 bytes: 49 at most",
        "the code of F has 22 bytes: AWS Lambda takes 10 at most",
        "the template has",
    ):
        assert part in str(refused.value)
    assert bucket.objects == {}


def test_a_bucket_that_refuses_is_not_taken_for_an_empty_one(template_file: Path) -> None:
    bucket = Bucket()
    bucket.refuses = "403"

    with pytest.raises(ClientError, match="403"):
        packaging.package(template_file, bucket, "packages")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "is no packaged application"),
        ("{}", "is no packaged application"),
        (json.dumps({"Metadata": {METADATA: {}}, "Resources": {}}), "is no packaged application"),
        (
            json.dumps(
                {
                    "Metadata": {METADATA: {"LicenseUrl": "LICENSE"}},
                    "Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "asset"}}},
                }
            ),
            "names what is on this machine alone (F, LicenseUrl): package it first",
        ),
    ],
)
def test_what_is_no_packaged_template_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(UsageError) as refused:
        packaging.read(tmp_path / "x.json")
    assert said in str(refused.value)


def test_a_file_that_is_not_there_is_said_to_be_written_by_package(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`lab sar package` writes it"):
        packaging.read(tmp_path / "nowhere.json")


def test_an_assembly_has_one_template(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="has 0 SAM templates of Sar"):
        packaging.template_in(tmp_path, "Sar")
