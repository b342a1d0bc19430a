"""Who calls the bookshop besides the caller of ``lab``: a role, people who signed in, a stranger. Made for a while."""

from __future__ import annotations

import secrets
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3

from lab.bookshop.signing import Bearer, SignedRequests
from lab.runbook import NotMadeError
from lab.temporary_role import role_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.deployment import Deployment


#: A stranger, who has no credentials.
NOBODY = Bearer("")


@contextmanager
def role(deployed: Deployment, *fields: str) -> Iterator[SignedRequests]:
    """Make a role that may read these fields (``Query.books``) and do nothing else, and be it."""
    session = deployed.target.session
    api = deployed.client("appsync").get_graphql_api(apiId=deployed.output("ApiId"))["graphqlApi"]["arn"]
    resources = [f"{api}/types/{'/fields/'.join(field.split('.'))}" for field in fields]
    with role_with(deployed, [("appsync:GraphQL", resources)]) as credentials:
        yield SignedRequests(boto3.Session(**credentials, region_name=session.region_name))


@contextmanager
def signed_in(deployed: Deployment, *groups: str) -> Iterator[Bearer]:
    """Make a user of these groups, and be signed in as the user."""
    cognito, pool = deployed.client("cognito-idp"), deployed.output("UserPoolId")
    name, password = f"lab-{uuid.uuid4()}@example.com", f"{secrets.token_urlsafe(24)}aA1!"
    cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    try:
        cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
        for group in groups:
            cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group)
        try:
            answer = cognito.admin_initiate_auth(
                UserPoolId=pool,
                ClientId=deployed.output("UserPoolClientId"),
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": name, "PASSWORD": password},
            )
        except cognito.exceptions.InvalidParameterException as error:
            raise NotMadeError(f"A program cannot sign in with a password in the posture production: {error}") from None
        yield Bearer(answer["AuthenticationResult"]["AccessToken"])
    finally:
        cognito.admin_delete_user(UserPoolId=pool, Username=name)
