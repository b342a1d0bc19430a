"""Who takes part in the runbook of SAR: accounts, and an application that one of them publishes for a check."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.project import LAB
from lab.runbook import NotMadeError, wait_for
from lab.sar import packaging, publishing, sharing
from lab.target import TargetName
from lambda_src.published_application.rules import METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.deployment import Deployment

#: On the emulator an access key of twelve digits is that account's; nobody but the runbook uses this one.
STRANGER = "111122223333"
MESSAGES = 20
_MEMBER = "runbook-member"


@dataclass
class Account:
    """Clients of one account."""

    repository: Any
    cloudformation: Any
    deployed: Deployment
    credentials: dict[str, str]

    def send(self, outputs: dict[str, str]) -> int:
        """Send messages to the queue of a deployed application, and return how many of them its table has."""
        sqs, dynamodb = (self.deployed.client(service, **self.credentials) for service in ("sqs", "dynamodb"))
        entries = [{"Id": str(number), "MessageBody": f"runbook {number}"} for number in range(MESSAGES)]
        sent: dict[str, str] = {}
        for start in range(0, MESSAGES, 10):
            batch = entries[start : start + 10]
            answer = sqs.send_message_batch(QueueUrl=outputs["QueueUrl"], Entries=batch)
            assert not answer.get("Failed"), f"not sent: {answer['Failed']}"
            sent |= {one["MessageId"]: entries[int(one["Id"])]["MessageBody"] for one in answer["Successful"]}
        stored: dict[str, str] = {}

        def all_stored() -> bool:
            items = dynamodb.scan(TableName=outputs["TableName"], ConsistentRead=True)["Items"]
            stored.update({item["MessageId"]["S"]: item["Body"]["S"] for item in items})
            return sent.items() <= stored.items()

        arrived = wait_for(all_stored, seconds=120)
        assert arrived, f"{len(sent.items() - stored.items())} of {len(sent)} are not in the table"
        return len(sent)


class Publication:
    """The packaged application, published under a name of this check's own, and gone at its end."""

    def __init__(self, repository: Any, template: dict[str, Any]) -> None:
        self.repository = repository
        self.template = template
        self.name = template["Metadata"][METADATA]["Name"] = f"runbook-{uuid.uuid4()}"
        template["Metadata"][METADATA]["SemanticVersion"] = "1.0.0"
        self.made = publishing.publish(repository, template)
        self.application_id = str(self.made["ApplicationId"])

    @classmethod
    @contextmanager
    def of(cls, deployed: Deployment) -> Iterator[Publication]:
        """Package what was deployed, and publish it inside the ``with`` block."""
        publication = cls(publishing.client(deployed.target.session), packaged(deployed))
        try:
            yield publication
        finally:
            publication.repository.delete_application(ApplicationId=publication.application_id)

    def share(self, *, accounts: tuple[str, ...] = (), organizations: tuple[str, ...] = ()) -> None:
        """Share it with these and nobody else."""
        sharing.share(self.repository, self.made, sharing.Audience(accounts=accounts, organizations=organizations))

    def refusal_of(self, call: str, repository: Any = None, **parameters: Any) -> str:
        """Make a call that must be refused; return the error's code, or ``permitted``."""
        try:
            getattr(repository or self.repository, call)(ApplicationId=self.application_id, **parameters)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "permitted"


def stranger(deployed: Deployment) -> Account:
    """Be an account that has nothing to do with this one.

    :raises NotMadeError: on AWS, where nobody has its credentials.
    """
    if deployed.target.name is TargetName.AWS:
        raise NotMadeError(
            "It needs a second account: share with it (`lab sar share NAME --account NUMBER`), and say `lab sar deploy "
            "ARN --target aws` with its credentials."
        )
    return _emulated(deployed, STRANGER)


def member(deployed: Deployment) -> Account:
    """Take the account in the organization of this one that a run before made, or make it.

    :raises NotMadeError: on AWS, where an account is more than a check should make.
    """
    if deployed.target.name is not TargetName.LOCAL:
        raise NotMadeError("It needs an account of your organization, and makes none on AWS.")
    organizations = deployed.client("organizations")
    pages = organizations.get_paginator("list_accounts").paginate()
    there = [one["Id"] for page in pages for one in page["Accounts"] if one["Name"] == _MEMBER]
    if not there:
        status = organizations.create_account(AccountName=_MEMBER, Email=f"{_MEMBER}@example.com")[
            "CreateAccountStatus"
        ]
        there = [status["AccountId"]]
    return _emulated(deployed, there[0])


def _emulated(deployed: Deployment, account: str) -> Account:
    credentials = {"aws_access_key_id": account, "aws_secret_access_key": "test"}
    return Account(
        publishing.client(deployed.target.session, **credentials),
        deployed.client("cloudformation", **credentials),
        deployed,
        credentials,
    )


def packaged(deployed: Deployment, bucket: str | None = None) -> dict[str, Any]:
    """Package what the deployment synthesized."""
    assembly = LAB / f"assembly-{deployed.target.name.value}"
    template_file = packaging.template_in(assembly, deployed.section.stack_id)
    return packaging.package(template_file, deployed.client("s3"), bucket or deployed.output("BucketName"))
