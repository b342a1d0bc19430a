"""Takes out of texts what a trace must not hold: query strings, credentials, headers, and what is merely long."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# What a field of a document may hold, unless its description says otherwise.
LONGEST_TEXT = 250

_SECRETS = [
    # Credentials and query strings of URLs.
    (re.compile(r"(?<=//)[^/\s@]+@"), ""),
    (re.compile(r"\?[^\s'\"<>)]+"), ""),
    # AWS, botocore, http.client and requests quote the header that they refuse.
    (re.compile(r"(?i)\b(authorization|credential|x-amz-security-token|bearer|header value)\b.*"), r"\1 ..."),
    # As in the connection string of a database.
    (re.compile(r"(?i)(passw(?:or)?d|pwd|secret|token|api[-_]?key)(['\"]?\s*[=:]\s*)[^\s;,&]+"), r"\1\2..."),
]


def url_without_secrets(url: str) -> str:
    """Leave of a URL its scheme, host, port and path."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    path = parts.path.partition(";")[0]
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"[:LONGEST_TEXT]


def message_without_secrets(message: str) -> str:
    """Leave of an error's message the first line, as what was refused is quoted in those that follow."""
    return text_without_secrets(message.strip().partition("\n")[0])[:LONGEST_TEXT]


def text_without_secrets(text: str) -> str:
    """Leave of a text what does not look like a secret."""
    for secret, instead in _SECRETS:
        text = secret.sub(instead, text)
    return text
