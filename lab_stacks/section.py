"""What every section's stack has in common: its posture, its tags, its outputs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_cdk import CfnOutput, Stack, Tags
from aws_cdk import aws_sns as sns

from lab_stacks.names import known

if TYPE_CHECKING:
    from constructs import Construct

    from lambda_src.posture import Posture


class Section(Stack):
    """The stack of one section of the chapter.

    :param section: its id in the catalog.
    :param posture: handed on to every block.
    """

    def __init__(self, scope: Construct, construct_id: str, *, section: str, posture: Posture, **kwargs: Any) -> None:
        """Make the stack and tag everything in it, as the chapter asks."""
        tags = {"project": "serverless-lab", "section": section, "posture": posture.value}
        super().__init__(scope, construct_id, tags=tags, **kwargs)
        # In the template too, for whoever deploys it without the CDK: a stack's own tags are not part of it.
        for name, value in tags.items():
            Tags.of(self).add(name, value)
        self.posture = posture
        #: What a user may change from context, and what it is now.
        self.settings: dict[str, str] = {}

    def setting(self, name: str, default: str) -> str:
        """Read what a user may change from context: ``-c name=value``."""
        self.settings[name] = str(self.node.try_get_context(name) or default)
        return self.settings[name]

    def choice(self, name: str, *permitted: str) -> str:
        """Read which of the ``permitted`` values a user chose from context; the first is the default.

        :raises UnknownNameError: listing the permitted values.
        """
        return known(name, self.setting(name, permitted[0]), permitted)

    def alarm_topic(self) -> sns.ITopic | None:
        """Find the topic that alarms tell, which exists in the account already: ``-c alarm_topic=ARN``."""
        arn = self.setting("alarm_topic", "")
        return sns.Topic.from_topic_arn(self, "AlarmTopic", arn) if arn else None

    def keep_settings(self) -> None:
        """Let ``lab`` deploy again with what context says now, until it says something else.

        For a section whose next deployment must not undo what somebody asked for before, as its data depend on it.
        """
        given = {name: value for name, value in self.settings.items() if self.node.try_get_context(name)}
        self.output("Settings", json.dumps(given, sort_keys=True))

    def output(self, name: str, value: str) -> None:
        """Give ``value`` to whoever uses the stack: the runbook, the ``lab`` command, a person."""
        CfnOutput(self, name, value=value)
