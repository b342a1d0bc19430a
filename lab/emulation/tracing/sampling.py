"""Who decides whether a request is recorded that came without a decision: the sampling rules, or Lambda's own rate."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Callable

from lab.emulation.tracing import xray_api
from lab.xray.sampling import Request, Sampler, SamplingRule

_log = logging.getLogger(__name__)
_RULES_LAST_SECONDS = 1.0

Rules = Callable[[], list[SamplingRule]]


class Stages:
    """Decides for the stages of REST APIs, by the sampling rules of the X-Ray service.

    :param rules: asks the service for them; while it does not answer, those of before are in force.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._asked = float("-inf")
        self._sampler = Sampler()

    async def sampled(self, request: Request) -> bool:
        """Decide whether a request is recorded."""
        if time.monotonic() - self._asked > _RULES_LAST_SECONDS:
            self._asked = time.monotonic()
            try:
                # The service is another process, and this loop serves every request of the emulator's.
                self._sampler.use(await asyncio.to_thread(self._rules))
            except Exception:  # the request goes on, whatever ails X-Ray
                _log.debug("the sampling rules could not be read", exc_info=True)
        return self._sampler.decide(request).sampled


def rules_of_the_service() -> list[SamplingRule]:
    """Ask the local X-Ray service for its sampling rules."""
    records = xray_api.call("GetSamplingRules", timeout=2)["SamplingRuleRecords"]
    return [SamplingRule.of(record["SamplingRule"]) for record in records]


def of_function(arn: str) -> bool:
    """Decide for a function: one request a second is recorded, and five percent of the others.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
    """
    return _of_function(arn).decide(Request()).sampled


@functools.cache
def _of_function(arn: str) -> Sampler:  # noqa: ARG001 - each function has its own
    return Sampler()


stages = Stages(rules_of_the_service)
