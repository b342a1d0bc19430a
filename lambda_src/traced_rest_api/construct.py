"""A REST API whose stage traces the requests that the sampling rules choose, and logs every request."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_wafv2 as wafv2

from lambda_src.alarms import alarm_above
from lambda_src.function.construct import PythonFunction
from lambda_src.log_group import log_group
from lambda_src.options import checked
from lambda_src.posture import Posture
from lambda_src.traced_rest_api.acknowledgements import acknowledge_defaults

if TYPE_CHECKING:
    from constructs import Construct

    from lambda_src.api_log_role.construct import ApiLogRole


class TracedRestApi(apigateway.RestApi):
    """A REST API with one stage: traced, logged, throttled, and closed to everybody whom IAM does not let in.

    The tracing header of a request without one is made here: the stage asks the sampling rules, and its decision goes
    with the request through everything that handles it. Callers sign their requests (SigV4) and need
    ``execute-api:Invoke``: ``route.grant_execute(caller)`` of what ``add_route`` returns.

    :param api_name: name of the API, 1 to 1,024 characters; in traces the service is ``api_name/stage_name``.
    :param stage_name: name of its stage, 1 to 128 letters, digits and any of ``_-``.
    :param log_role: the role with which API Gateway writes logs, where this app makes it; by default the account has
        one already. A stage that logs cannot be made before there is one.
    :param rate_limit: requests a second of all callers together, more than 0.
    :param burst_limit: requests that may come at once, 1 or more.
    :param web_acl_arn: a web ACL of AWS WAF, which looks at every request first; none by default.
    :param encryption_key: customer managed KMS key for the logs; by default CloudWatch Logs' own, at no cost.
    :param posture: how long logs are kept.
    :param alarm_topic: told of requests that failed on the API's side.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-services-apigateway.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api_name: str,
        stage_name: str = "v1",
        log_role: ApiLogRole | None = None,
        rate_limit: float = 50,
        burst_limit: int = 100,
        web_acl_arn: str | None = None,
        encryption_key: kms.IKey | None = None,
        posture: Posture = Posture.LAB,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Check the options, then make the API, its stage, its log groups and its alarm."""
        with checked(TracedRestApi, scope, construct_id) as options:
            options.require(1 <= len(api_name) <= 1024, "api_name", api_name, "1 to 1,024 characters")
            named = re.fullmatch(r"[A-Za-z0-9_-]{1,128}", stage_name) is not None
            options.require(named, "stage_name", stage_name, "1 to 128 letters, digits, and any of _-")
            options.require(rate_limit > 0, "rate_limit", rate_limit, "more than 0 requests a second")
            options.require(burst_limit >= 1, "burst_limit", burst_limit, "1 or more requests")
        access_logs = log_group(scope, f"{construct_id}AccessLogs", posture=posture, encryption_key=encryption_key)
        super().__init__(
            scope,
            construct_id,
            rest_api_name=api_name,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=False,
            default_method_options=apigateway.MethodOptions(authorization_type=apigateway.AuthorizationType.IAM),
            deploy_options=apigateway.StageOptions(
                stage_name=stage_name,
                tracing_enabled=True,
                access_log_destination=apigateway.LogGroupLogDestination(access_logs),
                access_log_format=_access_log_format(),
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                # Neither bodies nor headers: they are other people's data.
                data_trace_enabled=False,
                metrics_enabled=True,
                throttling_rate_limit=rate_limit,
                throttling_burst_limit=burst_limit,
            ),
        )
        #: What the stage calls itself in traces, and what sampling rules and filter expressions call it.
        self.service_name: str = f"{api_name}/{stage_name}"
        # An output of the stack, under a name that nobody chose; ``url`` is the same.
        self.node.try_remove_child("Endpoint")
        self._validator = self.add_request_validator(
            "Validator", validate_request_body=True, validate_request_parameters=True
        )
        execution_logs = self._execution_logs(stage_name, posture, encryption_key)
        self.deployment_stage.node.add_dependency(execution_logs, *([log_role] if log_role else []))
        if web_acl_arn:
            wafv2.CfnWebACLAssociation(
                self, "WebAcl", resource_arn=self.deployment_stage.stage_arn, web_acl_arn=web_acl_arn
            )
        acknowledge_defaults(self, web_acl_arn=web_acl_arn)
        #: Requests that failed on the API's side.
        self.alarm: cloudwatch.Alarm = alarm_above(
            self,
            "ServerErrors",
            metric=self.deployment_stage.metric_server_error(period=Duration.minutes(1)),
            threshold=0,
            description="Requests were answered with 5xx: `fault = true` finds their traces.",
            topic=alarm_topic,
        )

    def add_route(
        self, method: str, path: str, function: lambda_.IFunction, *, body: apigateway.JsonSchema | None = None
    ) -> apigateway.Method:
        """Have ``function`` answer ``method`` requests to ``path``; a body that ``body`` does not describe is a 400."""
        live = function.live if isinstance(function, PythonFunction) else function
        resource = self.root.resource_for_path(path)
        validated: dict[str, Any] = {}
        if body:
            model = apigateway.Model(resource, f"{method}Body", rest_api=self, schema=body)
            validated = {"request_models": {"application/json": model}}
        return resource.add_method(
            method,
            apigateway.LambdaIntegration(live, allow_test_invoke=False),
            request_validator=self._validator,
            **validated,
        )

    def _execution_logs(self, stage_name: str, posture: Posture, encryption_key: kms.IKey | None) -> logs.LogGroup:
        """Make the log group that API Gateway would make itself, and which would never expire."""
        group = log_group(self, "ExecutionLogs", posture=posture, encryption_key=encryption_key)
        resource = group.node.default_child
        assert isinstance(resource, logs.CfnLogGroup)  # noqa: S101 - what an L2 of CloudWatch Logs is made of
        resource.log_group_name = f"API-Gateway-Execution-Logs_{self.rest_api_id}/{stage_name}"
        return group


def _access_log_format() -> apigateway.AccessLogFormat:
    field = apigateway.AccessLogField
    line = {
        "requestId": field.context_request_id(),
        # From a line to its trace: lab traces show ID.
        "traceId": field.context_xray_trace_id(),
        "time": field.context_request_time(),
        "ip": field.context_identity_source_ip(),
        "caller": field.context_identity_user_arn(),
        "method": field.context_http_method(),
        "path": field.context_resource_path(),
        "status": field.context_status(),
        "latency": field.context_response_latency(),
    }
    return apigateway.AccessLogFormat.custom(json.dumps(line))
