"""Brings a database's schema up to date when its stack is deployed, for AWS CloudFormation.

Deleting the resource changes nothing: the data goes with the cluster. A deployment that is undone runs the older bundle
again, which finds its own migrations done, and leaves the newer ones' alone: migrations that only add let both work.
"""

from __future__ import annotations

import json
import os
from importlib import resources
from typing import TYPE_CHECKING, Any

# Not boto3, which would load the transfer manager of Amazon S3 too.
import botocore.session
from aws_lambda_powertools import Logger
from custom_resource import answered
from data_access import Database
from tracing import tracer

from .history import Migration, alone, migrate
from .users import grant, make_iam_database_user, make_user

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
secrets: Any = botocore.session.get_session().create_client("secretsmanager")


@tracer.handler
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Do what a request of CloudFormation asks for, and answer it."""
    answered(event, context, lambda: bring_up_to_date(event["RequestType"]), physical_id="schema")


def bring_up_to_date(request_type: str) -> None:
    """Make the application's database users with their rights, and run what has not run yet."""
    if request_type == "Delete":
        return
    database = Database.of_environment()
    user = json.loads(secrets.get_secret_value(SecretId=os.environ["APPLICATION_SECRET_ARN"])["SecretString"])
    # Before the migrations, which may give the users more rights, and take some of them back.
    with alone(database) as transaction:
        make_user(transaction, user["username"], user["password"])
        rights = os.environ["APPLICATION_RIGHTS"].split(",")
        grant(transaction, user["username"], os.environ["DATABASE_NAME"], rights)
        if iam_database_user := os.environ.get("IAM_DATABASE_USER"):
            make_iam_database_user(transaction, iam_database_user, user["username"])
    ran = migrate(database, migrations())
    logger.info("Schema is up to date", extra={"ran": ran, "user": user["username"]})


def migrations() -> list[Migration]:
    """Read the migrations that the bundle holds."""
    text = resources.files("migrations").joinpath("migrations.json").read_text()
    return [Migration(**one) for one in json.loads(text)]
