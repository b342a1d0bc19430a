"""A specification as EKS Anywhere reads it, several documents, and what is wrong at which place in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Document = dict[str, Any]
Key = str | int


@dataclass(frozen=True)
class Problem:
    """Something that makes a specification impossible, where it is, and which rule says so."""

    document: int
    path: tuple[Key, ...]
    rule: str
    text: str

    @property
    def field(self) -> str:
        """Write the place as a person does: ``spec.workerNodeGroupConfigurations[0].count``."""
        return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.path).lstrip(".")

    def __str__(self) -> str:
        return f"{self.field or f'document {self.document + 1}'}: {self.text}"


@dataclass(frozen=True)
class Place:
    """A value in a document, and the way to it; of what is not there, the value is ``None``."""

    document: int
    value: Any
    path: tuple[Key, ...] = ()

    def __getitem__(self, key: str) -> Place:
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return Place(self.document, value, (*self.path, key))

    @property
    def items(self) -> list[Place]:
        """Return the places of a list's items."""
        found = self.value if isinstance(self.value, list) else []
        return [Place(self.document, value, (*self.path, index)) for index, value in enumerate(found)]

    def is_wrong(self, rule: str, text: str) -> Problem:
        """Say what is wrong here."""
        return Problem(self.document, self.path, rule, text)


@dataclass(frozen=True)
class Site:
    """What no document says of where the cluster is made.

    :param network: where its machines are, such as ``10.20.0.0/22``.
    :param dhcp_range: first and last address that DHCP gives away, such as ``("10.20.1.0", "10.20.3.250")``.
    :param eksa_version: the EKS Anywhere that makes it, such as ``0.26``, where the specification names none.
    """

    network: str | None = None
    dhcp_range: tuple[str, str] | None = None
    eksa_version: str | None = None


@dataclass(frozen=True)
class Specification:
    """The documents of a cluster, and where it is made."""

    documents: Sequence[Document]
    site: Site = field(default_factory=Site)

    def of_kind(self, kind: str) -> Iterator[Place]:
        """Return the documents of a kind."""
        for index, document in enumerate(self.documents):
            if document.get("kind") == kind:
                yield Place(index, document)

    @property
    def clusters(self) -> list[Place]:
        """Return the clusters, which is one as a rule."""
        return list(self.of_kind("Cluster"))

    def find(self, kind: Any, name: Any) -> Place | None:
        """Find a document by its kind and name."""
        return next((one for one in self.of_kind(kind) if one["metadata"]["name"].value == name), None)
