"""Who a request is of, and which fields of the schema are for whom.

A signature, an API key or a token says of what kind the caller is; the directives of a field, else of its type, else
the API's default say what kinds the field is for. MiniStack has checked the signature, and with a role's policies the
fields of Query and Mutation. Of a token it reads the claims alone: its Cognito signs nothing that could be checked.

Source: https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType, value_from_ast_untyped
from ministack.services import appsync, cognito

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphql import DirectiveNode

_DIRECTIVES = {
    "aws_iam": "AWS_IAM",
    "aws_api_key": "API_KEY",
    "aws_cognito_user_pools": "AMAZON_COGNITO_USER_POOLS",
    "aws_auth": "AMAZON_COGNITO_USER_POOLS",
    "aws_oidc": "OPENID_CONNECT",
    "aws_lambda": "AWS_LAMBDA",
}
Identity = dict[str, Any]


@dataclass
class Caller:
    """Whoever made a request."""

    mode: str
    default_mode: str
    identity: Identity | None
    _known: dict[tuple[str, str], bool] = field(default_factory=dict)

    def may_read(self, kind: GraphQLObjectType, name: str) -> bool:
        """Say whether the schema has a field for this caller."""
        asked = (kind.name, name)
        if asked not in self._known:
            self._known[asked] = self._may_read(kind, name)
        return self._known[asked]

    def _may_read(self, kind: GraphQLObjectType, name: str) -> bool:
        if name.startswith("__") or kind.name.startswith("__"):
            return True
        node = kind.fields[name].ast_node
        directives = _of_authorization(node.directives if node else ())
        if not directives:
            directives = _of_authorization(kind.ast_node.directives if kind.ast_node else ())
        if not directives:
            return self.mode == self.default_mode
        return any(_DIRECTIVES[one.name.value] == self.mode and self._in_group(one) for one in directives)

    def _in_group(self, directive: DirectiveNode) -> bool:
        groups = [
            value_from_ast_untyped(one.value) for one in directive.arguments if one.name.value == "cognito_groups"
        ]
        if not groups:
            return True
        return bool(set(groups[0]) & set((self.identity or {}).get("groups") or []))


def caller(api: dict[str, Any], headers: Mapping[str, str]) -> Caller:
    """Say who made a request that MiniStack has authenticated."""
    default = api.get("authenticationType") or "API_KEY"
    authorization = headers.get("authorization", "")
    if authorization.startswith("AWS4-HMAC-SHA256"):
        return Caller("AWS_IAM", default, _of_principal())
    if authorization:
        pool = _pool(api)
        return Caller(
            "AMAZON_COGNITO_USER_POOLS", default, appsync._cognito_identity({"userPoolConfig": pool}, headers)
        )
    return Caller("API_KEY", default, None)


def with_tokens_read(authenticated: Callable[..., bool]) -> Callable[..., bool]:
    """Refuse a token that is not of the API's user pool, is over, or is of nobody."""

    def request_is_authenticated(api_id: str, api: dict[str, Any], request_headers: dict[str, str]) -> bool:
        headers = {name.lower(): value for name, value in request_headers.items()}
        token = headers.get("authorization", "")
        if token and not token.startswith("AWS4-HMAC-SHA256"):
            return _is_of_user(api, headers)
        return authenticated(api_id, api, request_headers)

    return request_is_authenticated


def unauthorized(kind: str, name: str) -> Exception:
    """Make the error of a field that is not for the caller."""
    refused: Exception = appsync._AppSyncResolverError(
        f"Not Authorized to access {name} on type {kind}", "Unauthorized"
    )
    return refused


def _is_of_user(api: dict[str, Any], headers: dict[str, str]) -> bool:
    pool_id = (_pool(api) or {}).get("userPoolId")
    identity = appsync._cognito_identity({"userPoolConfig": {}}, headers)
    pool = cognito._user_pools.get(pool_id) if pool_id else None
    if not pool or not identity:
        return False
    claims = identity["claims"]
    user = pool["_users"].get(identity["username"])
    of_pool = str(claims.get("iss", "")).rpartition("/")[2] == pool_id
    return bool(of_pool and user and user.get("Enabled", True) and claims.get("exp", 0) > time.time())


def _pool(api: dict[str, Any]) -> dict[str, Any] | None:
    providers = [api, *(api.get("additionalAuthenticationProviders") or [])]
    return next((one["userPoolConfig"] for one in providers if one.get("userPoolConfig")), None)


def _of_principal() -> Identity:
    from ministack.core.iam_evaluator import caller_arn  # noqa: PLC0415 - it is of the request

    arn = caller_arn()
    return {"userArn": arn, "accountId": arn.split(":")[4] if arn.count(":") > 4 else "", "sourceIp": ["127.0.0.1"]}


def _of_authorization(directives: Any) -> list[DirectiveNode]:
    return [one for one in directives or () if one.name.value in _DIRECTIVES]
