"""Which types of resources an application may have, as far as that is known here.

AWS keeps the list, has no API for it, and refuses a version with any other type. What follows is the part of the list
that this project's own stacks and AWS SAM make, read in the guide's source of the date below: AWS has added types
since, so that a type which is missing here is doubtful, and not forbidden.

Source: https://docs.aws.amazon.com/serverlessrepo/latest/devguide/list-supported-resources.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The day of the list that ``LISTED`` was read in.
AS_OF = "2021-02-08"
_ADDRESS = "https://docs.aws.amazon.com/serverlessrepo/latest/devguide/list-supported-resources.html"
_TYPES = {
    "ApiGateway": "Deployment Method Model RequestValidator Resource RestApi Stage",
    "AppSync": "DataSource GraphQLApi GraphQLSchema Resolver",
    "ApplicationAutoScaling": "ScalableTarget ScalingPolicy",
    "CertificateManager": "Certificate",
    "CloudFormation": "CustomResource",
    "CloudWatch": "Alarm",
    "Cognito": "UserPool UserPoolClient UserPoolGroup",
    "DynamoDB": "Table",
    "EC2": "SecurityGroup SecurityGroupEgress SecurityGroupIngress",
    "ECR": "Repository",
    "Events": "EventBusPolicy Rule",
    "IAM": "InstanceProfile ManagedPolicy Policy Role",
    "KMS": "Key",
    "Lambda": "EventSourceMapping Function LayerVersion Permission",
    "Logs": "LogGroup",
    "Route53": "RecordSet",
    "S3": "Bucket BucketPolicy",
    "SNS": "Subscription Topic TopicPolicy",
    "SQS": "Queue QueuePolicy",
    "SSM": "Parameter",
    "Serverless": "Api Application Function HttpApi LayerVersion SimpleTable StateMachine",
}
#: The types that are known to be on the list.
LISTED = frozenset(f"AWS::{service}::{name}" for service, names in _TYPES.items() for name in names.split())


def unlisted(template: Mapping[str, Any]) -> Iterator[str]:
    """Say of each type of a template that is not known to be on the list that the repository may refuse it."""
    doubtful: dict[str, list[str]] = {}
    for logical_id, resource in template.get("Resources", {}).items():
        kind = str(resource.get("Type"))
        if kind not in LISTED:
            doubtful.setdefault(kind, []).append(logical_id)
    for kind, logical_ids in doubtful.items():
        yield (
            f"{kind} ({', '.join(logical_ids)}) is not among the types that AWS's list is known here to have, as of "
            f"{AS_OF}: the repository may refuse it. The list: {_ADDRESS}"
        )
