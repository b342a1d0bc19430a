"""Any target of the CDK, with a dead-letter queue and a retry policy."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import aws_events as events

from lambda_src.acknowledged import acknowledge_inline_policy

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_sqs as sqs
    from aws_cdk.interfaces.aws_events import IRuleRef


@jsii.implements(events.IRuleTarget)
class ReliableTarget:
    """A target whose undelivered events are tried again, and then kept; what it says of that itself stands."""

    def __init__(
        self,
        target: events.IRuleTarget,
        *,
        dead_letter_queue: sqs.IQueue,
        retry_attempts: int,
        max_event_age: Duration,
    ) -> None:
        self._target = target
        self._defaults: dict[str, Any] = {
            "dead_letter_config": events.CfnRule.DeadLetterConfigProperty(arn=dead_letter_queue.queue_arn),
            "retry_policy": events.CfnRule.RetryPolicyProperty(
                maximum_retry_attempts=retry_attempts, maximum_event_age_in_seconds=max_event_age.to_seconds()
            ),
        }
        #: What the events go to, once the target is bound to a rule.
        self.resource: Any = None

    def bind(self, rule: IRuleRef, id: str | None = None) -> events.RuleTargetConfig:
        """Bind the target as it is, then add what it left out."""
        config = self._target.bind(rule, id)
        self.resource = config.target_resource
        if config.role:
            acknowledge_inline_policy(config.role)
        said = {name: getattr(config, name) for name in signature(events.RuleTargetConfig).parameters}
        left_out = {name: value for name, value in self._defaults.items() if said[name] is None}
        return events.RuleTargetConfig(**{**said, **left_out})
