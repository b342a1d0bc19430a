"""A GraphQL API whose schema and resolvers are checked when the app is synthesized, and that logs no contents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, Expiration
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_wafv2 as wafv2

from lambda_src.graphql_api.acknowledgements import acknowledge_defaults
from lambda_src.graphql_api.checks import Cache, check_access, check_limits
from lambda_src.graphql_api.operation import alarms, metrics, request_logs
from lambda_src.graphql_api.resolvers import Resolvers
from lambda_src.graphql_api.schema import Schema
from lambda_src.graphql_api.sources import appsync_principal
from lambda_src.options import checked
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from constructs import Construct


class CheckedGraphqlApi(appsync.GraphqlApi):
    """A GraphQL API: its schema and its resolvers fit each other, or the app does not synthesize.

    A schema that does not parse is refused with line and column, a resolver for a field that does not exist when it is
    added, and a field that nothing answers at the end. Principals of AWS sign their requests (SigV4) and need
    ``api.grant_query(caller, "book")``; with ``user_pool`` people sign in as well. The schema's directives say which of
    them a field is for: ``@aws_iam``, ``@aws_cognito_user_pools(cognito_groups: ["Staff"])``.

    *Graph*

    :param api_name: name of the API, 1 to 65,536 characters.
    :param schema: file with the schema, in the GraphQL schema definition language.
    :param resolvers: folder with the code of resolvers, in JavaScript: ``Query.book.js`` for the field ``book`` of
        ``Query``, ``functions/putBook.js`` for a function of pipelines. Files import each other (``./errors.js``).
    :param environment: what resolvers read as ``ctx.env``, such as a table's name; no secrets, they are read in the
        console.

    *Access*

    :param user_pool: of Amazon Cognito, whose users sign in; none by default.
    :param api_key_expires: makes an API key that ends after 1 to 365 days, in the posture ``LAB`` alone: for a
        demonstration, since whoever has the key is anybody. None by default.
    :param web_acl_arn: a web ACL of AWS WAF, which looks at every request first; none by default.
    :param domain: a name of your own, with its certificate in us-east-1; by default the name is AWS's.

    *Limits*

    :param introspection: whether clients may read the schema; by default not in ``PRODUCTION``.
    :param query_depth_limit: levels of fields in a query, 1 to 75; by default 10 in ``PRODUCTION``, else AppSync's own.
    :param resolver_count_limit: resolvers that a query may run, 1 to 10,000; by default 1,000 in ``PRODUCTION``, else
        AppSync's own.
    :param cache: keeps answers of resolvers that are ``cached_for`` a time, at a price by the hour; none by default.

    *Operation*

    :param field_log_level: ``ERROR`` by default: what failed. Arguments and answers are in the logs at no level.
    :param enhanced_metrics: of every resolver and data source, which are own metrics with their price; by default in
        ``PRODUCTION``.
    :param encryption_key: customer managed KMS key for the logs; by default CloudWatch Logs' own, at no cost.
    :param posture: how long logs are kept, and the defaults named above.
    :param alarm_topic: told of requests that failed on the API's side, and of slow ones.
    :raises SchemaError: when AppSync would refuse the schema: line, column and reason of every problem.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/appsync/latest/devguide/designing-a-graphql-api.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api_name: str,
        schema: Path,
        resolvers: Path,
        environment: Mapping[str, str] | None = None,
        user_pool: cognito.IUserPool | None = None,
        api_key_expires: Duration | None = None,
        web_acl_arn: str | None = None,
        domain: appsync.DomainOptions | None = None,
        introspection: bool | None = None,
        query_depth_limit: int | None = None,
        resolver_count_limit: int | None = None,
        cache: Cache | None = None,
        field_log_level: appsync.FieldLogLevel = appsync.FieldLogLevel.ERROR,
        enhanced_metrics: bool | None = None,
        encryption_key: kms.IKey | None = None,
        posture: Posture = Posture.LAB,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Check schema and options, then make the API, its logs, its limits and its alarms."""
        checked_schema = Schema(schema.read_text(), schema.name)
        production = posture is Posture.PRODUCTION
        with checked(CheckedGraphqlApi, scope, construct_id) as options:
            check_access(options, api_name=api_name, api_key_expires=api_key_expires, posture=posture)
            check_limits(options, depth=query_depth_limit, resolvers=resolver_count_limit, cache=cache)
        log_role = iam.Role(scope, f"{construct_id}LogRole", assumed_by=appsync_principal(scope))
        enhanced = production if enhanced_metrics is None else enhanced_metrics
        readable = not production if introspection is None else introspection
        super().__init__(
            scope,
            construct_id,
            name=api_name,
            definition=appsync.Definition.from_file(str(schema)),
            authorization_config=_authorization(user_pool, api_key_expires),
            domain_name=domain,
            introspection_config=appsync.IntrospectionConfig["ENABLED" if readable else "DISABLED"],
            query_depth_limit=query_depth_limit or (10 if production else None),
            resolver_count_limit=resolver_count_limit or (1000 if production else None),
            enhanced_metrics_config=metrics() if enhanced else None,
            environment_variables=environment,
            xray_enabled=True,
        )
        resource = self.node.default_child
        assert isinstance(resource, appsync.CfnGraphQLApi)  # noqa: S101 - for mypy: it is what the CDK makes
        # Not by the option of the CDK's, which has a function of its own set how long logs are kept.
        resource.log_config = appsync.CfnGraphQLApi.LogConfigProperty(
            # Neither arguments nor answers: they are other people's data.
            exclude_verbose_content=True,
            field_log_level=field_log_level.value,
            cloud_watch_logs_role_arn=log_role.role_arn,
        )
        #: What answers the fields: ``api.resolvers.add("Query.book", books)``.
        self.resolvers = Resolvers(self, checked_schema, resolvers, cached=cache is not None)
        #: What AppSync says of requests that failed.
        self.request_logs: logs.LogGroup = request_logs(self, log_role, posture=posture, encryption_key=encryption_key)
        #: Requests that failed on the API's side, and slow ones.
        self.alarms: list[cloudwatch.Alarm] = alarms(self, alarm_topic)
        if cache:
            appsync.CfnApiCache(
                self,
                "Cache",
                api_id=self.api_id,
                api_caching_behavior="PER_RESOLVER_CACHING",
                type=cache.size.value,
                ttl=cache.time_to_live.to_seconds(),
                at_rest_encryption_enabled=True,
                transit_encryption_enabled=True,
            )
        if web_acl_arn:
            wafv2.CfnWebACLAssociation(self, "WebAcl", resource_arn=self.arn, web_acl_arn=web_acl_arn)
        acknowledge_defaults(self, web_acl_arn=web_acl_arn)


def _authorization(
    user_pool: cognito.IUserPool | None, api_key_expires: Duration | None
) -> appsync.AuthorizationConfig:
    modes = []
    if user_pool:
        # A field that no directive names is for nobody who signed in.
        users = appsync.UserPoolConfig(user_pool=user_pool)
        modes.append(
            appsync.AuthorizationMode(authorization_type=appsync.AuthorizationType.USER_POOL, user_pool_config=users)
        )
    if api_key_expires:
        key = appsync.ApiKeyConfig(expires=Expiration.after(api_key_expires))
        modes.append(
            appsync.AuthorizationMode(authorization_type=appsync.AuthorizationType.API_KEY, api_key_config=key)
        )
    return appsync.AuthorizationConfig(
        default_authorization=appsync.AuthorizationMode(authorization_type=appsync.AuthorizationType.IAM),
        additional_authorization_modes=modes,
    )
