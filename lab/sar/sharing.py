"""Shares applications: with accounts, with an organization, with everybody, or with nobody any more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.errors import UsageError
from lab.sar import publishing
from lambda_src.published_application.rules import missing_for_the_public

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Audience:
    """Who may find and deploy an application, besides the account that it is in."""

    accounts: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    everybody: bool = False

    @classmethod
    def of(cls, accounts: Sequence[str], organizations: Sequence[str], *, everybody: bool, nobody: bool) -> Audience:
        """Check what a user asked for.

        :raises UsageError: when it is nothing, contradicts itself, or names what cannot be.
        """
        asked = [bool(accounts or organizations), everybody, nobody]
        if asked.count(True) != 1:
            raise UsageError("Say whom to share with: --account and --organization, or --public, or --private.")
        for account in accounts:
            if re.fullmatch(r"\d{12}", account) is None:
                raise UsageError(f"--account {account}: the 12 digits of an account.")
        for organization in organizations:
            if re.fullmatch(r"o-[a-z0-9]{10,32}", organization) is None:
                raise UsageError(f"--organization {organization}: an id such as o-a1b2c3d4e5.")
        return cls(tuple(dict.fromkeys(accounts)), tuple(dict.fromkeys(organizations)), everybody)

    @property
    def statements(self) -> list[dict[str, Any]]:
        """Write the application's policy, which replaces the one that it has.

        Source: https://docs.aws.amazon.com/serverlessrepo/latest/devguide/security_iam_resource-based-policy-examples.html
        """
        if self.everybody:
            return [{"StatementId": "Everybody", "Principals": ["*"], "Actions": ["Deploy"]}]
        statements: list[dict[str, Any]] = []
        if self.accounts:
            statements.append({"StatementId": "Accounts", "Principals": [*self.accounts], "Actions": ["Deploy"]})
        if self.organizations:
            statements.append(
                {
                    "StatementId": "Organizations",
                    "Principals": ["*"],
                    "PrincipalOrgIDs": [*self.organizations],
                    # Its management account may end it, as AWS asks for.
                    "Actions": ["Deploy", "UnshareApplication"],
                }
            )
        return statements

    def __str__(self) -> str:
        if self.everybody:
            return "everybody, with and without an AWS account"
        named = [
            *(f"account {account}" for account in self.accounts),
            *(f"every account of the organization {organization}" for organization in self.organizations),
        ]
        return " and ".join(named) or "this account alone"


def audience_now(repository: Any, application_id: str) -> Audience:
    """Find out with whom an application is shared."""
    statements = repository.get_application_policy(ApplicationId=application_id)["Statements"]
    accounts: list[str] = []
    organizations: list[str] = []
    everybody = False
    for statement in statements:
        if statement.get("PrincipalOrgIDs"):
            organizations += statement["PrincipalOrgIDs"]
        else:
            everybody = everybody or "*" in statement["Principals"]
            accounts += [principal for principal in statement["Principals"] if principal != "*"]
    return Audience(tuple(accounts), tuple(organizations), everybody)


def what_becomes_visible(repository: Any, application: dict[str, Any]) -> list[str]:
    """Say what of an application whoever it is shared with sees."""
    versions = [one["SemanticVersion"] for one in publishing.versions(repository, application["ApplicationId"])]
    shown = [
        f"its name, author and description: {application['Name']}, {application['Author']}, "
        f"{application['Description']!r}",
        f"every version, with its template and its functions' code: {', '.join(versions) or 'none yet'}",
    ]
    shown += [
        f"{what}: {application[name]}"
        for name, what in (("SpdxLicenseId", "its licence"), ("HomePageUrl", "its home page"))
        if application.get(name)
    ]
    if application.get("ReadmeUrl"):
        shown.append("its readme")
    return [*shown, "your account's number, which is part of the application's ARN"]


def require_complete(application: dict[str, Any], audience: Audience) -> None:
    """Make sure that an application has what AWS asks of one for everybody, if it is to be that.

    :raises UsageError: naming what it lacks.
    """
    if not audience.everybody:
        return
    missing = missing_for_the_public(application, application.get("Version", {}).get("SemanticVersion"))
    if missing:
        raise UsageError(
            f"{application['Name']} lacks {' and '.join(missing)}, without which it cannot be for everybody. A licence "
            "cannot be added later: publish it under another name, with one."
        )


def share(repository: Any, application: dict[str, Any], audience: Audience) -> None:
    """Replace an application's policy."""
    repository.put_application_policy(ApplicationId=application["ApplicationId"], Statements=audience.statements)
