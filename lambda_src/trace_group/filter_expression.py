"""Finds what makes a filter expression none, as far as that can be seen without knowing its keywords."""

from __future__ import annotations

import re

_CLOSES = {"(": ")", "{": "}", "[": "]"}
# A text in quotation marks, one that does not end, or a bracket outside of any.
_SIGN = re.compile(r'(?P<text>"(?:\\.|[^"\\])*")|(?P<endless>")|(?P<bracket>[][(){}])', re.DOTALL)


def mistake_in(expression: str) -> str | None:
    """Say what is wrong with the form of ``expression``, and at which character; None if nothing is.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
    """
    if not expression.strip():
        return "an expression, such as fault = true"
    opened: list[tuple[str, int]] = []
    for sign in _SIGN.finditer(expression):
        position = sign.start() + 1
        if sign["endless"]:
            return f"the text that begins at character {position} has no quotation mark at its end"
        if sign["bracket"] in _CLOSES:
            opened.append((_CLOSES[sign["bracket"]], position))
        elif sign["bracket"] and (not opened or opened.pop()[0] != sign["bracket"]):
            return f"the {sign['bracket']} at character {position} closes nothing"
    if opened:
        closing, position = opened[-1]
        return f"what opens at character {position} lacks its {closing}"
    return None
