"""Images travel by a registry's HTTP API: against one in this process that answers as Amazon ECR does."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lab.ecr import oci
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = base64.b64encode(b"AWS:secret").decode()
FILES = {"etc/shop": b"open\n", "index.html": b"<p>Hello"}


class Registry(BaseHTTPRequestHandler):
    """Keeps blobs and manifests in memory; a layer is elsewhere, where a token is refused, as on Amazon S3."""

    def do_POST(self) -> None:
        self.server.uploads["u1"] = b""  # type: ignore[attr-defined]
        self.answer(202, location=f"http://{self.headers['Host']}/v2/shop/blobs/uploads/u1?state=a%3D")

    def do_PATCH(self) -> None:
        self.server.uploads["u1"] += self.body()  # type: ignore[attr-defined]
        self.answer(202, location="/v2/shop/blobs/uploads/u1?state=b")

    def do_PUT(self) -> None:
        target, body = urlsplit(self.path), self.body()
        if "/uploads/" in target.path:
            query = parse_qs(target.query)
            assert query["state"] == ["b"]
            assert body == b""
            self.server.blobs[query["digest"][0]] = self.server.uploads.pop("u1")  # type: ignore[attr-defined]
            self.answer(201)
        elif (name := target.path.rpartition("/")[2]) in self.server.manifests:  # type: ignore[attr-defined]
            self.refuse(400, "TAG_INVALID", f"The image tag '{name}' already exists")
        else:
            assert self.headers["Content-Type"] == oci.MANIFEST
            for key in (name, oci.digest(body)):
                self.server.manifests[key] = body  # type: ignore[attr-defined]
            self.answer(201)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        kind, _, name = self.path.rpartition("/")
        if kind == "/elsewhere":
            assert "Authorization" not in self.headers
            self.answer(200, self.server.blobs[name])  # type: ignore[attr-defined]
        elif self.headers["Authorization"] != f"Basic {TOKEN}":
            self.refuse(401, "UNAUTHORIZED", "authentication required")
        elif kind.endswith("/manifests") and name in self.server.manifests:  # type: ignore[attr-defined]
            assert self.headers["Accept"] == oci.MANIFEST
            self.answer(200, self.server.manifests[name])  # type: ignore[attr-defined]
        elif kind.endswith("/blobs") and name in self.server.blobs:  # type: ignore[attr-defined]
            self.answer(307, location=f"/elsewhere/{name}")
        else:
            self.refuse(404, "NAME_UNKNOWN", "there is none")

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def refuse(self, status: int, code: str, message: str) -> None:
        self.answer(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode())

    def answer(self, status: int, body: bytes = b"", location: str | None = None) -> None:
        self.server.asked.append(f"{self.command} {status}")  # type: ignore[attr-defined]
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    server.blobs, server.manifests, server.uploads, server.asked = {}, {}, {}, []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def registry(server: Any) -> oci.Registry:
    return oci.Registry(f"http://127.0.0.1:{server.server_port}", TOKEN)


def test_an_image_is_what_the_specification_says() -> None:
    image = oci.image(FILES, architecture="arm64")

    manifest = json.loads(image.manifest)
    config = json.loads(image.blobs[manifest["config"]["digest"]])
    [layer] = manifest["layers"]
    packed = image.blobs[layer["digest"]]
    assert (manifest["schemaVersion"], manifest["mediaType"], layer["size"]) == (2, oci.MANIFEST, len(packed))
    assert (config["os"], config["architecture"]) == ("linux", "arm64")
    assert config["rootfs"]["diff_ids"] == [oci.digest(gzip.decompress(packed))]
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        assert tar.getnames() == sorted(FILES)


def test_the_same_files_make_the_same_image() -> None:
    assert oci.image(FILES) == oci.image(dict(reversed(FILES.items())))
    assert oci.image(FILES).digest != oci.image({**FILES, "more": b""}).digest


def test_what_is_pushed_is_pulled_by_tag_and_by_digest(registry: oci.Registry) -> None:
    image = oci.image(FILES)

    digest = registry.push("shop", image, "v1")

    assert digest == image.digest == oci.digest(image.manifest)
    assert registry.pull("shop", "v1") == registry.pull("shop", digest) == image
    assert oci.files(registry.pull("shop", digest)) == FILES


def test_what_is_there_is_not_uploaded_again(registry: oci.Registry, server: Any) -> None:
    registry.push("shop", oci.image(FILES), "v1")
    server.asked.clear()

    registry.push("shop", oci.image(FILES), "v2")

    assert [asked.split()[0] for asked in server.asked if not asked.startswith("GET")].count("POST") == 0
    assert server.asked[-1] == "PUT 201"


def test_a_refusal_says_its_code(registry: oci.Registry) -> None:
    registry.push("shop", oci.image(FILES), "v1")

    with pytest.raises(
        oci.RegistryError, match=r"answers 400 TAG_INVALID: The image tag 'v1' already exists"
    ) as refused:
        registry.push("shop", oci.image({}), "v1")
    assert (refused.value.status, refused.value.code) == (400, "TAG_INVALID")


def test_who_has_no_token_is_refused(registry: oci.Registry) -> None:
    with pytest.raises(oci.RegistryError, match="answers 401 UNAUTHORIZED"):
        oci.Registry(registry.endpoint, None).pull("shop", "v1")


def test_an_image_that_is_not_there_is_said_not_to_be(registry: oci.Registry) -> None:
    with pytest.raises(oci.RegistryError, match="answers 404 NAME_UNKNOWN"):
        registry.pull("shop", "v9")


@pytest.mark.parametrize("what", ["blobs", "manifests"])
def test_content_that_is_not_what_its_digest_says_is_refused(registry: oci.Registry, server: Any, what: str) -> None:
    image = oci.image(FILES)
    registry.push("shop", image)
    other = json.dumps({**json.loads(image.manifest), "annotations": {"a": "b"}}).encode()
    name = image.digest if what == "manifests" else json.loads(image.manifest)["layers"][0]["digest"]
    getattr(server, what)[name] = other

    with pytest.raises(LabError, match=re.escape(f"sent something else for {name}")):
        registry.pull("shop", image.digest)


def test_an_upload_to_another_host_is_refused(registry: oci.Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Registry, "do_POST", lambda self: self.answer(202, location="http://127.0.0.2:1/v2/upload"))

    with pytest.raises(LabError, match=r"sends the upload to http://127\.0\.0\.2:1/v2/upload: refused"):
        registry.push("shop", oci.image(FILES))


def test_a_registry_that_does_not_answer_is_named() -> None:
    with pytest.raises(LabError, match=r"http://127\.0\.0\.1:9 does not answer"):
        oci.Registry("http://127.0.0.1:9", None).pull("shop", "v1")


@pytest.mark.parametrize(
    ("api", "endpoint", "permitted"),
    [
        ("http://127.0.0.1:4566", "http://127.0.0.1:4566", True),
        ("https://api.ecr.us-east-1.amazonaws.com", "https://111122223333.dkr.ecr.us-east-1.amazonaws.com", True),
        ("http://127.0.0.1:4566", "https://000000000000.dkr.ecr.us-east-1.amazonaws.com", False),
    ],
)
def test_a_local_run_pushes_to_no_registry_elsewhere(api: str, endpoint: str, permitted: bool) -> None:
    answer = {"authorizationData": [{"authorizationToken": TOKEN, "proxyEndpoint": endpoint}]}
    client = SimpleNamespace(get_authorization_token=lambda: answer, meta=SimpleNamespace(endpoint_url=api))

    if permitted:
        assert oci.registry(client) == oci.Registry(endpoint, TOKEN)
    else:
        with pytest.raises(LabError, match=r"refused\. It reaches the emulator alone"):
            oci.registry(client)
