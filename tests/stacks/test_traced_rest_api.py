"""The traced REST API: what its stage does with a request, who may call, and what it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Match, Template

from lambda_src.api_log_role.construct import ApiLogRole
from lambda_src.function.construct import PythonFunction
from lambda_src.posture import Posture
from lambda_src.traced_rest_api.construct import TracedRestApi
from tests.stacks.synthesis import only, resources

if TYPE_CHECKING:
    from pathlib import Path

    from aws_cdk import Stack


@pytest.fixture
def function(stack: Stack, runtime_code: Path) -> PythonFunction:
    return PythonFunction(stack, "Function", runtime_code=runtime_code)


def test_its_stage_traces_logs_throttles_and_records_no_body(stack: Stack, function: PythonFunction) -> None:
    api = TracedRestApi(stack, "Api", api_name="Orders", rate_limit=7, burst_limit=9)
    api.add_route("GET", "/health", function)

    Template.from_stack(stack).has_resource_properties(
        "AWS::ApiGateway::Stage",
        {
            "StageName": "v1",
            "TracingEnabled": True,
            "AccessLogSetting": {"DestinationArn": Match.any_value(), "Format": Match.any_value()},
            "MethodSettings": [
                {
                    "DataTraceEnabled": False,
                    "HttpMethod": "*",
                    "LoggingLevel": "ERROR",
                    "MetricsEnabled": True,
                    "ResourcePath": "/*",
                    "ThrottlingBurstLimit": 9,
                    "ThrottlingRateLimit": 7,
                }
            ],
        },
    )


def test_a_line_of_its_access_log_is_json_and_leads_to_the_trace(stack: Stack, function: PythonFunction) -> None:
    TracedRestApi(stack, "Api", api_name="Orders").add_route("GET", "/health", function)

    stage = only(Template.from_stack(stack).to_json(), "AWS::ApiGateway::Stage")
    assert json.loads(stage["AccessLogSetting"]["Format"])["traceId"] == "$context.xrayTraceId"


@pytest.mark.parametrize(("posture", "days"), [(Posture.LAB, 7), (Posture.PRODUCTION, 365)])
def test_its_logs_expire_those_of_api_gateway_too(
    stack: Stack, function: PythonFunction, posture: Posture, days: int
) -> None:
    api = TracedRestApi(stack, "Api", api_name="Orders", stage_name="blue", posture=posture)
    api.add_route("GET", "/health", function)

    template = Template.from_stack(stack).to_json()
    [execution] = [group for group in resources(template, "AWS::Logs::LogGroup").values() if "LogGroupName" in group]
    [api_id] = resources(template, "AWS::ApiGateway::RestApi")
    assert execution["LogGroupName"] == {"Fn::Join": ["", ["API-Gateway-Execution-Logs_", {"Ref": api_id}, "/blue"]]}
    assert execution["RetentionInDays"] == days
    [stage] = [one for one in template["Resources"].values() if one["Type"] == "AWS::ApiGateway::Stage"]
    assert any("ExecutionLogs" in awaited for awaited in stage["DependsOn"])


def test_the_stage_waits_for_a_role_that_writes_logs(stack: Stack, function: PythonFunction) -> None:
    api = TracedRestApi(stack, "Api", api_name="Orders", log_role=ApiLogRole(stack, "LogRole"))
    api.add_route("GET", "/health", function)

    template = Template.from_stack(stack).to_json()
    [stage] = [one for one in template["Resources"].values() if one["Type"] == "AWS::ApiGateway::Stage"]
    [account] = resources(template, "AWS::ApiGateway::Account")
    assert account in stage["DependsOn"]


def test_a_route_is_for_who_was_granted_it(stack: Stack, function: PythonFunction) -> None:
    route = TracedRestApi(stack, "Api", api_name="Orders").add_route("POST", "/orders", function)
    caller = iam.Role(stack, "Caller", assumed_by=iam.AccountRootPrincipal())
    route.grant_execute(caller)

    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::ApiGateway::Method", {"AuthorizationType": "AWS_IAM", "HttpMethod": "POST"})
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {"Statement": [Match.object_like({"Action": "execute-api:Invoke"})]},
            "Roles": [{"Ref": Match.string_like_regexp("Caller")}],
        },
    )


def test_a_body_is_refused_before_it_reaches_the_function(stack: Stack, function: PythonFunction) -> None:
    body = apigateway.JsonSchema(type=apigateway.JsonSchemaType.OBJECT, required=["item"])
    api = TracedRestApi(stack, "Api", api_name="Orders")
    api.add_route("POST", "/orders", function, body=body)
    api.add_route("POST", "/returns", function, body=body)

    template = Template.from_stack(stack)
    template.resource_count_is("AWS::ApiGateway::Model", 2)
    template.has_resource_properties(
        "AWS::ApiGateway::RequestValidator", {"ValidateRequestBody": True, "ValidateRequestParameters": True}
    )
    for method in resources(template.to_json(), "AWS::ApiGateway::Method").values():
        assert set(method["RequestModels"]) == {"application/json"}
        assert "RequestValidatorId" in method


def test_the_function_may_be_invoked_for_this_route_of_this_stage_alone(stack: Stack, function: PythonFunction) -> None:
    TracedRestApi(stack, "Api", api_name="Orders").add_route("POST", "/orders", function)

    permission = only(Template.from_stack(stack).to_json(), "AWS::Lambda::Permission")
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"]["Fn::Join"][1][-1] == "/POST/orders"


def test_with_snap_start_the_alias_answers(stack: Stack, runtime_code: Path) -> None:
    function = PythonFunction(
        stack, "Fast", runtime_code=runtime_code, snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS
    )
    TracedRestApi(stack, "Api", api_name="Orders").add_route("GET", "/health", function)

    method = only(Template.from_stack(stack).to_json(), "AWS::ApiGateway::Method")
    assert any("FastLive" in str(part) for part in method["Integration"]["Uri"]["Fn::Join"][1])


def test_a_web_acl_looks_at_every_request(stack: Stack, function: PythonFunction) -> None:
    arn = "arn:aws:wafv2:us-east-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555"
    TracedRestApi(stack, "Api", api_name="Orders", web_acl_arn=arn).add_route("GET", "/health", function)

    Template.from_stack(stack).has_resource_properties("AWS::WAFv2::WebACLAssociation", {"WebACLArn": arn})


def test_a_key_encrypts_both_logs(stack: Stack, function: PythonFunction) -> None:
    api = TracedRestApi(stack, "Api", api_name="Orders", encryption_key=kms.Key(stack, "Key"))
    api.add_route("GET", "/health", function)

    groups = resources(Template.from_stack(stack).to_json(), "AWS::Logs::LogGroup")
    assert {name: "KmsKeyId" in group for name, group in groups.items() if name.startswith("Api")} == dict.fromkeys(
        [name for name in groups if name.startswith("Api")], True
    )


def test_an_alarm_tells_of_requests_that_failed_on_the_apis_side(stack: Stack, function: PythonFunction) -> None:
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:us-east-1:111122223333:alarms")
    TracedRestApi(stack, "Api", api_name="Orders", alarm_topic=topic).add_route("GET", "/health", function)

    Template.from_stack(stack).has_resource_properties(
        "AWS::CloudWatch::Alarm", {"MetricName": "5XXError", "Threshold": 0, "AlarmActions": [topic.topic_arn]}
    )


def test_it_gives_the_stack_no_output_that_nobody_named(stack: Stack, function: PythonFunction) -> None:
    TracedRestApi(stack, "Api", api_name="Orders").add_route("GET", "/health", function)

    assert "Outputs" not in Template.from_stack(stack).to_json()


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"api_name": ""}, "api_name is : 1 to 1,024 characters"),
    ({"stage_name": ""}, "stage_name is : 1 to 128 letters, digits, and any of _-"),
    ({"stage_name": "v 1"}, "stage_name is v 1: 1 to 128 letters, digits, and any of _-"),
    ({"rate_limit": 0}, "rate_limit is 0: more than 0 requests a second"),
    ({"burst_limit": 0}, "burst_limit is 0: 1 or more requests"),
]


@pytest.mark.parametrize(("options", "problem"), REFUSED, ids=[problem[:40] for _, problem in REFUSED])
def test_it_refuses(stack: Stack, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match="TracedRestApi Empty/Api:") as refusal:
        TracedRestApi(stack, "Api", **{"api_name": "Orders", **options})

    assert str(refusal.value).splitlines()[1:] == [f"  {problem}"]
    assert stack.node.children == []
