"""Reads the name of a container image as container engines do: registry, repository, tag and digest."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DEFAULT_REGISTRY = "docker.io"
_OFFICIAL = "library"
_LONGEST = 255
_HOST = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_REGISTRY = re.compile(rf"({_HOST}(\.{_HOST})*|\[[0-9A-Fa-f:.]+\])(:\d{{1,5}})?")
_PART = r"[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(/{_PART})*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
# What a node calls an image that it has no name for.
_ID = re.compile(r"(sha256:)?[0-9a-f]{64}")


@dataclass(frozen=True)
class ImageName:
    """The parts of an image's name; an engine that gets a tag and a digest goes by the digest."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> ImageName | None:
        """Read a name, short or whole: ``nginx`` is ``docker.io/library/nginx``; nothing of what is none.

        Source: https://github.com/distribution/reference/blob/main/reference.go
        """
        named, at, digest = text.partition("@")
        if _ID.fullmatch(text) or (at and _DIGEST.fullmatch(digest) is None):
            return None
        first, slash, rest = named.partition("/")
        # What could be a folder of Docker Hub is one: a registry has a dot or a port, is localhost, or has capitals.
        has_registry = slash and (re.search(r"[.:\[]", first) or first == "localhost" or first != first.lower())
        registry, path = (first, rest) if has_registry else (_DEFAULT_REGISTRY, named)
        repository, colon, tag = path.partition(":")
        if registry == _DEFAULT_REGISTRY and "/" not in repository:
            repository = f"{_OFFICIAL}/{repository}"
        right = (
            _REGISTRY.fullmatch(registry)
            and _REPOSITORY.fullmatch(repository)
            and len(f"{registry}/{repository}") <= _LONGEST
            and (not colon or _TAG.fullmatch(tag))
        )
        return cls(registry, repository, tag or None, digest or None) if right else None
