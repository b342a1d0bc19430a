"""Pushes and pulls images by the HTTP API that every registry has, with no container engine.

Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from lab.errors import LabError
from lab.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_GZIPPED = b"\x1f\x8b"
_SECONDS = 60


class RegistryError(LabError):
    """A registry refused a request; ``code`` is one of the specification's, such as ``TAG_INVALID``."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep what the registry said."""
        super().__init__(f"The registry answers {status} {code}: {message}")
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Image:
    """A manifest, and what it refers to by digest: the configuration, and one layer or more."""

    manifest: bytes
    blobs: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """Name the image for ever."""
        return digest(self.manifest)


def digest(content: bytes) -> str:
    """Name content by its hash."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def image(files: Mapping[str, bytes], *, architecture: str = "amd64") -> Image:
    """Make an image of one layer, with these files by their paths; the same files make the same image."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    unpacked = archive.getvalue()
    layer = gzip.compress(unpacked, mtime=0)
    config = _json(
        {"architecture": architecture, "os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest(unpacked)]}}
    )
    return _of_parts(config, [layer])


def from_archive(path: Path) -> Image:
    """Read the one image of an archive that ``docker save`` or ``podman save`` wrote."""
    with tarfile.open(path) as tar:

        def content(name: str) -> bytes:
            file = tar.extractfile(name)
            if file is None:
                raise LabError(f"{path}: {name} is no file.")
            return file.read()

        [described] = json.loads(content("manifest.json"))
        config, layers = content(described["Config"]), [content(name) for name in described["Layers"]]
    gzipped = [layer if layer.startswith(_GZIPPED) else gzip.compress(layer, mtime=0) for layer in layers]
    return _of_parts(config, gzipped)


def files(pulled: Image) -> dict[str, bytes]:
    """Read the files of all layers, by their paths."""
    found: dict[str, bytes] = {}
    for layer in json.loads(pulled.manifest)["layers"]:
        with tarfile.open(fileobj=io.BytesIO(pulled.blobs[layer["digest"]])) as tar:
            found |= {entry.name: content.read() for entry in tar if (content := tar.extractfile(entry))}
    return found


@dataclass(frozen=True)
class Registry:
    """A registry, and the authorization that it takes."""

    endpoint: str
    authorization: str | None

    def push(self, repository: str, pushed: Image, tag: str | None = None) -> str:
        """Push what is not there yet, the manifest last; return the image's digest.

        :raises RegistryError: when the registry refuses, for example a tag that is another image's for ever.
        """
        for name, blob in pushed.blobs.items():
            if not self._has(f"/v2/{repository}/blobs/{name}"):
                self._upload(repository, name, blob)
        path = f"/v2/{repository}/manifests/{tag or pushed.digest}"
        self._request("PUT", path, pushed.manifest, {"Content-Type": MANIFEST})
        return pushed.digest

    def pull(self, repository: str, reference: str) -> Image:
        """Pull an image by its tag or its digest, and make sure that every part is what its digest says.

        :raises RegistryError: when the registry refuses, or has no such image.
        :raises LabError: when it sent something else.
        """
        manifest, _ = self._request("GET", f"/v2/{repository}/manifests/{reference}", None, {"Accept": MANIFEST})
        described = json.loads(manifest)
        names = [part["digest"] for part in (described["config"], *described["layers"])]
        blobs = {name: self._request("GET", f"/v2/{repository}/blobs/{name}")[0] for name in names}
        pulled = Image(manifest, blobs)
        expected = {**blobs, **({reference: manifest} if reference.startswith("sha256:") else {})}
        for name, content in expected.items():
            if digest(content) != name:
                raise LabError(f"{repository}: the registry sent something else for {name}.")
        return pulled

    def _has(self, path: str) -> bool:
        try:
            self._request("HEAD", path)
        except RegistryError as error:
            if error.status != 404:
                raise
            return False
        return True

    def _upload(self, repository: str, name: str, blob: bytes) -> None:
        content = {"Content-Type": "application/octet-stream"}
        _, place = self._request("POST", f"/v2/{repository}/blobs/uploads/", b"")
        _, place = self._request("PATCH", place, blob, content)
        joint = "&" if urlsplit(place).query else "?"
        self._request("PUT", f"{place}{joint}digest={name}", b"", content)

    def _request(
        self, method: str, place: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[bytes, str]:
        """Make a request; return the answer's body, and where it says to go on."""
        url = urljoin(self.endpoint, place)
        if urlsplit(url)[:2] != urlsplit(self.endpoint)[:2]:
            raise LabError(f"{self.endpoint} sends the upload to {url}: refused, the authorization is not for it.")
        request = urllib.request.Request(url, body, dict(headers or {}), method=method)  # noqa: S310
        if self.authorization:
            # Not redirected: Amazon ECR sends whoever pulls a layer to Amazon S3, which takes no second authorization.
            request.add_unredirected_header("Authorization", f"Basic {self.authorization}")
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310
                return response.read(), urljoin(url, response.headers.get("Location", ""))
        except urllib.error.HTTPError as error:
            raise _refusal(error) from None
        except OSError as error:
            raise LabError(f"{self.endpoint} does not answer: {error}") from None


def registry(client: Any) -> Registry:
    """Get a token for the account's private registry; ``client`` is boto3's of Amazon ECR.

    :raises LabError: when an emulator on this machine names a registry that is elsewhere.
    """
    [data] = client.get_authorization_token()["authorizationData"]
    endpoint = data["proxyEndpoint"]
    if is_loopback(client.meta.endpoint_url) and not is_loopback(endpoint):
        raise LabError(f"A local run was about to call {endpoint}: refused. It reaches the emulator alone.")
    return Registry(endpoint, data["authorizationToken"])


def _refusal(error: urllib.error.HTTPError) -> RegistryError:
    try:
        [first, *_] = json.loads(error.read())["errors"]
        return RegistryError(error.code, first["code"], first.get("message", ""))
    except (ValueError, KeyError, TypeError):
        return RegistryError(error.code, "", error.reason)


def _of_parts(config: bytes, layers: list[bytes]) -> Image:
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _descriptor(_CONFIG, config),
            "layers": [_descriptor(_LAYER, layer) for layer in layers],
        }
    )
    return Image(manifest, {digest(blob): blob for blob in (config, *layers)})


def _descriptor(media_type: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(blob), "size": len(blob)}


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
