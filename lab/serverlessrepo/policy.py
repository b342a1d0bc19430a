"""An application's policy: what its statements may say, and whom they permit what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lab.serverlessrepo.protocol import bad_request
from lambda_src.published_application.rules import missing_for_the_public

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Statement = dict[str, Any]
_DEPLOY = "Deploy"
_UNSHARE = "UnshareApplication"
#: What a statement may permit one by one, and what ``Deploy`` stands for.
_ACTIONS = {
    "CreateCloudFormationChangeSet",
    "CreateCloudFormationTemplate",
    "GetApplication",
    "ListApplicationDependencies",
    "ListApplicationVersions",
    "SearchApplications",
}


def check(statement: Statement, application: Mapping[str, Any]) -> None:
    """Refuse a statement that no application's policy can have, or that this application's cannot."""
    principals, organizations = statement["Principals"], statement.get("PrincipalOrgIDs") or []
    known = {_DEPLOY, *_ACTIONS, *({_UNSHARE} if organizations else ())}
    if unknown := set(statement["Actions"]) - known:
        raise bad_request(f"A statement permits no {', '.join(sorted(unknown))}.")
    for principal in principals:
        if principal != "*" and re.fullmatch(r"\d{12}", principal) is None:
            raise bad_request(f"Principal {principal} is neither an account of 12 digits nor *.")
    for organization in organizations:
        if re.fullmatch(r"o-[a-z0-9]{10,32}", organization) is None:
            raise bad_request(f"PrincipalOrgID {organization} is no organization's.")
    if "*" in principals and not organizations:
        missing = missing_for_the_public(application, next(reversed(application["Versions"]), None))
        if missing:
            raise bad_request(f"An application that everybody may see needs {', '.join(missing)}.")


def permits(statements: Iterable[Statement], action: str, *, account: str, organization: str | None) -> bool:
    """Say whether one of the statements permits an account an action."""
    for statement in statements:
        organizations = statement.get("PrincipalOrgIDs") or []
        named = "*" in statement["Principals"] or account in statement["Principals"]
        if named and (not organizations or organization in organizations):
            permitted = statement["Actions"]
            if action in permitted or (_DEPLOY in permitted and action in _ACTIONS):
                return True
    return False


def may_end(statements: Iterable[Statement], organization: str) -> bool:
    """Say whether an organization's management account may end the sharing with it."""
    return any(
        organization in statement.get("PrincipalOrgIDs", []) and _UNSHARE in statement["Actions"]
        for statement in statements
    )


def without(statements: Iterable[Statement], organization: str) -> list[Statement]:
    """Leave out what is said of an organization."""
    return [one for one in statements if organization not in one.get("PrincipalOrgIDs", [])]
