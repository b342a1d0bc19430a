"""Packages an application: its code, licence and readme go to the bucket, and the template names them there."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.errors import LabError, UsageError
from lambda_src.published_application.rules import (
    LARGEST_CODE,
    LARGEST_DOCUMENT,
    LARGEST_TEMPLATE,
    METADATA,
    broken,
    code_locations,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_DOCUMENTS = ("LicenseUrl", "ReadmeUrl")
# The earliest that a zip file can say, so that one content has one archive.
_NO_TIME = (1980, 1, 1, 0, 0, 0)

Template = dict[str, Any]


def template_in(assembly: Path, stack_id: str) -> Path:
    """Find the SAM template that a stack's synthesis wrote.

    :raises LabError: when there is none.
    """
    found = sorted(assembly.glob(f"{stack_id}.*.sam.json"))
    if len(found) != 1:
        raise LabError(f"{assembly} has {len(found)} SAM templates of {stack_id}, not one: synthesize it again.")
    return found[0]


def package(template_file: Path, s3: Any, bucket: str) -> Template:
    """Upload what the template names on this machine, and return the template that names it in ``bucket``.

    :raises UsageError: naming all that the repository would refuse; nothing is uploaded then.
    """
    template: Template = json.loads(template_file.read_text())
    folder = template_file.parent
    metadata = template["Metadata"][METADATA]
    codes = {
        logical_id: folder / location
        for logical_id, location in code_locations(template).items()
        if not location.startswith("s3://")
    }
    documents = {
        name: (folder / metadata[name]).read_bytes()
        for name in _DOCUMENTS
        if name in metadata and not metadata[name].startswith("s3://")
    }
    problems = [f"{name} is {value}: {permitted}" for name, value, permitted in broken(metadata)]
    problems += [
        f"{name} has {len(content):,} bytes: {LARGEST_DOCUMENT:,} at most"
        for name, content in documents.items()
        if len(content) > LARGEST_DOCUMENT
    ]
    problems += [
        f"the code of {logical_id} has {size:,} bytes: AWS Lambda takes {LARGEST_CODE:,} at most (leave a library out)"
        for logical_id, code in codes.items()
        if (size := sum(path.stat().st_size for path in _files(code))) > LARGEST_CODE
    ]
    if template_file.stat().st_size > LARGEST_TEMPLATE:
        problems.append(f"the template has {template_file.stat().st_size:,} bytes: {LARGEST_TEMPLATE:,} at most")
    if problems:
        raise UsageError(f"{metadata.get('Name')} cannot be published:\n  " + "\n  ".join(problems))
    for logical_id, code in codes.items():
        properties = template["Resources"][logical_id]["Properties"]
        place = "CodeUri" if "CodeUri" in properties else "ContentUri"
        properties[place] = _uploaded(s3, bucket, _archive(code), "zip")
    for name, content in documents.items():
        metadata[name] = _uploaded(s3, bucket, content, "txt" if name == "LicenseUrl" else "md")
    return template


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _archive(folder: Path) -> bytes:
    """Zip a folder, the same content always to the same bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _NO_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if path.stat().st_mode & 0o100 else 0o644) << 16
            archive.writestr(entry, path.read_bytes())
    return written.getvalue()


def _uploaded(s3: Any, bucket: str, content: bytes, suffix: str) -> str:
    """Put content into the bucket under a name that comes from it, unless it is there; return its address."""
    key = f"{hashlib.sha256(content).hexdigest()}.{suffix}"
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchKey", "NotFound"}:
            raise
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    return f"s3://{bucket}/{key}"


def read(file: Path) -> Template:
    """Read a packaged template.

    :raises UsageError: when it is none, or when what it names is not in Amazon S3 yet.
    """
    try:
        template = json.loads(file.read_text())
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}): `lab sar package` writes it.") from None
    except ValueError as error:
        raise UsageError(f"{file} is no JSON ({error}): `lab sar package` writes it.") from None
    described = _mapping(_mapping(template).get("Metadata")).get(METADATA)
    if not isinstance(described, dict) or not _mapping(template.get("Resources")):
        raise UsageError(f"{file} is no packaged application: it has no Metadata for {METADATA}, or no Resources.")
    unpackaged = [
        *(logical_id for logical_id, place in code_locations(template).items() if not str(place).startswith("s3://")),
        *(name for name in _DOCUMENTS if not str(described.get(name, "s3://")).startswith("s3://")),
    ]
    if unpackaged:
        raise UsageError(f"{file} names what is on this machine alone ({', '.join(unpackaged)}): package it first.")
    return dict(template)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
