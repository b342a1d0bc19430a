"""The role with which API Gateway writes logs: what it may do, and that it outlives its stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk.assertions import Template

from lambda_src.api_log_role.construct import ApiLogRole
from tests.stacks.synthesis import only, permissions, resources

if TYPE_CHECKING:
    from aws_cdk import Stack


def test_api_gateway_may_write_logs_in_this_account_and_region(stack: Stack) -> None:
    ApiLogRole(stack, "LogRole")

    template = Template.from_stack(stack).to_json()
    [role] = resources(template, "AWS::IAM::Role")
    allowed = permissions(template, role)
    here = [{"Ref": "AWS::Partition"}, {"Ref": "AWS::Region"}, {"Ref": "AWS::AccountId"}]
    assert {action.partition(":")[0] for action in allowed} == {"logs"}
    assert all([part for part in arn["Fn::Join"][1] if isinstance(part, dict)] == here for arn in allowed.values())
    assert only(template, "AWS::ApiGateway::Account") == {"CloudWatchRoleArn": {"Fn::GetAtt": [role, "Arn"]}}


def test_it_stays_when_its_stack_is_deleted(stack: Stack) -> None:
    ApiLogRole(stack, "LogRole")

    made = Template.from_stack(stack).to_json()["Resources"].values()
    assert {resource["DeletionPolicy"] for resource in made} == {"Retain"}
