"""A graph and its user pool with every option that a policy might ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_dynamodb as dynamodb

from lab.project import ROOT
from lambda_src.graphql_api.checks import Cache
from lambda_src.graphql_api.construct import CheckedGraphqlApi
from lambda_src.graphql_api.sources import table_source
from lambda_src.table.construct import OnDemandTable
from lambda_src.user_pool.construct import SignInPool

if TYPE_CHECKING:
    from collections.abc import Mapping

_GREETINGS = ROOT / "docs" / "examples" / "greetings"


def add(stack: cdk.Stack, operation: Mapping[str, Any]) -> None:
    """Add them to a stack."""
    pool = SignInPool(
        stack,
        "SignIn",
        groups=["Staff"],
        self_sign_up=True,
        sign_in_for=cdk.Duration.days(1),
        posture=operation["posture"],
    )
    certificate = acm.Certificate.from_certificate_arn(
        stack, "GraphCertificate", "arn:aws:acm:us-east-1:111122223333:certificate/12345678-1234-1234-1234-123456789012"
    )
    api = CheckedGraphqlApi(
        stack,
        "Graph",
        api_name="Greetings",
        schema=_GREETINGS / "schema.graphql",
        resolvers=_GREETINGS,
        environment={"GREETING": "Hello"},
        user_pool=pool,
        web_acl_arn="arn:aws:wafv2:us-east-1:111122223333:regional/webacl/acl/1",
        domain=appsync.DomainOptions(certificate=certificate, domain_name="graph.example.com"),
        introspection=False,
        query_depth_limit=5,
        resolver_count_limit=50,
        cache=Cache(),
        field_log_level=appsync.FieldLogLevel.ALL,
        enhanced_metrics=True,
        **operation,
    )
    name = dynamodb.Attribute(name="name", type=dynamodb.AttributeType.STRING)
    table = OnDemandTable(stack, "Greeting", partition_key=name, posture=operation["posture"])
    source = table_source(api, "Greetings", table, "dynamodb:GetItem")
    api.resolvers.add("Query.greeting", source, cached_for=cdk.Duration.minutes(1))
