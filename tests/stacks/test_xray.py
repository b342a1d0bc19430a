"""The order's way: who may do what on it, what is traced of it, and what is added only if it is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from lab_stacks import catalog
from lab_stacks.names import UnknownNameError
from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from lambda_src.trace_group.filter_expression import parse
from tests.stacks.synthesis import Form, Synthesized, only, permissions, resources, synthesize

LAB = Form(catalog.section("xray"), Posture.LAB)
EVERY_FUNCTION = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}


@pytest.fixture
def template(synthesized_forms: dict[Form, Synthesized]) -> dict[str, Any]:
    return synthesized_forms[LAB].template


def variant(synthesized_forms: dict[Form, Synthesized], name: str) -> dict[str, Any]:
    return synthesized_forms[Form(LAB.entry, Posture.LAB, name)].template


def function(template: dict[str, Any], name: str) -> dict[str, Any]:
    [found] = [made for own, made in resources(template, "AWS::Lambda::Function").items() if own.startswith(name)]
    return found


def allowed(template: dict[str, Any], name: str) -> dict[str, Any]:
    """List what a function may do beyond what every function may."""
    may = permissions(template, function(template, name)["Role"]["Fn::GetAtt"][0])
    return {action: where for action, where in may.items() if action not in EVERY_FUNCTION}


def test_everything_on_the_way_is_traced(template: dict[str, Any]) -> None:
    assert only(template, "AWS::ApiGateway::Stage")["TracingEnabled"] is True
    assert only(template, "AWS::SNS::Topic")["TracingConfig"] == "Active"
    functions = resources(template, "AWS::Lambda::Function").values()
    assert [made["TracingConfig"] for made in functions] == [{"Mode": "Active"}] * 3


def test_front_may_publish_orders_and_ask_for_prices_and_nothing_more(template: dict[str, Any]) -> None:
    [topic] = resources(template, "AWS::SNS::Topic")
    [prices] = [name for name in resources(template, "AWS::Lambda::Function") if name.startswith("Prices")]
    may = allowed(template, "Front")
    assert set(may) == {"sns:Publish", "lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert may["sns:Publish"] == {"Ref": topic}
    assert may["lambda:InvokeFunctionUrl"] == may["lambda:InvokeFunction"] == {"Fn::GetAtt": [prices, "Arn"]}


def test_front_may_invoke_prices_by_its_url_alone(template: dict[str, Any]) -> None:
    [statement] = [
        statement
        for policy in resources(template, "AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "lambda:InvokeFunction"
    ]
    assert statement["Condition"] == {"Bool": {"lambda:InvokedViaFunctionUrl": True}}


def test_prices_answers_signed_requests_alone_and_may_do_nothing(template: dict[str, Any]) -> None:
    assert only(template, "AWS::Lambda::Url")["AuthType"] == "AWS_IAM"
    assert allowed(template, "Prices") == {}


def test_every_route_asks_for_a_signature(template: dict[str, Any]) -> None:
    methods = resources(template, "AWS::ApiGateway::Method").values()
    assert sorted((made["HttpMethod"], made["AuthorizationType"]) for made in methods) == [
        ("GET", "AWS_IAM"),
        ("POST", "AWS_IAM"),
    ]


def test_another_endpoint_is_asked_for_prices_without_a_signature() -> None:
    endpoint = "https://prices.example/"

    changed = synthesize({"section": "xray", "endpoint": endpoint})["xray"].template

    variables = function(changed, "Front")["Environment"]["Variables"]
    assert (variables["PRICES_URL"], variables["PRICES_AUTHORIZATION"]) == (endpoint, "NONE")


@pytest.mark.parametrize("endpoint", ["http://prices.example/", "prices.example", "file:///etc/passwd"])
def test_an_endpoint_without_tls_is_refused(endpoint: str) -> None:
    with pytest.raises(InvalidOptionsError, match=r"endpoint is .*: an https URL"):
        synthesize({"section": "xray", "endpoint": endpoint})


def test_orders_are_all_traced_health_checks_hardly_ever(template: dict[str, Any]) -> None:
    rules = [made["SamplingRule"] for made in resources(template, "AWS::XRay::SamplingRule").values()]
    rules.sort(key=lambda rule: int(rule["Priority"]))
    assert [(rule["HTTPMethod"], rule["FixedRate"]) for rule in rules] == [("POST", 1), ("GET", 0.01), ("*", 0.05)]


def test_the_rules_ask_for_nothing_that_a_stage_does_not_tell_them(template: dict[str, Any]) -> None:
    for made in resources(template, "AWS::XRay::SamplingRule").values():
        assert made["SamplingRule"]["URLPath"] == "*"


def test_the_rules_decide_for_no_other_application_of_the_account(template: dict[str, Any]) -> None:
    for made in resources(template, "AWS::XRay::SamplingRule").values():
        rule = made["SamplingRule"]
        assert (rule["ServiceName"], rule["ServiceType"]) == ("Orders/v1", "AWS::ApiGateway::Stage")


def test_x_ray_understands_what_the_groups_filter_by(template: dict[str, Any]) -> None:
    groups = {made["GroupName"]: made["FilterExpression"] for made in resources(template, "AWS::XRay::Group").values()}
    assert set(groups) == {"orders", "failed-orders", "slow-orders"}
    for expression in groups.values():
        assert parse(expression).text == expression


def test_the_names_can_be_changed_from_context() -> None:
    mine = {"api_name": "Shop", "stage_name": "blue", "orders_group": "shop-orders", "orders_queue": "ShopOrders"}

    changed = synthesize({"section": "xray", **mine})["xray"].template

    assert only(changed, "AWS::ApiGateway::RestApi")["Name"] == "Shop"
    assert only(changed, "AWS::ApiGateway::Stage")["StageName"] == "blue"
    assert 'service("Shop/blue")' in {
        made["FilterExpression"] for made in resources(changed, "AWS::XRay::Group").values()
    }
    assert {made["SamplingRule"]["ServiceName"] for made in resources(changed, "AWS::XRay::SamplingRule").values()} == {
        "Shop/blue"
    }


def test_outputs_are_what_the_runbook_needs(template: dict[str, Any]) -> None:
    assert set(template["Outputs"]) == {
        "ApiUrl",
        "ApiId",
        "StageName",
        "FrontFunctionName",
        "PricesFunctionName",
        "PricesUrl",
        "TopicArn",
        "TopicDeadLetterQueueUrl",
        "QueueUrl",
        "DeadLetterQueueUrl",
        "StoreFunctionName",
        "TableName",
        "OrdersGroupName",
        "FailedOrdersGroupName",
        "SlowOrdersGroupName",
    }


def test_the_role_for_logs_is_left_out_where_there_is_one() -> None:
    existing = synthesize({"section": "xray", "log_role": "existing"})["xray"].template

    assert resources(existing, "AWS::ApiGateway::Account") == {}


def test_by_default_the_account_keeps_its_settings_and_nothing_has_a_server(template: dict[str, Any]) -> None:
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    services = {kind.split("::")[1] for kind in kinds}
    assert {"EC2", "ECS", "ElasticBeanstalk", "KMS"}.isdisjoint(services)
    assert "AWS::XRay::TransactionSearchConfig" not in kinds


def test_the_accounts_settings_are_changed_if_it_is_asked_for(synthesized_forms: dict[Form, Synthesized]) -> None:
    template = variant(synthesized_forms, "account")

    assert only(template, "AWS::XRay::TransactionSearchConfig") == {"IndexingPercentage": 1}
    assert resources(template, "Custom::XRayEncryptionConfig")


def test_an_instance_a_task_or_an_environment_sends_traces_if_it_is_asked_for(
    synthesized_forms: dict[Form, Synthesized],
) -> None:
    assert only(variant(synthesized_forms, "ec2-agent"), "AWS::EC2::Instance")
    assert only(variant(synthesized_forms, "ecs-sidecar"), "AWS::ECS::TaskDefinition")
    assert only(variant(synthesized_forms, "beanstalk"), "AWS::ElasticBeanstalk::Environment")


def test_an_environment_without_a_platform_is_refused_with_where_to_find_one() -> None:
    with pytest.raises(
        InvalidOptionsError, match=r"solution_stack_name is not given: .*list-available-solution-stacks"
    ):
        synthesize({"section": "xray", "traced_host": "beanstalk"})


def test_an_unknown_host_is_refused_with_the_permitted_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"There is no traced_host ec3\. .*: none, ec2, ecs, beanstalk\."):
        synthesize({"section": "xray", "traced_host": "ec3"})
