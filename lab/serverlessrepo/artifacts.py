"""What a publisher has in a bucket, and the copies that the repository keeps of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.serverlessrepo.protocol import bad_request
from lambda_src.published_application.rules import LARGEST_DOCUMENT, LARGEST_TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.serverlessrepo.surroundings import Surroundings

_S3 = re.compile(r"(?:s3://|https?://[^/]+/)(?P<bucket>[^/?]+)/(?P<key>[^?]+).*")


@dataclass(frozen=True)
class Artifacts:
    """Reads as the service may read, and keeps copies."""

    surroundings: Surroundings

    def template(self, request: Mapping[str, Any]) -> str:
        """Read a version's template, of the request itself or of a bucket."""
        text = self._text(request, "Template", LARGEST_TEMPLATE)
        if text is None:
            raise bad_request("A version has a template: TemplateBody or TemplateUrl.")
        return text

    def document(self, request: Mapping[str, Any], name: str, folder: str) -> str | None:
        """Keep a licence or a readme, if the request has one; return its address."""
        text = self._text(request, name, LARGEST_DOCUMENT)
        return None if text is None else self.surroundings.keep(f"{folder}/{name.lower()}", text.encode())

    def code(self, location: Any, folder: str) -> str:
        """Keep a copy of a function's code; return its place as a template names it."""
        content = self._read(location)
        found = _S3.fullmatch(self.surroundings.keep(f"{folder}/{location.rpartition('/')[2]}", content))
        assert found is not None  # noqa: S101 - for mypy: `keep` answers such an address
        return f"s3://{found['bucket']}/{found['key']}"

    def archive(self, location: str, folder: str) -> str:
        """Keep a copy of an archive of source code; return its address."""
        return self.surroundings.keep(f"{folder}/source.zip", self._read(location))

    def links(self, document: Mapping[str, Any], *names: str) -> dict[str, str]:
        """Make links to what a document has the addresses of."""
        return {name: self.surroundings.link(document[name]) for name in names if document.get(name)}

    def _text(self, request: Mapping[str, Any], name: str, largest: int) -> str | None:
        body, url = request.get(f"{name}Body"), request.get(f"{name}Url")
        if body is not None and url is not None:
            raise bad_request(f"Give one of {name}Body and {name}Url, not both.")
        content = body.encode() if body is not None else self._read(url) if url is not None else None
        if content is not None and len(content) > largest:
            raise bad_request(f"{name} has {len(content):,} bytes: {largest:,} at most.")
        return None if content is None else content.decode()

    def _read(self, location: Any) -> bytes:
        found = _S3.fullmatch(location) if isinstance(location, str) else None
        if found is None:
            raise bad_request(f"{location} is no address of an object in Amazon S3: package the application first.")
        content = self.surroundings.read(found["bucket"], found["key"])
        if content is None:
            raise bad_request(
                f"The repository does not have read access to bucket '{found['bucket']}', key '{found['key']}': let "
                "serverlessrepo.amazonaws.com read it in the bucket's policy."
            )
        return content
