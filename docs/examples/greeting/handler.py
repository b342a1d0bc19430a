"""Greets whoever the event names."""

import os


def handler(event: dict[str, str], context: object) -> str:  # noqa: ARG001 - AWS Lambda gives both
    """Answer with a greeting."""
    return f"{os.environ['GREETING']}, {event['name']}!"
