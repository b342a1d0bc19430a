"""Takes out of texts what a trace must not hold: query strings, credentials, and what is merely long."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# What a field of a document may hold, unless its description says otherwise.
LONGEST_TEXT = 250

_IN_MESSAGES = [
    (re.compile(r"(?<=//)[^/\s@]+@"), ""),
    (re.compile(r"\?[^\s'\"<>)]+"), ""),
    # botocore and AWS quote the header that they refuse.
    (re.compile(r"(?i)\b(authorization|credential|x-amz-security-token|bearer)\b.*"), r"\1 ..."),
]


def url_without_secrets(url: str) -> str:
    """Leave of a URL its scheme, host, port and path."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:LONGEST_TEXT]


def message_without_secrets(message: str) -> str:
    """Leave of an error's message the first line, as what was refused is quoted in those that follow."""
    line = message.strip().partition("\n")[0]
    for secret, instead in _IN_MESSAGES:
        line = secret.sub(instead, line)
    return line[:LONGEST_TEXT]
