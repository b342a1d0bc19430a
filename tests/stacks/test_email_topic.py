"""The topic that tells a person: by e-mail, over TLS, and with what could not be delivered kept."""

from __future__ import annotations

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Match, Template

from lambda_src.email_topic import EmailTopic
from lambda_src.queue import EncryptedQueue
from tests.stacks.synthesis import only, resources


def test_an_address_is_subscribed_and_what_it_does_not_get_is_kept(stack: Stack) -> None:
    queue = EncryptedQueue(stack, "DeadLetters")

    topic = EmailTopic(stack, "Topic", email="name@example.com", dead_letter_queue=queue)

    template = Template.from_stack(stack).to_json()
    subscription = only(template, "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "name@example.com")
    assert subscription["RedrivePolicy"] == {"deadLetterTargetArn": stack.resolve(queue.queue_arn)}
    allowed = only(template, "AWS::SQS::QueuePolicy")["PolicyDocument"]["Statement"][-1]
    assert allowed["Principal"] == {"Service": "sns.amazonaws.com"}
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": stack.resolve(topic.topic_arn)}}


@pytest.mark.parametrize("email", [None, ""])
def test_without_an_address_nobody_is_told(stack: Stack, email: str | None) -> None:
    EmailTopic(stack, "Topic", email=email, dead_letter_queue=EncryptedQueue(stack, "DeadLetters"))

    assert resources(Template.from_stack(stack).to_json(), "AWS::SNS::Subscription") == {}


def test_the_key_of_the_dead_letter_queue_lets_sns_use_it(stack: Stack) -> None:
    queue = EncryptedQueue(stack, "DeadLetters", encryption_key=kms.Key(stack, "Key"))

    EmailTopic(stack, "Topic", email="name@example.com", dead_letter_queue=queue)

    use = {"Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Principal": {"Service": "sns.amazonaws.com"}}
    Template.from_stack(stack).has_resource_properties(
        "AWS::KMS::Key", {"KeyPolicy": {"Statement": Match.array_with([Match.object_like(use)])}}
    )


@pytest.mark.parametrize(
    "email", ["nobody", "a@b", "a b@example.com", "a@example.", "@example.com", "a@x.com, b@x.com"]
)
def test_an_address_that_is_none_is_refused(stack: Stack, email: str) -> None:
    queue = EncryptedQueue(stack, "DeadLetters")

    with pytest.raises(ValueError, match=f"email is {email}: give one address, such as name@example.com, or leave it"):
        EmailTopic(stack, "Topic", email=email, dead_letter_queue=queue)


def test_a_dead_letter_queue_that_sns_cannot_send_to_is_refused(stack: Stack) -> None:
    closed = sqs.Queue(stack, "Closed", encryption=sqs.QueueEncryption.KMS_MANAGED)
    fifo = sqs.Queue.from_queue_arn(stack, "Fifo", "arn:aws:sqs:us-east-1:111122223333:failed.fifo")

    with pytest.raises(ValueError, match="dead_letter_queue is encrypted by AWS's key in KMS: that key is closed to A"):
        EmailTopic(stack, "First", email="name@example.com", dead_letter_queue=closed)
    with pytest.raises(ValueError, match="dead_letter_queue is a FIFO queue: Amazon SNS takes a standard queue"):
        EmailTopic(stack, "Second", email="name@example.com", dead_letter_queue=fifo)
