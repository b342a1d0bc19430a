"""The key that callers of the endpoint have to give: read from Secrets Manager, compared in constant time."""

from __future__ import annotations

import hmac
import os
import time
from typing import Any

import botocore.session
from botocore.config import Config

if not os.environ.get("API_KEY_SECRET"):
    raise RuntimeError("API_KEY_SECRET is not set: give the function the ARN of the secret that holds the key.")

#: Seconds for which a key that was read is good: after a rotation, the old one is let in for as long.
KEPT_SECONDS = 60

_config = Config(connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 2})
secrets: Any = botocore.session.get_session().create_client("secretsmanager", config=_config)


class ApiKey:
    """The key as it was last read."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._key = b""
        self._read_at = -float(KEPT_SECONDS)

    def matches(self, given: str) -> bool:
        """Say whether ``given`` is the key, in a time that does not tell how much of it is right."""
        if time.monotonic() - self._read_at >= KEPT_SECONDS:
            self._key = secrets.get_secret_value(SecretId=os.environ["API_KEY_SECRET"])["SecretString"].encode()
            self._read_at = time.monotonic()
        return hmac.compare_digest(given.encode(), self._key)
