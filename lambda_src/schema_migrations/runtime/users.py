"""The application's database user: made from its secret, with its rights and no others."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data_access.database import Transaction

_ITERATIONS = 4096


def make_user(transaction: Transaction, user: str, password: str) -> None:
    """Make a database user who can log in and nothing else, or give the one there is this password.

    PostgreSQL gets the password as it would keep it: what is sent is in no log, and opens nothing.
    """
    name = _identifier(user)
    if not transaction.query("SELECT 1 AS there FROM pg_roles WHERE rolname = :user", {"user": user}):
        transaction.execute(f"CREATE ROLE {name}")
    attributes = "LOGIN NOCREATEDB NOCREATEROLE NOINHERIT"
    transaction.execute(f"ALTER ROLE {name} {attributes} PASSWORD '{verifier(password)}'")


def grant(transaction: Transaction, user: str, database: str, rights: Sequence[str]) -> None:
    """Give the user these rights on every table of the schema ``public``, those to come too, and take any other.

    :param rights: such as ``SELECT``.
    """
    name, given = _identifier(user), ", ".join(rights)
    for statement in (
        f"REVOKE ALL ON DATABASE {_identifier(database)} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {_identifier(database)} TO {name}",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}",
        f"GRANT {given} ON ALL TABLES IN SCHEMA public TO {name}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM {name}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {given} ON TABLES TO {name}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {name}",
    ):
        transaction.execute(statement)


def verifier(password: str, salt: bytes | None = None) -> str:
    """Return what PostgreSQL keeps of a password that is printable ASCII, as those of AWS Secrets Manager are.

    Source: https://www.postgresql.org/docs/current/catalog-pg-authid.html
    """
    salt = os.urandom(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${_ITERATIONS}:{salt64}${stored64}:{server64}"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
