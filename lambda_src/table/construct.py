"""A DynamoDB table that bills by request and outlives mistakes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aws_cdk import Stack, Token
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms

from lambda_src.acknowledged import acknowledge
from lambda_src.options import checked
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from constructs import Construct


class OnDemandTable(dynamodb.TableV2):
    """A DynamoDB table: on demand, encrypted, and, in production, restorable and protected from deletion.

    Grant a function just the calls that it makes: ``table.grants.actions(function, "dynamodb:BatchWriteItem")``.

    :param partition_key: name and type of the partition key.
    :param sort_key: name and type of the sort key; none by default.
    :param table_name: physical name, 3 to 255 letters, digits and any of ``_.-``; CloudFormation makes one by default.
    :param time_to_live_attribute: attribute that holds the second (Unix time) after which an item may be deleted.
    :param encryption_key: customer managed KMS key, in a stack whose region is known; by default a key that DynamoDB
        owns, at no cost.
    :param posture: ``PRODUCTION`` adds point-in-time recovery for 35 days, deletion protection, and keeps the table
        when its stack is deleted.
    :param max_read_request_units: most read request units a second, a limit on the bill, 1 or more; none by default.
    :param max_write_request_units: likewise for writes.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        partition_key: dynamodb.Attribute,
        sort_key: dynamodb.Attribute | None = None,
        table_name: str | None = None,
        time_to_live_attribute: str | None = None,
        encryption_key: kms.IKey | None = None,
        posture: Posture = Posture.LAB,
        max_read_request_units: int | None = None,
        max_write_request_units: int | None = None,
    ) -> None:
        """Check the options, then make the table."""
        with checked(OnDemandTable, scope, construct_id) as options:
            named = table_name is None or re.fullmatch(r"[A-Za-z0-9_.-]{3,255}", table_name) is not None
            options.require(named, "table_name", table_name, "3 to 255 letters, digits, and any of _.-")
            for option, units in (
                ("max_read_request_units", max_read_request_units),
                ("max_write_request_units", max_write_request_units),
            ):
                options.require(units is None or units >= 1, option, units, "1 or more")
            options.require(
                encryption_key is None or not Token.is_unresolved(Stack.of(scope).region),
                "encryption_key",
                "given in a stack for any region",
                "say the stack's region (env), as the key is in one region alone",
            )
        super().__init__(
            scope,
            construct_id,
            partition_key=partition_key,
            sort_key=sort_key,
            table_name=table_name,
            time_to_live_attribute=time_to_live_attribute,
            billing=dynamodb.Billing.on_demand(
                max_read_request_units=max_read_request_units, max_write_request_units=max_write_request_units
            ),
            encryption=(
                dynamodb.TableEncryptionV2.customer_managed_key(encryption_key)
                if encryption_key
                else dynamodb.TableEncryptionV2.dynamo_owned_key()
            ),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=posture.protects_data
            ),
            deletion_protection=posture.protects_data,
            removal_policy=posture.removal_policy,
        )
        if not posture.protects_data:
            acknowledge(
                self,
                "CKV_AWS_165",
                reason="In the lab posture data is made up, and is deleted with its stack: there is no point in time "
                "that anybody would go back to. The production posture can.",
            )
