"""Reads the records of an Amazon SQS event: the item that each becomes, or what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

#: An item in DynamoDB's own JSON, as the low-level client sends it.
Item = dict[str, dict[str, str]]

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
MAX_ITEM_BYTES = 400 * 1024
MAX_KEY_BYTES = 2048

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class InvalidRecordError(ValueError):
    """Says what is wrong with a record, and never quotes its body."""


@dataclass
class Message:
    """What is known of one record: an empty ``message_id`` if it has none, a ``failure`` if it is not in the table."""

    message_id: str
    fifo_group: str | None
    item: Item | None = None
    failure: str | None = None


def read(record: object) -> Message:
    """Read a record: it becomes a message with an item, or with a failure that says what is wrong."""
    fields = _mapping(record)
    attributes = _mapping(fields.get("attributes"))
    message = Message(message_id="", fifo_group=_fifo_group(fields, attributes))
    try:
        message.message_id = _message_id(fields)
        message.item = _item(message.message_id, fields.get("body"), attributes.get("SentTimestamp"))
    except InvalidRecordError as error:
        message.failure = str(error)
    return message


def withhold_followers(messages: list[Message]) -> None:
    """Fail every message that comes after a failed one of its FIFO group: acknowledging it would break their order."""
    stopped = set()
    for message in messages:
        if message.fifo_group in stopped:
            message.failure = message.failure or "an earlier message of its group failed"
        elif message.failure and message.fifo_group is not None:
            stopped.add(message.fifo_group)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _fifo_group(fields: dict[str, Any], attributes: dict[str, Any]) -> str | None:
    # Standard queues have message groups too (fair queues), and promise no order within them.
    is_fifo = str(fields.get("eventSourceARN")).endswith(".fifo")
    return str(attributes.get("MessageGroupId")) if is_fifo else None


def _message_id(fields: dict[str, Any]) -> str:
    message_id = fields.get("messageId")
    if not isinstance(message_id, str) or not message_id:
        raise InvalidRecordError("messageId is missing, empty or not a string")
    _utf8_length("messageId", message_id)
    return message_id


def _item(message_id: str, body: object, sent_timestamp: object) -> Item:
    if not isinstance(body, str):
        raise InvalidRecordError("body is missing or not a string")
    values = {"MessageId": message_id, "Body": body, "Timestamp": _iso_timestamp(sent_timestamp)}
    if _utf8_length("messageId", message_id) > MAX_KEY_BYTES:
        raise InvalidRecordError(f"messageId is longer than the {MAX_KEY_BYTES} bytes of a DynamoDB partition key")
    size = sum(_utf8_length("name", name) + _utf8_length(name, value) for name, value in values.items())
    if size > MAX_ITEM_BYTES:
        raise InvalidRecordError(f"item of {size} bytes is larger than DynamoDB's {MAX_ITEM_BYTES}")
    return {name: {"S": value} for name, value in values.items()}


def _iso_timestamp(milliseconds: object) -> str:
    digits = str(milliseconds)
    if not (digits.isascii() and digits.isdecimal()):
        raise InvalidRecordError("SentTimestamp is missing or not a number of milliseconds")
    try:
        # Not fromtimestamp(): dividing by 1000 would round some milliseconds away.
        sent = _EPOCH + timedelta(milliseconds=int(digits))
    except (OverflowError, ValueError):
        raise InvalidRecordError("SentTimestamp is after the year 9999") from None
    return sent.isoformat(timespec="milliseconds")


def _utf8_length(name: str, text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        # JSON can carry half a surrogate pair; neither DynamoDB nor Lambda's response can.
        raise InvalidRecordError(f"{name} is not valid Unicode") from None
