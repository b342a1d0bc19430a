"""Makes identifiers of spans and of traces."""

from __future__ import annotations

import random
import time

from opentelemetry.sdk.trace.id_generator import IdGenerator

# The random module's own numbers would be the same in all functions that start from one SnapStart snapshot, and so
# would the identifiers of ``opentelemetry-sdk-extension-aws``.
_random = random.SystemRandom()


def identifier() -> int:
    """Make an identifier of 64 bits."""
    return _random.randrange(1, 1 << 64)


class Identifiers(IdGenerator):
    """Identifiers that X-Ray takes: a trace's begins with the time."""

    def generate_span_id(self) -> int:
        """Make a span's identifier."""
        return identifier()

    def generate_trace_id(self) -> int:
        """Make a trace's identifier."""
        return int(time.time()) << 96 | _random.getrandbits(96)
