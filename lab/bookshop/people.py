"""Who calls the bookshop besides the caller of ``lab``: a role, people who signed in, a stranger. Made for a while."""

from __future__ import annotations

import json
import secrets
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3

from lab.bookshop.connection import Bearer, SignedRequests
from lab.errors import LabError
from lab.runbook import NotMadeError, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.deployment import Deployment


#: A stranger, who has no credentials.
NOBODY = Bearer("")


@contextmanager
def role(deployed: Deployment, *fields: str) -> Iterator[SignedRequests]:
    """Make a role that may read these fields (``Query.books``) and do nothing else, and be it."""
    session, name = deployed.target.session, f"lab-bookshop-{uuid.uuid4()}"
    iam, sts = session.client("iam"), session.client("sts")
    api = deployed.client("appsync").get_graphql_api(apiId=deployed.output("ApiId"))["graphqlApi"]["arn"]
    account = sts.get_caller_identity()["Account"]
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    resources = [f"{api}/types/{'/fields/'.join(field.split('.'))}" for field in fields]
    may = {"Effect": "Allow", "Action": "appsync:GraphQL", "Resource": resources}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    try:
        iam.put_role_policy(RoleName=name, PolicyName="fields", PolicyDocument=_policy(may))
        credentials: dict[str, str] = {}

        def is_assumed() -> bool:
            """A new role is known everywhere some seconds later."""
            try:
                credentials.update(sts.assume_role(RoleArn=arn, RoleSessionName="lab")["Credentials"])  # type: ignore[arg-type]
            except sts.exceptions.ClientError:
                return False
            return True

        if not wait_for(is_assumed):
            raise LabError(f"{arn} cannot be assumed after a minute: may your credentials assume roles?")
        yield SignedRequests(
            boto3.Session(
                aws_access_key_id=credentials["AccessKeyId"],
                aws_secret_access_key=credentials["SecretAccessKey"],
                aws_session_token=credentials["SessionToken"],
                region_name=session.region_name,
            )
        )
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="fields")
        iam.delete_role(RoleName=name)


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


def _policy(statement: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
