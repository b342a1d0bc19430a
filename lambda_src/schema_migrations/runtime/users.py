"""The application's database users: one with the password of its secret, and one with tokens of IAM."""

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
#: What the user gets on tables that are yet to be created is what `grant` was last told.
_STANDING_RIGHTS = """
SELECT entry.privilege_type AS given
FROM pg_default_acl, aclexplode(defaclacl) AS entry
WHERE defaclnamespace = 'public'::regnamespace AND defaclobjtype = 'r'
    AND defaclrole = (SELECT oid FROM pg_roles WHERE rolname = current_user)
    AND entry.grantee = (SELECT oid FROM pg_roles WHERE rolname = :user)
"""
#: A user whom this has not made: one that it made is a member of `rds_iam`.
_OTHERS = """
SELECT 1 AS there
FROM pg_roles
WHERE rolname = :user AND NOT EXISTS (
    SELECT 1
    FROM pg_auth_members
    WHERE member = pg_roles.oid AND roleid = (SELECT oid FROM pg_roles WHERE rolname = 'rds_iam')
)
"""


class UserError(Exception):
    """A database user cannot be made; the message says which, why, and what to do."""


def make_user(transaction: Transaction, user: str, password: str) -> None:
    """Make a database user who can log in and nothing else, or give the one there is this password.

    PostgreSQL gets the password as it would keep it: what is sent is in no log, and opens nothing.
    """
    _make(transaction, user, f"NOINHERIT PASSWORD '{verifier(password)}'")


def make_iam_database_user(transaction: Transaction, user: str, application: str) -> None:
    """Make a database user who logs in with a token of IAM, and has all rights of the application's user.

    A member of ``rds_iam`` cannot log in with a password any more, and the Data API has nothing else: so it is a user
    of its own.

    :raises UserError: when it is the application's user, the master, or somebody else's user with a password.
    """
    [row] = transaction.query("SELECT current_user::text AS master")
    if user in {application, row["master"]}:
        raise UserError(
            f"{user} logs in with a password, which tokens of IAM would end: name another iam_database_user"
        )
    if transaction.query(_OTHERS, {"user": user}):
        raise UserError(f"{user} is a database user of somebody else's already: name another iam_database_user")
    _make(transaction, user, "INHERIT PASSWORD NULL")
    transaction.execute(f"GRANT {_identifier(application)}, rds_iam TO {_identifier(user)}")


def grant(transaction: Transaction, user: str, database: str, rights: Sequence[str]) -> None:
    """Give the user these rights on every table of the schema ``public``, on those too that migrations will create.

    Later it changes only what differs from the last time: what a migration granted beyond, or took back, stays.

    :param rights: such as ``SELECT``.
    """
    name = _identifier(user)
    before = {row["given"] for row in transaction.query(_STANDING_RIGHTS, {"user": user})}
    for statement in (
        f"REVOKE ALL ON DATABASE {_identifier(database)} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {_identifier(database)} TO {name}",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {name}",
        *_changed("REVOKE", sorted(before.difference(rights)), "TABLES", f"FROM {name}"),
        *_changed("GRANT", sorted(set(rights).difference(before)), "TABLES", f"TO {name}"),
        *_changed("GRANT", [] if before else ["USAGE", "SELECT"], "SEQUENCES", f"TO {name}"),
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


def _make(transaction: Transaction, user: str, attributes: str) -> None:
    name = _identifier(user)
    if not transaction.query("SELECT 1 AS there FROM pg_roles WHERE rolname = :user", {"user": user}):
        transaction.execute(f"CREATE ROLE {name}")
    transaction.execute(f"ALTER ROLE {name} LOGIN NOCREATEDB NOCREATEROLE {attributes}")


def _changed(verb: str, rights: Sequence[str], objects: str, whose: str) -> list[str]:
    """Write what changes rights on the objects that there are, and on those to come."""
    if not rights:
        return []
    listed = ", ".join(rights)
    return [
        f"{verb} {listed} ON ALL {objects} IN SCHEMA public {whose}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public {verb} {listed} ON {objects} {whose}",
    ]


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
