"""What the repository needs of where it runs."""

from __future__ import annotations

from typing import Any, Protocol

Document = dict[str, Any]


class Surroundings(Protocol):
    """What the repository needs of where it runs."""

    @property
    def account(self) -> str:
        """Say whose request it is."""

    @property
    def region(self) -> str:
        """Say where it was sent."""

    def read(self, bucket: str, key: str) -> bytes | None:
        """Read an object as the service, if its bucket's policy lets the service."""

    def keep(self, key: str, content: bytes) -> str:
        """Keep a copy of an artifact; return its address, which nobody but the service can read by itself."""

    def link(self, address: str) -> str:
        """Make a link by which whoever has it can read an artifact, for an hour."""

    def parse(self, text: str) -> Document:
        """Parse a template.

        :raises ValueError: when it is none.
        """

    def organization_of(self, account: str) -> str | None:
        """Name the organization that an account belongs to."""

    def manages(self, organization: str) -> bool:
        """Say whether the caller's account is the management account of an organization."""

    def create_change_set(self, template: str, request: Document) -> Document:
        """Create a change set in the caller's account; return its ``ChangeSetId`` and ``StackId``."""
