"""Message bodies: random ones made by Faker, and what SQS accepts as one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The most that the body of one message, or all bodies of one batch, may have in UTF-8.
MAX_BYTES = 1_048_576

_REFUSED_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SENTENCES = 1000
_SENTENCES_PER_BODY = 5


def random_bodies() -> Iterator[str]:
    """Make up texts about as long as those of Faker's ``text()``, endlessly, in a thirtieth of the time.

    Each is five of a thousand sentences by Faker, so there are 10^15 of them, and two alike are hardly ever met.
    """
    from faker import Faker  # noqa: PLC0415 - takes half a second, and whoever sends a text of their own does without

    fake = Faker()
    sentences = fake.sentences(nb=_SENTENCES)

    def bodies() -> Iterator[str]:
        while True:
            yield " ".join(fake.random.sample(sentences, k=_SENTENCES_PER_BODY))

    return bodies()


def why_refused(body: str) -> str | None:
    """Say why SQS would not accept ``body``, or nothing if it would.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    """
    if not body:
        return "is empty: 1 character or more"
    if refused := _REFUSED_CHARACTER.search(body):
        return (
            f"has the character U+{ord(refused.group()):04X} at position {refused.start()}, which SQS refuses: "
            "tab, line feed, carriage return, and U+0020 upwards without surrogates, U+FFFE and U+FFFF"
        )
    if (size := len(body.encode())) > MAX_BYTES:
        return f"has {size:,} bytes in UTF-8: {MAX_BYTES:,} or less"
    return None
