"""X-Ray's settings of an account and region: which key encrypts its traces, and whether all of them can be searched."""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, CustomResource, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_xray as xray
from constructs import Construct

from lambda_src import custom_resource, tracing
from lambda_src.function.construct import PythonFunction
from lambda_src.options import checked
from lambda_src.posture import Posture
from lambda_src.xray_account import RUNTIME


class XrayAccount(Construct):
    """Encrypts all traces of the account and region with a key of its owner's, and turns Transaction Search on.

    Both are the account's: they change what every application's traces cost and who can read them. So this belongs to
    whoever looks after the account, once, and into no application's stack unless it is asked for.

    *Encryption*: whoever sends or reads traces then needs the key too, and the events that insights send to EventBridge
    do without it. Deleting the construct makes X-Ray encrypt with its own key again; what was encrypted before stays
    readable for as long as the key exists, and X-Ray keeps traces for 30 days.

    *Transaction Search*: X-Ray sends every span to the log group ``aws/spans``, at the price of logs, and makes trace
    summaries of a part of them. It must be off before this is made.

    :param encryption_key: customer managed KMS key, a symmetric one; by default a new one that rotates.
    :param indexing_percentage: which part of the spans becomes trace summaries, 0 to 100; the first percent is free.
    :param posture: whether the key survives its stack.
    :param alarm_topic: told when the settings could not be changed.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-encryption.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        encryption_key: kms.IKey | None = None,
        indexing_percentage: float = 1,
        posture: Posture = Posture.LAB,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Check the options, then make the key and change the settings."""
        with checked(XrayAccount, scope, construct_id) as options:
            options.require(0 <= indexing_percentage <= 100, "indexing_percentage", indexing_percentage, "0 to 100 %")
        super().__init__(scope, construct_id)
        #: Encrypts the traces.
        self.encryption_key: kms.IKey = encryption_key or kms.Key(
            self,
            "Key",
            description="Traces of AWS X-Ray",
            enable_key_rotation=True,
            # As long as X-Ray keeps traces.
            pending_window=Duration.days(30),
            removal_policy=posture.removal_policy,
        )
        self._encrypt(posture, alarm_topic)
        self._search(indexing_percentage)

    def _encrypt(self, posture: Posture, alarm_topic: sns.ITopic | None) -> None:
        function = PythonFunction(
            self,
            "Encryption",
            runtime_code=RUNTIME,
            shared_code=[tracing.RUNTIME / "tracing", custom_resource.RUNTIME / "custom_resource"],
            timeout=Duration.seconds(30),
            posture=posture,
            alarm_topic=alarm_topic,
        )
        function.add_to_role_policy(_allowed("xray:PutEncryptionConfig", resource="*"))
        # X-Ray uses the key by a grant, which it makes with the rights of whoever names the key.
        key = self.encryption_key.key_arn
        function.add_to_role_policy(_allowed("kms:CreateGrant", "kms:DescribeKey", resource=key))
        resource = CustomResource(
            self,
            "EncryptionConfig",
            service_token=function.function_arn,
            resource_type="Custom::XRayEncryptionConfig",
            properties={"KeyId": key},
        )
        if function.role:
            resource.node.add_dependency(function.role)

    def _search(self, indexing_percentage: float) -> None:
        stack = Stack.of(self)
        statement = iam.PolicyStatement(
            sid="TransactionSearchXRayAccess",
            principals=[iam.ServicePrincipal("xray.amazonaws.com")],
            actions=["logs:PutLogEvents"],
            resources=[
                stack.format_arn(
                    service="logs", resource="log-group", resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
                )
                for name in ("aws/spans:*", "/aws/application-signals/data:*")
            ],
            conditions={
                "ArnLike": {
                    "aws:SourceArn": stack.format_arn(
                        service="xray", resource="*", arn_format=ArnFormat.NO_RESOURCE_NAME
                    )
                },
                "StringEquals": {"aws:SourceAccount": stack.account},
            },
        )
        policy = logs.CfnResourcePolicy(
            self,
            "SpansPolicy",
            policy_name=f"{Aws.STACK_NAME}-transaction-search",
            policy_document=stack.to_json_string(
                {"Version": "2012-10-17", "Statement": [statement.to_statement_json()]}
            ),
        )
        search = xray.CfnTransactionSearchConfig(self, "TransactionSearch", indexing_percentage=indexing_percentage)
        search.add_resource_dependency(policy)


def _allowed(*actions: str, resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=[resource])
