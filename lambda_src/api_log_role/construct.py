"""The role with which Amazon API Gateway writes logs: one for the account and region, whoever's API it is."""

from __future__ import annotations

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambda_src.acknowledged import acknowledge, acknowledge_inline_policy


class ApiLogRole(Construct):
    """Lets API Gateway write to CloudWatch Logs, in the whole account and region.

    Without such a role a stage that logs cannot be made: "CloudWatch Logs role ARN must be set in account settings". An
    account has one for each region, so this takes the place of the one that is there, which can do the same. It stays
    when its stack is deleted: with it the logs of every other API would end.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Make the role, and name it in API Gateway's settings of the account."""
        super().__init__(scope, construct_id)
        #: What API Gateway writes logs as.
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"))
        # API Gateway refuses a role that lacks one of these.
        policy = iam.Policy(
            self,
            "WriteLogs",
            roles=[self.role],
            statements=[
                iam.PolicyStatement(
                    actions=[
                        "logs:CreateLogGroup",
                        "logs:CreateLogStream",
                        "logs:DescribeLogGroups",
                        "logs:DescribeLogStreams",
                        "logs:FilterLogEvents",
                        "logs:GetLogEvents",
                        "logs:PutLogEvents",
                    ],
                    # As pseudo parameters even where the stack knows them: the acknowledgement below names this text.
                    resources=[f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:*"],
                )
            ],
        )
        #: API Gateway's settings of the account.
        self.account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=self.role.role_arn)
        self.account.node.add_dependency(policy)
        for kept in (self.role, policy, self.account):
            kept.apply_removal_policy(RemovalPolicy.RETAIN)
        acknowledge_inline_policy(policy)
        acknowledge(
            policy,
            "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:*]",
            reason="API Gateway writes the logs of every API of the account with this one role, and makes their log "
            "groups as it goes: it is limited to this account and region.",
        )
