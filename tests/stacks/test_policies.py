"""No policy tool finds anything that is not acknowledged, and what is acknowledged is what they would find."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from lambda_src.api_log_role.construct import ApiLogRole
from lambda_src.email_topic import EmailTopic
from lambda_src.event_bus.construct import ArchivedEventBus
from lambda_src.event_recorder.construct import EventRecorder
from lambda_src.event_rule.aws_events import api_call
from lambda_src.event_rule.construct import EventRule
from lambda_src.event_rule.schedule import FunctionSchedule
from lambda_src.function.construct import PythonFunction
from lambda_src.message_sender.construct import SenderInstance
from lambda_src.posture import Posture
from lambda_src.queue import InspectedQueue, event_dead_letter_queue
from lambda_src.queue_worker.construct import QueueWorker
from lambda_src.table.construct import OnDemandTable
from lambda_src.traced_rest_api.construct import TracedRestApi
from lambda_src.traced_topic.construct import TracedTopic
from lambda_src.xray_account.construct import XrayAccount
from tests.stacks import (
    options_appsync,
    options_aurora,
    options_ecs_anywhere,
    options_eks,
    options_eks_anywhere,
    options_fargate,
    options_sar,
)
from tests.stacks.policies import PACKS, cdk_nag_findings, cfn_lint_findings, checkov_findings
from tests.stacks.synthesis import CONTEXT, FORMS, Form, OnDemand, Synthesized, synthesize_form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stacks.policies import CheckovFindings


@pytest.mark.parametrize("pack", PACKS)
def test_cdk_nag_finds_nothing(pack: str, synthesized: Synthesized) -> None:
    assert cdk_nag_findings(pack, synthesized.stack) == []


def test_cfn_lint_finds_nothing(synthesized: Synthesized) -> None:
    assert cfn_lint_findings(synthesized.template_file) == []


def test_checkov_finds_nothing(form: Form, synthesized: Synthesized, checkov: dict[str, CheckovFindings]) -> None:
    assert checkov[form.entry.id][synthesized.template_file] == []


def test_every_acknowledgement_is_still_needed(
    form: Form, bare: dict[Form, Bare], checkov: dict[str, CheckovFindings]
) -> None:
    stripped = bare[form].template_file
    findings = [*bare[form].cdk_nag_findings, *checkov[form.entry.id][stripped]]

    left = [made for made in bare[form].acknowledgements if not any(map(made.covers, findings))]
    found = cfn_lint_findings(stripped) if left else []
    assert [made for made in left if not any(map(made.covers, found))] == []


def test_every_acknowledgement_gives_a_reason(form: Form, bare: dict[Form, Bare]) -> None:
    assert bare[form].acknowledgements
    for made in bare[form].acknowledgements:
        assert len(made.reason.split()) >= 10, made
        assert made.reason.endswith("."), made


def test_blocks_with_every_option_given_have_no_findings(blocks: Synthesized) -> None:
    assert [finding for pack in PACKS for finding in cdk_nag_findings(pack, blocks.stack)] == []
    assert cfn_lint_findings(blocks.template_file) == []
    assert checkov_findings([blocks.template_file]) == {blocks.template_file: []}


@pytest.mark.parametrize("pack", PACKS)
def test_cdk_nag_finds_what_is_bad(pack: str, bad: Synthesized) -> None:
    assert cdk_nag_findings(pack, bad.stack)


def test_cfn_lint_finds_what_is_bad(bad: Synthesized) -> None:
    assert cfn_lint_findings(bad.template_file)


def test_checkov_finds_what_is_bad(bad: Synthesized) -> None:
    assert checkov_findings([bad.template_file])[bad.template_file]


@dataclass(frozen=True)
class Acknowledgement:
    """A finding, where it was acknowledged (a construct's path, or a logical id), and why."""

    finding: str
    where: str
    reason: str

    def covers(self, finding: str) -> bool:
        rule, where = finding.split(" ", maxsplit=1)
        return rule == self.finding and f"{where}/".startswith(f"{self.where}/")


@dataclass(frozen=True)
class Bare:
    """A form of a section without its acknowledgements, and the acknowledgements."""

    cdk_nag_findings: list[str]
    template_file: Path
    acknowledgements: list[Acknowledgement]


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[Form, Bare]:
    folder = tmp_path_factory.mktemp("bare")
    return OnDemand(lambda form: _without_acknowledgements(form, folder / f"{form}.json"))


def _without_acknowledgements(form: Form, template_file: Path) -> Bare:
    made: list[Acknowledgement] = []

    class Validations:
        """Notes what would have been acknowledged."""

        def __init__(self, scope: cdk.CfnResource) -> None:
            self.path = scope.node.path

        def acknowledge(self, *rules: cdk.Acknowledgment) -> None:
            # A stack that another one packages is looked at in its own section.
            if self.path.split("/")[0] == form.entry.stack_id:
                made.extend(Acknowledgement(rule.id, self.path, rule.reason) for rule in rules)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lambda_src.acknowledged.cdk.Validations.of", Validations)
        synthesized = synthesize_form(form)
    template = synthesized.template
    for logical_id, resource in template["Resources"].items():
        made.extend(_in_metadata(logical_id, resource.pop("Metadata", {})))
    template_file.write_text(json.dumps(template, indent=1))
    findings = [finding for pack in PACKS for finding in cdk_nag_findings(pack, synthesized.stack)]
    return Bare(findings, template_file, made)


def _in_metadata(logical_id: str, metadata: dict[str, Any]) -> Iterator[Acknowledgement]:
    for skipped in metadata.get("checkov", {}).get("skip", []):
        yield Acknowledgement(skipped["id"], logical_id, skipped["comment"])
    cfn_lint = metadata.get("cfn-lint", {"config": {"ignore_checks": []}, "reasons": {}})
    for rule in cfn_lint["config"]["ignore_checks"]:
        yield Acknowledgement(rule, logical_id, cfn_lint["reasons"][rule])


@pytest.fixture(scope="session")
def blocks(runtime_code: Path) -> Synthesized:
    """Every block with the options that a policy might ask for, in a stack of somebody who imports us."""
    app = cdk.App(context=CONTEXT, analytics_reporting=False)
    stack = cdk.Stack(app, "Blocks", env=cdk.Environment(region="us-east-1"))
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:us-east-1:111122223333:alarms")
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=[cdk.Fn.select(0, cdk.Fn.get_azs())],
        private_subnet_ids=["subnet-0123456789abcdef0"],
    )
    function = PythonFunction(
        stack,
        "Function",
        runtime_code=runtime_code,
        environment={"TABLE_NAME": "Message"},
        snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS,
        encryption_key=key,
        vpc=vpc,
        reserved_concurrency=20,
        dead_letter_queue=sqs.Queue.from_queue_arn(stack, "Failed", "arn:aws:sqs:us-east-1:111122223333:failed"),
        posture=Posture.PRODUCTION,
        alarm_topic=topic,
    )
    worker = QueueWorker(
        stack, "Worker", function=function, encryption_key=key, posture=Posture.PRODUCTION, alarm_topic=topic
    )
    partition_key = dynamodb.Attribute(name="MessageId", type=dynamodb.AttributeType.STRING)
    OnDemandTable(stack, "Table", partition_key=partition_key, encryption_key=key, posture=Posture.PRODUCTION)
    SenderInstance(stack, "Sender", queue=worker.queue, vpc=vpc, instance_type=ec2.InstanceType("t3.nano"))
    operation: dict[str, Any] = {"encryption_key": key, "posture": Posture.PRODUCTION, "alarm_topic": topic}
    _event_blocks(stack, operation)
    _traced_blocks(stack, operation, function)
    options_fargate.add(stack, operation)
    options_ecs_anywhere.add(stack, operation)
    options_eks.add(stack, operation)
    options_aurora.add(stack, operation)
    options_appsync.add(stack, operation)
    options_eks_anywhere.add(stack, operation)
    options_sar.add(stack, operation)
    return Synthesized(stack, Path(app.synth().directory))


def _event_blocks(stack: cdk.Stack, operation: dict[str, Any]) -> None:
    recorder = EventRecorder(stack, "Recorder", **operation)
    bus = ArchivedEventBus(
        stack,
        "Bus",
        description="Of everybody.",
        organization_id="o-a1b2c3d4e5",
        log_level=events.Level.TRACE,
        log_detail=events.IncludeDetail.FULL,
        **operation,
    )
    destination = events.ApiDestination(
        stack, "Destination", connection=recorder.endpoint.connection, endpoint=recorder.endpoint.url
    )
    inspected = InspectedQueue(
        stack, "Inspected", encryption_key=operation["encryption_key"], posture=Posture.PRODUCTION
    )
    dead_letters = event_dead_letter_queue(stack, "DeadLetters", **operation)
    email_topic = EmailTopic(stack, "Email", email="name@example.com", dead_letter_queue=dead_letters)
    EventRule(
        stack,
        "Rule",
        event_bus=bus,
        event_pattern=api_call("ec2", "RunInstances"),
        read_only_calls=True,
        targets=[
            recorder.target("Rule"),
            targets.SqsQueue(inspected),
            targets.SnsTopic(email_topic, authorize_using_role=True),
            targets.ApiDestination(destination),
            targets.EventBus(ArchivedEventBus(stack, "Other", log_level=events.Level.OFF, **operation)),
        ],
        **operation,
    )
    FunctionSchedule(
        stack,
        "Scheduled",
        function=recorder.function,
        schedule=scheduler.ScheduleExpression.rate(cdk.Duration.hours(1)),
        payload=recorder.payload("Scheduled"),
        dead_letter_queue=dead_letters,
    )


def _traced_blocks(stack: cdk.Stack, operation: dict[str, Any], function: PythonFunction) -> None:
    traced = TracedTopic(stack, "Traced", topic_name="Traced", **operation)
    key = operation["encryption_key"]
    traced.deliver_to(InspectedQueue(stack, "Delivered", encryption_key=key, posture=Posture.PRODUCTION))
    api = TracedRestApi(
        stack,
        "Api",
        api_name="Api",
        log_role=ApiLogRole(stack, "ApiLogRole"),
        web_acl_arn="arn:aws:wafv2:us-east-1:111122223333:regional/webacl/acl/1",
        **operation,
    )
    body = apigateway.JsonSchema(type=apigateway.JsonSchemaType.OBJECT, required=["name"])
    api.add_route("POST", "/orders", function, body=body)
    XrayAccount(stack, "Account", indexing_percentage=5, **operation)


@pytest.fixture(scope="session")
def bad() -> Synthesized:
    """A stack that nobody should deploy, and that the CDK makes without a word."""
    app = cdk.App(analytics_reporting=False)
    stack = cdk.Stack(app, "Bad")
    sqs.Queue(stack, "Queue")
    function = lambda_.Function(
        stack,
        "Function",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_8,
    )
    function.add_to_role_policy(iam.PolicyStatement(actions=["*"], resources=["*"]))
    ec2.Vpc(stack, "Vpc")
    return Synthesized(stack, Path(app.synth().directory))


@pytest.fixture(scope="session")
def checkov(synthesized_forms: dict[Form, Synthesized], bare: dict[Form, Bare]) -> dict[str, CheckovFindings]:
    """What checkov finds in each form of a section, as it is and without acknowledgements: asked once a section."""

    def of(section: str) -> CheckovFindings:
        forms = [form for form in FORMS if form.entry.id == section]
        made = [synthesized_forms[form].template_file for form in forms]
        return checkov_findings([*made, *(bare[form].template_file for form in forms)])

    return OnDemand(of)
