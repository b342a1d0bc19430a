"""A topic that tells a person by e-mail."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

from lambda_src.acknowledged import acknowledge
from lambda_src.options import Options, checked
from lambda_src.queue import check_receiver, let_service_use_key

if TYPE_CHECKING:
    from constructs import Construct


class EmailTopic(sns.Topic):
    """A topic whose messages go to an e-mail address, once who has it has followed the link that Amazon SNS sends.

    :param email: the address; with ``None`` nobody is told until something else subscribes.
    :param dead_letter_queue: keeps what could not be delivered to the address; a standard queue.
    :raises ValueError: when the address is none, and when Amazon SNS cannot send to the queue.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, email: str | None, dead_letter_queue: sqs.IQueue
    ) -> None:
        """Check the address, then make the topic, and the subscription if there is an address."""
        with checked(EmailTopic, scope, construct_id) as options:
            check_email(options, email)
            check_receiver(options, dead_letter_queue, service="Amazon SNS")
        super().__init__(scope, construct_id, enforce_ssl=True)
        if email:
            self.add_subscription(subscriptions.EmailSubscription(email, dead_letter_queue=dead_letter_queue))
            let_service_use_key(dead_letter_queue, "sns.amazonaws.com")
        acknowledge(
            self,
            "CKV_AWS_26",
            "NIST.800.53.R5-SNSEncryptedKMS",
            "HIPAA.Security-SNSEncryptedKMS",
            "PCI.DSS.321-SNSEncryptedKMS",
            reason="Amazon SNS keeps a message on encrypted disks until it is delivered, and then e-mail carries it in "
            "plain text: a key of one's own would hide it from nobody who reads the e-mail.",
        )


def check_email(options: Options, email: str | None) -> None:
    """Note an e-mail address that is none; to give none at all is no mistake."""
    given = not email or re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", email) is not None
    options.require(given, "email", email, "give one address, such as name@example.com, or leave it out")
