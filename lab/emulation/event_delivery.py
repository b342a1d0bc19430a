"""How EventBridge and its Scheduler deliver: with permission, with retries, and with dead-letter queues.

MiniStack hands an event to every target, whether a policy permits it or not, and drops what cannot be delivered. Here,
as on AWS:

A target is reached only if its resource policy, or the target's role, permits the rule (or the schedule) to. A missing
permission and a missing target are not retried; an API destination that answers 401, 407, 409, 429 or 5xx, or not at
all, is, until the target's retry policy is exhausted. What a function does with an event that it got is not
EventBridge's business.

What was not delivered goes to the target's dead-letter queue with the attributes that AWS documents, if that queue's
policy permits the rule to send: a queue policy that CDK forgot is found here.

Two things differ: retries follow each other within a quarter of a second instead of with a back-off over 24 hours, and
those under way are lost when the emulator stops.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html,
https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html,
https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
"""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ministack.core import iam_evaluator
from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge, iam, sns, sqs

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = [
    "ministack.core.arn.ArnParseError",
    "ministack.core.arn.parse_arn(value)",
    "ministack.core.iam_evaluator.EvalContext",
    "ministack.core.iam_evaluator._gather_role_policies(role_name, account_id)",
    "ministack.core.iam_evaluator._resource_policy(service, resource_arn)",
    "ministack.core.iam_evaluator.evaluate(ctx, policies, limits)",
    "ministack.core.iam_evaluator.evaluate_resource_policy(doc, ctx, service, named_only, direct_only)",
    "ministack.core.iam_evaluator.pin_request_origin(source_ip, secure_transport)",
    "ministack.services.eventbridge._api_destination_send_sync(request, auth_headers)",
    "ministack.services.eventbridge._api_destinations",
    "ministack.services.eventbridge._build_api_destination_request(dest, conn, target_http_params, payload)",
    "ministack.services.eventbridge._connection_auth_headers(conn, token_key, force_refresh)",
    "ministack.services.eventbridge._connections",
    "ministack.services.eventbridge._dispatch_to_api_destination(spec, payload, target)",
    "ministack.services.eventbridge._dispatch_to_sns(arn, payload)",
    "ministack.services.eventbridge._event_buses",
    "ministack.services.eventbridge._invoke_target(target, event, rule, view)",
    "ministack.services.eventbridge._pattern_event_view(event)",
    "ministack.services.iam._roles",
    "ministack.services.sns.SnsPublishError",
    "ministack.services.sns.publish_internal(topic_arn, message, subject, message_structure, message_attributes, "
    "message_group_id, message_deduplication_id)",
    "ministack.services.sqs._act_send_message(data, qurl)",
    "ministack.services.sqs._queue_by_arn(arn)",
]
_log = logging.getLogger("events")
_RETRIED = {401, 407, 409, 429}
_LONGEST_PAUSE = 0.25
# What a role must permit for each kind of target; a resource policy speaks of the first alone.
_ACTIONS = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage", "sns": "sns:Publish"}


class DeliveryError(Exception):
    """An event did not reach its target.

    :param code: AWS's name for the reason.
    :param retried: whether another attempt may succeed.
    """

    def __init__(self, code: str, message: str, *, retried: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.retried = retried


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one target of a rule or a schedule."""

    target: dict[str, Any]
    event: dict[str, Any]
    sender: dict[str, Any]

    @property
    def is_scheduled(self) -> bool:
        """Whether EventBridge Scheduler sends it, and not a rule."""
        return ":scheduler:" in self.sender["Arn"]

    @property
    def service(self) -> str:
        """The service principal that policies name."""
        return "scheduler.amazonaws.com" if self.is_scheduled else "events.amazonaws.com"

    @property
    def source_arn(self) -> str:
        """What policies know as the source: the rule, or the group that the schedule belongs to."""
        if not self.is_scheduled:
            return str(self.sender["Arn"])
        return f"{self.sender['Arn'].rpartition(':')[0]}:schedule-group/{self.sender['GroupName']}"

    @cached_property
    def body(self) -> str:
        """What a dead-letter queue holds of it: the event; of a schedule, its input."""
        whole = json.dumps(eventbridge._pattern_event_view(self.event).event_with_detail())
        return self.target.get("Input", whole) if self.is_scheduled else whole


# Says to the functions that dispatch, which MiniStack calls with less, what they deliver.
_current: ContextVar[Delivery] = ContextVar("delivery")


def extend() -> None:
    """Put these deliveries in the place of MiniStack's."""
    invoke = eventbridge._invoke_target

    def invoke_target(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        # In a context of its own: a schedule's delivery has no request whose origin it could have.
        copy_context().run(_deliver, Delivery(target, event, rule), lambda: invoke(target, event, rule, view))

    eventbridge._invoke_target = invoke_target
    eventbridge._dispatch_to_api_destination = _call_api_destination
    eventbridge._dispatch_to_sns = _publish


def _deliver(delivery: Delivery, dispatch: Callable[[], None]) -> None:
    iam_evaluator.pin_request_origin("127.0.0.1", True)
    _current.set(delivery)
    try:
        _require_target(delivery)
    except DeliveryError as error:
        _bury(delivery, error)
    else:
        dispatch()


def _require_target(delivery: Delivery) -> None:
    """Find out whether the target exists, and whether it may be sent to.

    :raises DeliveryError: when it must not be tried.
    """
    arn = str(delivery.target.get("Arn", ""))
    try:
        spec = parse_arn(arn)
    except ArnParseError:
        raise DeliveryError("INVALID_PARAMETER", f"{arn} is not an ARN.") from None
    if spec.service == "events":
        kind, _, rest = spec.resource.partition("/")
        known = eventbridge._event_buses if kind == "event-bus" else eventbridge._api_destinations
        if rest.split("/")[0] not in known:
            raise DeliveryError("NO_RESOURCE", f"{arn} does not exist.")
        if "RoleArn" in delivery.target:
            action = "events:PutEvents" if kind == "event-bus" else "events:InvokeApiDestination"
            _require_role_permits(delivery, action, arn)
    elif spec.service in _ACTIONS:
        policy = iam_evaluator._resource_policy(spec.service, arn)
        if policy is None:
            raise DeliveryError("NO_RESOURCE", f"{arn} does not exist.")
        if "RoleArn" in delivery.target:
            _require_role_permits(delivery, _ACTIONS[spec.service], arn)
        else:
            _require_policy_permits(delivery, _ACTIONS[spec.service], arn, policy[0])


def _require_dead_letter_permission(delivery: Delivery, arn: str, policy: Any) -> None:
    # Whatever role a rule's target has, a rule's dead letters need the queue's policy.
    if delivery.is_scheduled:
        _require_role_permits(delivery, "sqs:SendMessage", arn)
    else:
        _require_policy_permits(delivery, "sqs:SendMessage", arn, policy)


def _require_policy_permits(delivery: Delivery, action: str, arn: str, policy: Any) -> None:
    if not _policy_permits(delivery, action, arn, policy):
        raise DeliveryError("NO_PERMISSIONS", f"The resource policy of {arn} does not permit {delivery.service}.")


def _policy_permits(delivery: Delivery, action: str, arn: str, policy: Any) -> bool:
    context = _evaluation(delivery, "*", "Service", action, arn)
    decision = iam_evaluator.evaluate_resource_policy(policy, context, service=delivery.service).decision
    return bool(decision == "Allow")


def _require_role_permits(delivery: Delivery, action: str, arn: str) -> None:
    role_arn = delivery.target["RoleArn"]
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    role = iam._roles.get_scoped(account, None, name)
    trust = role["AssumeRolePolicyDocument"] if role else {}
    if not _policy_permits(delivery, "sts:AssumeRole", "*", _with_resource(trust)):
        raise DeliveryError("FAILED_TO_ASSUME_ROLE", f"{delivery.service} may not assume {role_arn}.")
    context = _evaluation(delivery, role_arn, "AssumedRole", action, arn)
    decision = iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(name, account)).decision
    if decision != "Allow":
        raise DeliveryError("NO_PERMISSIONS", f"{role_arn} does not permit {action} on {arn}.")


def _with_resource(trust: str | dict[str, Any]) -> dict[str, Any]:
    """Give a trust policy the resource that other policies have, and that it does not need."""
    document: dict[str, Any] = json.loads(trust) if isinstance(trust, str) else trust
    statements = document.get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    return {"Statement": [{"Resource": "*", **statement} for statement in statements]}


def _evaluation(delivery: Delivery, principal: str, kind: str, action: str, arn: str) -> Any:
    source = {"aws:sourcearn": delivery.source_arn, "aws:sourceaccount": get_account_id()}
    return iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type=kind,
        principal_account="" if kind == "Service" else get_account_id(),
        action=action,
        resource_arn=arn,
        region=get_region(),
        service_context=source if kind == "Service" else {},
    )


def _publish(arn: str, payload: str) -> None:
    try:
        sns.publish_internal(arn, payload, "EventBridge Notification")
    except sns.SnsPublishError as error:
        _bury(_current.get(), DeliveryError("INVALID_PARAMETER", str(error)))


def _call_api_destination(spec: Any, payload: str, target: dict[str, Any]) -> None:
    delivery, context = _current.get(), copy_context()
    name = spec.resource.split("/")[1]
    attempt = _api_destination_attempt(name, payload, target)
    # Not on the thread that serves requests: the destination may be a function of this same emulator.
    threading.Thread(target=context.run, args=(_deliver_with_retries, delivery, attempt), daemon=True).start()


def _api_destination_attempt(name: str, payload: str, target: dict[str, Any]) -> Callable[[], None]:
    def attempt() -> None:
        destination = eventbridge._api_destinations.get(name)
        connection = eventbridge._connections.get(destination["ConnectionArn"].split("/")[1]) if destination else None
        if destination is None or connection is None:
            raise DeliveryError("NO_RESOURCE", f"The API destination {name} or its connection does not exist.")
        if connection["ConnectionState"] != "AUTHORIZED":
            raise DeliveryError("SDK_CLIENT_ERROR", f"The connection is {connection['ConnectionState']}.", retried=True)
        request = eventbridge._build_api_destination_request(
            destination, connection, target.get("HttpParameters") or {}, payload
        )
        key = (get_account_id(), get_region(), connection["Name"])
        try:
            status = eventbridge._api_destination_send_sync(
                request, eventbridge._connection_auth_headers(connection, key)
            )
        except (OSError, ValueError) as error:
            raise DeliveryError(
                "SDK_CLIENT_ERROR",
                f"Unable to invoke ApiDestination endpoint: API destination endpoint cannot be reached ({error}).",
                retried=True,
            ) from error
        if not 200 <= status < 300:
            raise DeliveryError(
                "SDK_CLIENT_ERROR",
                f"Unable to invoke ApiDestination endpoint: API destination returned HTTP status {status}.",
                retried=status in _RETRIED or status >= 500,
            )

    return attempt


def _deliver_with_retries(delivery: Delivery, attempt: Callable[[], None]) -> None:
    policy = delivery.target.get("RetryPolicy") or {}
    most, oldest = int(policy.get("MaximumRetryAttempts", 185)), int(policy.get("MaximumEventAgeInSeconds", 86_400))
    deadline, retries, pause = time.monotonic() + oldest, 0, 0.05
    while True:
        try:
            return attempt()
        except DeliveryError as error:
            if not error.retried:
                return _bury(delivery, error)
            if retries >= most:
                return _bury(delivery, error, retries, "MaximumRetryAttempts")
            if time.monotonic() + pause > deadline:
                return _bury(delivery, error, retries, "MaximumEventAgeInSeconds")
        time.sleep(pause)
        retries, pause = retries + 1, min(2 * pause, _LONGEST_PAUSE)


def _bury(delivery: Delivery, error: DeliveryError, retries: int = 0, exhausted: str | None = None) -> None:
    """Send what was not delivered to the target's dead-letter queue, if there is one and it may be sent to."""
    arn = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
    said = f"{delivery.sender['Arn']} -> {delivery.target.get('Arn')}: {error.code}: {error}"
    if arn is None:
        _log.warning("EventBridge dropped an event, as its target has no dead-letter queue: %s", said)
        return
    queue = sqs._queue_by_arn(arn)
    try:
        if queue is None:
            raise DeliveryError("NO_RESOURCE", f"{arn} does not exist.")
        _require_dead_letter_permission(delivery, arn, queue["attributes"].get("Policy"))
    except DeliveryError as refusal:
        _log.warning("EventBridge dropped an event, as its dead-letter queue does not take it: %s; %s", refusal, said)
        return
    attributes = _attributes(delivery, error, retries, exhausted)
    message = {
        "MessageBody": delivery.body,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
        },
    }
    sqs._act_send_message(message, queue["url"])


def _attributes(delivery: Delivery, error: DeliveryError, retries: int, exhausted: str | None) -> dict[str, str | None]:
    common = {
        "TARGET_ARN": str(delivery.target.get("Arn")),
        "ERROR_CODE": error.code,
        "ERROR_MESSAGE": str(error),
        "RETRY_ATTEMPTS": str(retries),
        "EXHAUSTED_RETRY_CONDITION": exhausted,
    }
    if not delivery.is_scheduled:
        return {"RULE_ARN": delivery.sender["Arn"], **common}
    scheduled = datetime.fromtimestamp(delivery.event["Time"], tz=timezone.utc)
    return {
        "SCHEDULE_ARN": delivery.sender["Arn"],
        **common,
        "SCHEDULED_TIME": scheduled.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "EXECUTION_ID": str(uuid.uuid4()),
        "IS_PAYLOAD_TRUNCATED": "false",
    }
