"""Answers and refusals in the form of MiniStack's operations."""

from __future__ import annotations

from typing import Any

from ministack.core.responses import error_response_json, json_response

HOOKS = [
    "ministack.core.responses.error_response_json(code, message, status, extra, message_key, content_type)",
    "ministack.core.responses.json_response",
]

Properties = dict[str, Any]
Response = tuple[int, dict[str, str], Any]


def answer(content: Properties) -> Response:
    """Answer with what was asked for."""
    answered: Response = json_response(content)
    return answered


def refusal(code: str, message: str) -> Response:
    """Refuse, with the code that AWS refuses with."""
    refused: Response = error_response_json(code, message, 400)
    return refused
