"""Waits for a database that resumes, and repeats a call only where it surely did nothing the first time."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

from . import errors
from .errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 4.0
#: The request did not get to the database.
_NOT_BEGUN = {"DatabaseResumingException"}
#: It may have: to be repeated where that does no harm.
_UNCERTAIN = {"DatabaseUnavailableException", "ServiceUnavailableError", "InternalServerErrorException"}


def patiently(call: Callable[[], dict[str, Any]], *, seconds: float, harmless: bool = False) -> dict[str, Any]:
    """Make a call of the Data API; repeat it, with growing pauses of random length, while the database resumes.

    :param seconds: how long to go on for.
    :param harmless: whether the call may run twice; it is then repeated also where it may have run.
    :raises DatabaseError: for what the database refuses, and when it does not resume in time.
    :raises ClientError: for what AWS refuses.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
    """
    deadline = time.monotonic() + seconds
    longest = _FIRST_PAUSE
    while True:
        try:
            return call()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            repeats = code in _NOT_BEGUN or (harmless and code in _UNCERTAIN)
            failure = errors.of(error)
            if failure is None:
                raise
        except (EndpointConnectionError, ConnectTimeoutError) as error:
            repeats, failure = True, UnavailableError(type(error).__name__, str(error), None)
        pause = random.uniform(longest / 2, longest)  # noqa: S311 - so that not all ask again at once
        if not repeats or time.monotonic() + pause > deadline:
            raise failure from None
        time.sleep(pause)
        longest = min(2 * longest, _LONGEST_PAUSE)
