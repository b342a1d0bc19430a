"""Makes GraphQL APIs on the emulator by AppSync's own API, in a second, where a test needs no stack."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Emulated

JS = {"name": "APPSYNC_JS", "runtimeVersion": "1.0.0"}
APPSYNC = {"Service": "appsync.amazonaws.com"}


@dataclass(frozen=True)
class Api:
    """An API, and what a test adds to it."""

    emulated: Emulated
    api_id: str

    @cached_property
    def appsync(self) -> Any:
        return self.emulated.client("appsync")

    @cached_property
    def _described(self) -> dict[str, Any]:
        described: dict[str, Any] = self.appsync.get_graphql_api(apiId=self.api_id)["graphqlApi"]
        return described

    @property
    def arn(self) -> str:
        return str(self._described["arn"])

    @property
    def url(self) -> str:
        return str(self._described["uris"]["GRAPHQL"])

    @property
    def realtime_url(self) -> str:
        return str(self._described["uris"]["REALTIME"])

    def add_source(self, name: str, **settings: Any) -> None:
        self.appsync.create_data_source(apiId=self.api_id, name=name, **settings)

    def add_resolver(self, field: str, source: str, code: str) -> None:
        kind, name = field.split(".")
        self.appsync.create_resolver(
            apiId=self.api_id, typeName=kind, fieldName=name, dataSourceName=source, runtime=JS, code=code
        )


@contextmanager
def made(
    emulated: Emulated, schema: str, *, authentication: str, pool_id: str, others: tuple[str, ...] = ()
) -> Iterator[Api]:
    """Make an API that users of a pool may call too, and delete it in the end.

    :param others: what else it lets in, besides ``authentication``: ``AWS_IAM``.
    """
    appsync = emulated.client("appsync")
    pool = {"userPoolId": pool_id, "awsRegion": emulated.session.region_name}
    users = {"authenticationType": "AMAZON_COGNITO_USER_POOLS", "userPoolConfig": pool}
    api_id = appsync.create_graphql_api(
        name="Made",
        authenticationType=authentication,
        additionalAuthenticationProviders=[users, *({"authenticationType": other} for other in others)],
    )["graphqlApi"]["apiId"]
    try:
        appsync.start_schema_creation(apiId=api_id, definition=schema.encode())
        while (state := appsync.get_schema_creation_status(apiId=api_id))["status"] == "PROCESSING":
            time.sleep(0.05)
        assert state["status"] in {"ACTIVE", "SUCCESS"}, state
        yield Api(emulated, api_id)
    finally:
        appsync.delete_graphql_api(apiId=api_id)


def policy(*actions: str, **statement: Any) -> str:
    allowed = {"Effect": "Allow", "Action": list(actions), **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
