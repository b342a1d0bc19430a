"""Clients of the emulator's own API, each with the credentials of a data source's role, as AppSync assumes it.

Source: https://docs.aws.amazon.com/appsync/latest/devguide/attaching-a-data-source.html
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from functools import lru_cache
from typing import Any

import botocore.session
from botocore.config import Config
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import appsync, iam, sts

_SERVICE = "appsync.amazonaws.com"
_making = threading.Lock()


def client(service: str, role_arn: str) -> Any:
    """Make a client of a service that acts as the role, or find the one made before.

    :raises _AppSyncResolverError: when AppSync may not assume the role.
    """
    if not _may_be_assumed(role_arn):
        message = f"AppSync may not assume {role_arn}"
        raise appsync._AppSyncResolverError(message, "AccessDeniedException")
    with _making:  # botocore's session is for one thread at a time; its clients are for any
        return _client(service, get_region(), *_credentials(role_arn))


@lru_cache(maxsize=256)
def _client(service: str, region: str, key: str, secret: str, token: str) -> Any:
    return _session().create_client(
        service,
        region_name=region,
        endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        # A data source's error is the resolver's to handle.
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30, proxies={}),
    )


@lru_cache(maxsize=1)
def _session() -> Any:
    return botocore.session.get_session()


def _credentials(role_arn: str) -> tuple[str, str, str]:
    digest, token = (hashlib.sha256(f"{kind}:{role_arn}".encode()).hexdigest() for kind in ("AppSync", "AppSync token"))
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    key, secret = f"ASIA{digest[:16].upper()}", digest[16:]
    session = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/APPSYNC_ASSUME_ROLE",
        "UserId": f"{name}:APPSYNC_ASSUME_ROLE",
        "SecretAccessKey": secret,
        "SessionToken": token,
    }
    sts.register_session(key, session)
    return key, secret, token


def _may_be_assumed(role_arn: str) -> bool:
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    role = iam._roles.get_scoped(account, None, name)
    if role is None:
        return False
    trust = role["AssumeRolePolicyDocument"]
    document = json.loads(trust) if isinstance(trust, str) else trust
    statements = document["Statement"]
    # The evaluation wants the resource that a trust policy does not have.
    policy = {
        "Statement": [
            {"Resource": "*", **one} for one in ([statements] if isinstance(statements, dict) else statements)
        ]
    }
    context = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="sts:AssumeRole",
        resource_arn="*",
        region=get_region(),
        service_context={"aws:sourceaccount": get_account_id()},
    )
    return bool(iam_evaluator.evaluate_resource_policy(policy, context, service=_SERVICE).decision == "Allow")
