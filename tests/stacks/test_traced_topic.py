"""The traced topic: who may send its segments, how it delivers, and what it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_xray as xray
from aws_cdk.assertions import Match, Template

from lambda_src.queue import EncryptedQueue
from lambda_src.traced_topic.construct import TracedTopic
from tests.stacks.synthesis import only, permissions, resources

if TYPE_CHECKING:
    from aws_cdk import Stack


def policy_document(resource: dict[str, Any]) -> dict[str, Any]:
    """Read the JSON text of a policy, with a reference in it as its logical id."""
    parts = resource["PolicyDocument"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else next(iter(part.values())) for part in parts)
    document: dict[str, Any] = json.loads(text)
    return document


def test_it_is_traced_and_encrypted(stack: Stack) -> None:
    TracedTopic(stack, "Topic")

    Template.from_stack(stack).has_resource_properties(
        "AWS::SNS::Topic", {"TracingConfig": "Active", "KmsMasterKeyId": "alias/aws/sns", "TopicName": Match.absent()}
    )


def test_sns_may_send_segments_for_this_topic_of_this_account_alone(stack: Stack) -> None:
    TracedTopic(stack, "Topic")

    template = Template.from_stack(stack).to_json()
    [topic] = resources(template, "AWS::SNS::Topic")
    assert policy_document(only(template, "AWS::XRay::ResourcePolicy"))["Statement"] == [
        {
            "Sid": "SendSegmentsOfTopic",
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": ["xray:PutTraceSegments", "xray:GetSamplingRules", "xray:GetSamplingTargets"],
            "Resource": "*",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "AWS::AccountId"},
                "ArnEquals": {"aws:SourceArn": topic},
            },
        }
    ]


def test_two_topics_have_policies_of_different_names(stack: Stack) -> None:
    TracedTopic(stack, "One")
    TracedTopic(stack, "Two")

    policies = resources(Template.from_stack(stack).to_json(), "AWS::XRay::ResourcePolicy").values()
    assert len({json.dumps(policy["PolicyName"]) for policy in policies}) == 2


def test_topics_can_share_a_policy(stack: Stack) -> None:
    shared = xray.CfnResourcePolicy(stack, "Shared", policy_name="topics", policy_document="{}")

    assert TracedTopic(stack, "One", trace_policy=shared).trace_policy is shared
    Template.from_stack(stack).resource_count_is("AWS::XRay::ResourcePolicy", 1)


def test_a_message_is_delivered_as_it_was_published_or_kept(stack: Stack) -> None:
    topic = TracedTopic(stack, "Topic")
    topic.deliver_to(sqs.Queue(stack, "Queue"))

    dead_letters = stack.resolve(topic.dead_letter_queue.queue_arn)
    Template.from_stack(stack).has_resource_properties(
        "AWS::SNS::Subscription",
        {"Protocol": "sqs", "RawMessageDelivery": True, "RedrivePolicy": {"deadLetterTargetArn": dead_letters}},
    )


def test_it_delivers_to_a_queue_with_the_same_key(stack: Stack) -> None:
    key = kms.Key(stack, "Key")
    topic = TracedTopic(stack, "Topic", encryption_key=key)
    queue = EncryptedQueue(stack, "Queue", encryption_key=key)
    topic.deliver_to(queue)

    template = Template.from_stack(stack)  # refuses resources that wait for each other
    template.resource_count_is("AWS::SNS::Subscription", 1)
    from_sns = {
        "Action": "sqs:SendMessage",
        "Condition": {"ArnEquals": {"aws:SourceArn": stack.resolve(topic.topic_arn)}},
        "Principal": {"Service": "sns.amazonaws.com"},
        "Resource": stack.resolve(queue.queue_arn),
    }
    template.has_resource_properties(
        "AWS::SQS::QueuePolicy", {"PolicyDocument": {"Statement": Match.array_with([Match.object_like(from_sns)])}}
    )


def test_a_publisher_needs_no_key(stack: Stack) -> None:
    publisher = iam.Role(stack, "Publisher", assumed_by=iam.AccountRootPrincipal())
    TracedTopic(stack, "Topic").grant_publish(publisher)

    role = stack.resolve(publisher.role_arn)["Fn::GetAtt"][0]
    assert list(permissions(Template.from_stack(stack).to_json(), role)) == ["sns:Publish"]


def test_a_key_encrypts_topic_and_dead_letters(stack: Stack) -> None:
    key = kms.Key(stack, "Key")
    TracedTopic(stack, "Topic", encryption_key=key)

    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::SNS::Topic", {"KmsMasterKeyId": stack.resolve(key.key_arn)})
    template.has_resource_properties("AWS::SQS::Queue", {"KmsMasterKeyId": stack.resolve(key.key_arn)})


def test_its_key_lets_sns_encrypt_what_could_not_be_delivered(stack: Stack) -> None:
    TracedTopic(stack, "Topic", encryption_key=kms.Key(stack, "Key"))

    use = {
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        "Principal": {"Service": "sns.amazonaws.com"},
    }
    Template.from_stack(stack).has_resource_properties(
        "AWS::KMS::Key", {"KeyPolicy": {"Statement": Match.array_with([Match.object_like(use)])}}
    )


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"encryption": sqs.QueueEncryption.KMS_MANAGED}, "queue is encrypted by AWS's key in KMS: that key is closed"),
        ({"fifo": True}, "queue is a FIFO queue: Amazon SNS takes a standard queue"),
    ],
)
def test_it_refuses_to_deliver_where_it_cannot(stack: Stack, options: dict[str, Any], problem: str) -> None:
    topic, queue = TracedTopic(stack, "Topic"), sqs.Queue(stack, "Queue", **options)
    with pytest.raises(ValueError, match=problem):
        topic.deliver_to(queue)
    assert len(queue.node.children) == 1


@pytest.mark.parametrize("name", ["", "no spaces", "x" * 120])
def test_it_refuses_the_name(stack: Stack, name: str) -> None:
    with pytest.raises(ValueError, match=r"TracedTopic Empty/Topic:\n  topic_name is .*: 1 to 119 letters"):
        TracedTopic(stack, "Topic", topic_name=name)
    assert stack.node.children == []
