"""Which requests are traced: sampling rules, and the decision that follows from them.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
"""

from __future__ import annotations

import fnmatch
import random
import re
import time
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_DEFAULT = "Default"


@dataclass(frozen=True)
class Request:
    """What is known of a request when it arrives; what is not known matches every rule, as in the X-Ray SDKs.

    :param service_name: of an API Gateway stage, ``api-name/stage``.
    :param service_type: such as ``AWS::ApiGateway::Stage``.
    :param attributes: what a rule's attributes are compared with; of API Gateway, the headers.
    """

    service_name: str | None = None
    service_type: str | None = None
    host: str | None = None
    http_method: str | None = None
    url_path: str | None = None
    resource_arn: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SamplingRule:
    """Which requests a rule is for, and how many of them it samples.

    In every pattern ``*`` stands for any characters and ``?`` for one, in capital letters or small ones.

    :param priority: of several rules that match, the one with the lowest number decides; 1 to 9,999.
    :param reservoir_size: requests a second that are all sampled.
    :param fixed_rate: the part of the others that is sampled, 0 to 1.
    """

    name: str
    priority: int
    reservoir_size: int
    fixed_rate: float
    service_name: str = "*"
    service_type: str = "*"
    host: str = "*"
    http_method: str = "*"
    url_path: str = "*"
    resource_arn: str = "*"
    attributes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> SamplingRule:
        """Take a ``SamplingRule`` of X-Ray's API."""
        return cls(
            name=document["RuleName"],
            priority=document["Priority"],
            reservoir_size=document["ReservoirSize"],
            fixed_rate=document["FixedRate"],
            service_name=document["ServiceName"],
            service_type=document["ServiceType"],
            host=document["Host"],
            http_method=document["HTTPMethod"],
            url_path=document["URLPath"],
            resource_arn=document["ResourceARN"],
            attributes=document.get("Attributes") or {},
        )

    def matches(self, request: Request) -> bool:
        """Tell whether the rule is for this request."""
        fields = (
            (self.service_name, request.service_name),
            (self.service_type, request.service_type),
            (self.host, request.host),
            (self.http_method, request.http_method),
            (self.url_path, request.url_path),
            (self.resource_arn, request.resource_arn),
        )
        return all(text is None or _matches(pattern, text) for pattern, text in fields) and all(
            key in request.attributes and _matches(pattern, request.attributes[key])
            for key, pattern in self.attributes.items()
        )


# One request a second, and five percent of the others.
DEFAULT_RULE = SamplingRule(_DEFAULT, priority=10_000, reservoir_size=1, fixed_rate=0.05)


@dataclass(frozen=True)
class Decision:
    """Whether a request is traced, and which rule said so."""

    sampled: bool
    rule_name: str


@dataclass
class Statistics:
    """How often a rule was used."""

    rule_name: str
    request_count: int = 0
    sampled_count: int = 0


class Sampler:
    """Decides for one request after the other, by the first rule that matches.

    It is the only one that asks for this service, so the quota that X-Ray would give it is the whole reservoir.

    :param rules: in any order. ``Default`` is the last whatever its priority, and X-Ray's own if there is none.
    :param now: the time in seconds.
    :param random: a number from 0 up to but not including 1.
    """

    def __init__(
        self,
        rules: Iterable[SamplingRule] = (),
        *,
        now: Callable[[], float] = time.time,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._now = now
        self._random = random
        self._lock = Lock()
        self._reservoirs: dict[str, _Reservoir] = {}
        self._statistics: dict[str, Statistics] = {}
        self._rules: list[SamplingRule] = []
        self.use(rules)

    def use(self, rules: Iterable[SamplingRule]) -> None:
        """Go on with other rules; what is left of this second's reservoirs stays as it is."""
        by_name = {_DEFAULT: DEFAULT_RULE, **{rule.name: rule for rule in rules}}
        with self._lock:
            self._rules = sorted(by_name.values(), key=lambda rule: (rule.name == _DEFAULT, rule.priority, rule.name))
            self._reservoirs = {name: self._reservoirs.get(name, _Reservoir()) for name in by_name}

    def decide(self, request: Request) -> Decision:
        """Decide whether a request is traced."""
        with self._lock:
            rule = next(rule for rule in self._rules if rule.name == _DEFAULT or rule.matches(request))
            reservoir = self._reservoirs[rule.name]
            sampled = reservoir.take(int(self._now()), rule.reservoir_size) or self._random() < rule.fixed_rate
            statistics = self._statistics.setdefault(rule.name, Statistics(rule.name))
            statistics.request_count += 1
            statistics.sampled_count += sampled
            return Decision(sampled, rule.name)

    def report(self) -> list[Statistics]:
        """Return what was decided since the last report, by rule, for GetSamplingTargets."""
        with self._lock:
            statistics, self._statistics = list(self._statistics.values()), {}
        return statistics


@dataclass
class _Reservoir:
    """How many of this second's requests were taken from a rule's reservoir."""

    second: int = 0
    taken: int = 0

    def take(self, second: int, size: int) -> bool:
        if second != self.second:
            self.second, self.taken = second, 0
        if self.taken >= size:
            return False
        self.taken += 1
        return True


def _matches(pattern: str, text: str) -> bool:
    return pattern == "*" or _expression(pattern).match(text) is not None


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    # `fnmatch` makes expressions that do not try every way to share a text between many stars. Its brackets are no
    # wildcards here.
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")), re.IGNORECASE)
