"""The picture of a stack: right for what sections are made of, and never wrong for any other template."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from hypothesis import example, given
from hypothesis import strategies as st

from lab.commands import sections
from lab.project import ROOT
from lab.template_graph import read
from lab.views.picture import picture

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

LABEL = r"(?:[^\W_]|[ ,.:/-]|#\d+;|</?[bi]>|<br/>)*"
LINES = [
    r"flowchart LR",
    rf'    subgraph inside_n\d+\["{LABEL}"\]',
    r"    end",
    r"    style inside_n\d+ fill:none,stroke:#7d8590,stroke-dasharray:5 5",
    rf'(?:    ){{1,2}}n\d+(?:\["{LABEL}"\]|\[\("{LABEL}"\)\]):::[a-z]+',
    rf'    n\d+ (?:==>|-\.->|-->)(?:\|"(?!"){LABEL}"\|)? n\d+',
    r"    classDef [a-z]+ fill:#\w{6},stroke:#\w{6},color:#\w{6}",
]


def resource(kind: str, path: str | None = None, **properties: Any) -> dict[str, Any]:
    metadata = {"aws:cdk:path": f"Stack/{path}"} if path else {}
    return {"Type": kind, "Properties": properties, "Metadata": metadata}


def template(**resources: Any) -> dict[str, Any]:
    return {"Resources": resources}


def arn(logical_id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def allow(action: Any, **statement: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Action": action, **statement}]}


def seen(drawn: str) -> dict[str, str]:
    """Names of the resources in a picture, by their identifiers there."""
    found = re.findall(r'^ +(n\d+)\[\(?"<b>(.*?)</b>', drawn, flags=re.MULTILINE)
    assert len(dict(found)) == len(found)
    return dict(found)


def arrows(drawn: str) -> list[str]:
    """Arrows of a picture, with names where the identifiers are."""
    names = seen(drawn)
    found = re.findall(r"^ +(n\d+) ((?:==>|-\.->|-->).*) (n\d+)$", drawn, flags=re.MULTILINE)
    return [f"{names[source]} {arrow} {names[target]}" for source, arrow, target in found]


QUEUE_TO_TABLE = template(
    Table=resource("AWS::DynamoDB::GlobalTable", "Message/Resource"),
    Dead=resource("AWS::SQS::Queue", "Messages/DeadLetterQueue/Resource"),
    Queue=resource(
        "AWS::SQS::Queue",
        "Messages/Queue/Resource",
        RedrivePolicy={"deadLetterTargetArn": arn("Dead"), "maxReceiveCount": 3},
    ),
    Role=resource("AWS::IAM::Role", "WorkerRole/Resource"),
    Policy=resource(
        "AWS::IAM::Policy",
        "WorkerRole/DefaultPolicy/Resource",
        PolicyDocument={
            "Statement": [
                {"Effect": "Allow", "Action": "dynamodb:BatchWriteItem", "Resource": arn("Table")},
                {"Effect": "Allow", "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"], "Resource": arn("Queue")},
            ]
        },
        Roles=[{"Ref": "Role"}],
    ),
    Function=resource(
        "AWS::Lambda::Function",
        "Worker/Resource",
        Role=arn("Role"),
        Environment={"Variables": {"TABLE_NAME": {"Ref": "Table"}}},
    ),
    Mapping=resource(
        "AWS::Lambda::EventSourceMapping",
        "Messages/EventSourceMapping/Resource",
        BatchSize=10,
        EventSourceArn=arn("Queue"),
        FunctionName={"Ref": "Function"},
    ),
    Errors=resource(
        "AWS::CloudWatch::Alarm",
        "Worker/Errors/Resource",
        Dimensions=[{"Name": "FunctionName", "Value": {"Ref": "Function"}}],
    ),
    Age=resource(
        "AWS::CloudWatch::Alarm",
        "Messages/OldestMessage/Resource",
        Dimensions=[{"Name": "QueueName", "Value": {"Fn::GetAtt": ["Queue", "QueueName"]}}],
    ),
    Usage=resource("AWS::CDK::Metadata", "CDKMetadata/Default"),
)


def test_the_way_of_a_message_is_drawn_with_all_that_serves_it_folded_in() -> None:
    assert (
        picture(QUEUE_TO_TABLE)
        == """\
flowchart LR
    n1[("<b>Message</b><br/>DynamoDB table")]:::data
    n2["<b>Messages/DeadLetterQueue</b><br/>SQS queue"]:::messages
    n3["<b>Messages/Queue</b><br/>SQS queue<br/><i>with alarm</i>"]:::messages
    n4["<b>Worker</b><br/>Lambda function<br/><i>with role, policy, event#160;source#160;mapping, alarm</i>"]\
:::compute
    n3 ==>|"after 3 receives"| n2
    n4 -.->|"dynamodb:BatchWriteItem"| n1
    n3 ==>|"batches of 10<br/><i>sqs:DeleteMessage</i><br/><i>sqs:ReceiveMessage</i>"| n4
    classDef compute fill:#fdebdc,stroke:#c2570c,color:#40200a
    classDef data fill:#deeafc,stroke:#2459a8,color:#0c2246
    classDef messages fill:#fbe0ec,stroke:#b01863,color:#470a27
"""
    )


def test_a_template_that_the_cdk_did_not_make_is_drawn_by_its_logical_ids() -> None:
    drawn = picture(
        template(
            Queue=resource("AWS::SQS::Queue"),
            QueuePolicy=resource("AWS::SQS::QueuePolicy", Queues=[{"Ref": "Queue"}]),
        )
    )

    assert '["<b>Queue</b><br/>SQS queue<br/><i>with queue#160;policy</i>"]' in drawn


def test_a_role_that_two_functions_share_is_folded_into_neither() -> None:
    drawn = picture(
        template(
            Role=resource("AWS::IAM::Role", "Role/Resource"),
            One=resource("AWS::Lambda::Function", "One/Resource", Role=arn("Role")),
            Two=resource("AWS::Lambda::Function", "Two/Resource", Role=arn("Role")),
        )
    )

    assert arrows(drawn) == ['One -->|"Role"| Role', 'Two -->|"Role"| Role']


def test_whatever_a_construct_makes_around_its_main_resource_is_folded_into_that() -> None:
    service = template(
        Service=resource("AWS::ECS::Service", "Web/Service/Service"),
        Scaling=resource("AWS::ApplicationAutoScaling::ScalableTarget", "Web/Service/TaskCount/Target/Resource"),
        Policy=resource("AWS::ApplicationAutoScaling::ScalingPolicy", "Web/Service/TaskCount/Target/Cpu/Resource"),
        Balancer=resource("AWS::ElasticLoadBalancingV2::LoadBalancer", "Web/LB/Resource"),
    )

    assert list(read(service).nodes) == ["Service", "Balancer"]


def test_every_way_to_refer_to_a_resource_is_an_arrow_named_by_the_property() -> None:
    references = {
        "ByRef": {"Ref": "Key"},
        "ByAttribute": arn("Key"),
        "ByAttributeInYaml": {"Fn::GetAtt": "Key.Arn"},
        "ByText": {"Fn::Sub": "arn:${AWS::Partition}:${Key}"},
        "ByTextWithValues": {"Fn::Sub": ["${Key.Arn}/${name}", {"name": "x"}]},
        "Deep": [{"Fn::Join": ["", ["arn:", {"Ref": "Key"}]]}],
    }
    drawn = picture(template(Key=resource("AWS::KMS::Key"), Bucket=resource("AWS::S3::Bucket", **references)))

    assert arrows(drawn) == [f'Bucket -->|"{"<br/>".join(references)}"| Key']


def test_parameters_and_pseudo_parameters_are_nothing_to_draw() -> None:
    drawn = picture(
        template(Queue=resource("AWS::SQS::Queue", QueueName={"Ref": "Name"}, Region={"Ref": "AWS::Region"}))
    )

    assert arrows(drawn) == []


def test_the_policy_of_a_resource_is_a_permission_of_whom_it_names() -> None:
    queue_policy = allow(
        "sqs:SendMessage",
        Principal={"Service": "sns.amazonaws.com"},
        Resource=arn("Queue"),
        Condition={"ArnEquals": {"aws:SourceArn": {"Ref": "Topic"}}},
    )
    drawn = picture(
        template(
            Topic=resource("AWS::SNS::Topic"),
            Queue=resource("AWS::SQS::Queue"),
            Policy=resource("AWS::SQS::QueuePolicy", PolicyDocument=queue_policy, Queues=[{"Ref": "Queue"}]),
        )
    )

    assert arrows(drawn) == ['Topic -.->|"sqs:SendMessage"| Queue']


def test_what_is_denied_is_no_permission() -> None:
    denied = {"Statement": {"Effect": "Deny", "Action": "sqs:*", "Resource": arn("Queue")}}
    drawn = picture(
        template(
            Queue=resource("AWS::SQS::Queue"),
            Role=resource("AWS::IAM::Role", Policies=[{"PolicyDocument": denied}]),
        )
    )

    assert arrows(drawn) == []


def test_of_many_actions_a_few_are_named_and_the_others_counted() -> None:
    actions = [f"dynamodb:Action{number}" for number in range(9)]
    drawn = picture(
        template(
            Table=resource("AWS::DynamoDB::Table"),
            Role=resource("AWS::IAM::Role", Policies=[{"PolicyDocument": allow(actions, Resource=arn("Table"))}]),
        )
    )

    assert arrows(drawn) == [f'Role -.->|"{"<br/>".join(actions[:5])}<br/>and 4 more"| Table']


def test_events_go_from_the_bus_by_the_rule_to_its_targets() -> None:
    drawn = picture(
        template(
            Bus=resource("AWS::Events::EventBus"),
            Rule=resource("AWS::Events::Rule", EventBusName={"Ref": "Bus"}, Targets=[{"Arn": arn("Function")}]),
            Function=resource("AWS::Lambda::Function"),
            Permission=resource("AWS::Lambda::Permission", FunctionName=arn("Function"), SourceArn=arn("Rule")),
        )
    )

    assert arrows(drawn) == ["Bus ==> Rule", "Rule ==> Function"]


def test_a_vpc_is_drawn_around_what_is_inside_it() -> None:
    drawn = picture(
        template(
            Vpc=resource("AWS::EC2::VPC", "Vpc/Resource"),
            Subnet=resource("AWS::EC2::Subnet", "Vpc/PrivateSubnet1/Subnet", VpcId={"Ref": "Vpc"}),
            Instance=resource("AWS::EC2::Instance", "Client/Resource", SubnetId={"Ref": "Subnet"}),
            Queue=resource("AWS::SQS::Queue", "Queue/Resource"),
        )
    )

    assert (
        """
    subgraph inside_n1["Vpc"]
        n1["<b>Vpc</b><br/>EC2 VPC<br/><i>with subnet</i>"]:::compute
        n2["<b>Client</b><br/>EC2 instance"]:::compute
    end
"""
        in drawn
    )
    assert arrows(drawn) == []


def test_many_of_a_kind_are_counted_in_the_plural() -> None:
    parts = {
        f"{kind}{number}": resource(f"AWS::EC2::{kind}", f"Vpc/{kind}{number}/Resource")
        for kind in ("NatGateway", "VPCEndpoint", "SecurityGroupPolicy")
        for number in range(2)
    }
    drawn = picture(template(Vpc=resource("AWS::EC2::VPC", "Vpc/Resource"), **parts))

    assert "with 2#160;nat#160;gateways, 2#160;VPC#160;endpoints, 2#160;security#160;group#160;policies" in drawn


def test_the_same_template_gives_the_same_picture_in_every_process() -> None:
    program = "import json, sys; from lab.views.picture import picture; print(picture(json.load(sys.stdin)), end='')"
    drawn = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            input=json.dumps(QUEUE_TO_TABLE),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }

    assert drawn == {picture(QUEUE_TO_TABLE)}


def test_the_command_draws_the_template_of_the_form_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: dict[str, str] = {}

    def synth(_: Path, *, context: dict[str, str], **__: Any) -> Path:
        asked.update(context)
        (tmp_path / "SqsLambda.template.json").write_text(json.dumps(QUEUE_TO_TABLE))
        return tmp_path

    monkeypatch.setattr("lab.cdk.synth", synth)
    sections.picture("sqs-lambda", posture="production", context=["client=ec2"])

    assert asked == {"posture": "production", "client": "ec2", "section": "sqs-lambda"}
    assert capsys.readouterr().out == picture(QUEUE_TO_TABLE)


# Any template at all

LOGICAL_IDS = ["A", "Queue", "end", "x", "o"]
logical_ids = st.sampled_from(LOGICAL_IDS)
TYPES = ["AWS::EC2::VPC", "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::SQS::Queue", "AWS::Lambda::EventSourceMapping"]
NAMES = ["Roles", "FunctionName", "EventSourceArn", "RedrivePolicy", "Targets", "PolicyDocument", "BatchSize"]
PARTS = ["Vpc", "Resource", "Default", "Service", ""]
references = st.one_of(
    st.builds(lambda name: {"Ref": name}, logical_ids),
    st.builds(lambda name: {"Fn::GetAtt": [name, "Arn"]}, logical_ids),
    st.builds(lambda name: {"Fn::Sub": f"${{{name}}}"}, logical_ids),
    st.sampled_from([{"Ref": None}, {"Fn::GetAtt": []}, {"Fn::Sub": [1]}, {"Statement": 3}, {"Statement": [None]}]),
)
keys = st.one_of(
    st.sampled_from([*NAMES, "Statement", "Effect", "Action", "Principal", "Resource", "maxReceiveCount"]),
    st.text(max_size=3),
)
values = st.recursive(
    st.one_of(references, st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just("Allow")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)
resources = st.builds(
    lambda kind, path, properties: {"Type": kind, "Metadata": {"aws:cdk:path": path}, "Properties": properties},
    st.one_of(st.sampled_from(TYPES), st.text(max_size=12)),
    st.lists(st.sampled_from(PARTS), max_size=4).map("/".join),
    st.one_of(st.dictionaries(keys, values, max_size=4), values),
)
templates = st.builds(
    lambda declared: {"Resources": declared},
    st.dictionaries(st.one_of(logical_ids, st.text(min_size=1, max_size=4)), st.one_of(resources, values), max_size=6),
)


@given(templates)
@example({})
@example({"Resources": None})
@example(template(Role=resource("AWS::IAM::Policy", Roles=[{"Ref": "Role"}])))
def test_any_template_becomes_lines_that_mermaid_reads(made: dict[str, Any]) -> None:
    for line in picture(made).removesuffix("\n").split("\n"):
        assert any(re.fullmatch(form, line) for form in LINES), line


@given(templates)
def test_in_any_picture_each_resource_is_seen_once_or_folded_into_one_that_is(made: dict[str, Any]) -> None:
    nodes = read(made).nodes
    declared = [resource for resource in made["Resources"].values() if isinstance(resource, dict)]

    assert len(seen(picture(made))) == len(nodes)
    assert len(nodes) + sum(node.folded.total() for node in nodes.values()) == len(declared)


@given(templates)
def test_in_any_picture_every_arrow_joins_two_resources_that_are_seen(made: dict[str, Any]) -> None:
    drawn = picture(made)
    ends = re.findall(r"^ +(n\d+) (?:==>|-\.->|-->).* (n\d+)$", drawn, flags=re.MULTILINE)

    for source, target in ends:
        assert {source, target} <= seen(drawn).keys()
        assert source != target
