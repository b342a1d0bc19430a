"""What the emulator does not know is left out of a copy of the cloud assembly; the rest stays as it is."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from lab import preflight

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KNOWN = "AWS::SQS::Queue"
UNKNOWN = "AWS::EC2::Instance"
PRIVATE_IP = {"Fn::GetAtt": ["Host", "PrivateIp"]}
NO_SSM: Any = None  # a template without public parameters asks for none
NO_ROUTE53: Any = None  # nor one without records for a hosted zone
TEMPLATE = {
    "Resources": {
        "Queue": {
            "Type": KNOWN,
            "Properties": {"Tags": [{"Key": "of", "Value": {"Fn::GetAtt": ["Host", "PrivateIp"]}}]},
        },
        "Host": {"Type": UNKNOWN, "DependsOn": ["Queue"], "Properties": {"ImageId": "ami"}},
    },
    "Outputs": {
        "Id": {"Value": {"Ref": "Host"}},
        "Text": {"Value": {"Fn::Sub": "${Host.PrivateIp} and ${Queue.Arn} and ${AWS::Region}"}},
        "Sub": {"Value": {"Fn::Sub": ["${Host.PrivateIp} ${x}", {"x": {"Fn::GetAtt": ["Host", "Az"]}}]}},
        "Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}},
    },
}


def test_an_unknown_resource_becomes_one_that_does_nothing() -> None:
    fitted = preflight.without(TEMPLATE, {UNKNOWN})

    assert fitted["Resources"]["Host"] == {
        "Type": "AWS::CloudFormation::WaitConditionHandle",
        "Metadata": {"stands-in-for": UNKNOWN},
        "DependsOn": ["Queue"],
    }
    assert fitted["Outputs"]["Id"] == {"Value": {"Ref": "Host"}}


def test_what_asked_for_its_attributes_gets_a_text_that_says_whose() -> None:
    fitted = preflight.without(TEMPLATE, {UNKNOWN})

    outputs = fitted["Outputs"]
    assert fitted["Resources"]["Queue"]["Properties"]["Tags"][0]["Value"] == "not-emulated-Host-PrivateIp"
    assert outputs["Text"]["Value"] == {"Fn::Sub": "not-emulated-Host-PrivateIp and ${Queue.Arn} and ${AWS::Region}"}
    assert outputs["Sub"]["Value"] == {"Fn::Sub": ["not-emulated-Host-PrivateIp ${x}", {"x": "not-emulated-Host-Az"}]}
    assert outputs["Arn"]["Value"] == {"Fn::GetAtt": ["Queue", "Arn"]}


values = st.recursive(
    st.text() | st.integers() | st.booleans() | st.just({"Ref": "Queue"}),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_a_template_of_known_types_stays_as_it_is(value: Any) -> None:
    template = {"Resources": {"Queue": {"Type": KNOWN, "Properties": {"Anything": value}}}}
    assert preflight.without(template, set()) == template


def cloudformation_that_says(message: str | None) -> Any:
    client = boto3.client("cloudformation", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(client)
    if message is None:
        stubber.add_response("validate_template", {})
    else:
        stubber.add_client_error("validate_template", "ValidationError", message)
    stubber.activate()
    return client


def ssm_that_lacks(*missing: str) -> Any:
    client = boto3.client("ssm", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(client)
    stubber.add_response("get_parameters", {"InvalidParameters": list(missing)}, {"Names": list(missing)})
    stubber.activate()
    return client


def assembly(folder: Path) -> str:
    """Write a cloud assembly with one template, and return the template's name in it: the hash of its content."""
    folder.mkdir()
    text = json.dumps(TEMPLATE)
    (folder / "S.template.json").write_text(text)
    name = hashlib.sha256(text.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps({"template": f"s3://assets/{name}.json"}))
    (folder / "S.assets.json").write_text(json.dumps({"files": {name: {"source": {"path": "S.template.json"}}}}))
    return name


def clients(cloudformation: Any, ssm: Any, route53: Any) -> Callable[[str], Any]:
    return {"cloudformation": cloudformation, "ssm": ssm, "route53": route53}.__getitem__


def test_the_files_of_assets_are_not_copied_and_what_is_changed_is(tmp_path: Path) -> None:
    synthesized, copy = tmp_path / "asset.by-chance", tmp_path / "copy"
    assembly(synthesized)
    (synthesized / "asset.1").mkdir()
    (synthesized / "asset.1" / "handler.py").write_text("handler = print")
    said = f"Template error: Unrecognized resource types: [{UNKNOWN}]"
    preflight.fit(synthesized, copy, clients(cloudformation_that_says(said), NO_SSM, NO_ROUTE53))

    assert (copy / "asset.1" / "handler.py").samefile(synthesized / "asset.1" / "handler.py")
    assert json.loads((synthesized / "S.template.json").read_text()) == TEMPLATE


def test_a_changed_template_is_named_by_its_new_content(tmp_path: Path) -> None:
    old = assembly(tmp_path / "synthesized")
    said = f"Template error: Unrecognized resource types: [{UNKNOWN}]"
    left_out = preflight.fit(
        tmp_path / "synthesized", tmp_path / "copy", clients(cloudformation_that_says(said), NO_SSM, NO_ROUTE53)
    )

    assert left_out == {UNKNOWN: 1}
    new = hashlib.sha256((tmp_path / "copy" / "S.template.json").read_bytes()).hexdigest()
    assert new != old
    for file in ("manifest.json", "S.assets.json"):
        assert new in (tmp_path / "copy" / file).read_text()
        assert old not in (tmp_path / "copy" / file).read_text()
    assert json.loads((tmp_path / "synthesized" / "S.template.json").read_text()) == TEMPLATE


def test_an_assembly_that_the_emulator_knows_is_copied_as_it_is(tmp_path: Path) -> None:
    assembly(tmp_path / "synthesized")
    assert not preflight.fit(
        tmp_path / "synthesized", tmp_path / "copy", clients(cloudformation_that_says(None), NO_SSM, NO_ROUTE53)
    )
    for file in (tmp_path / "synthesized").iterdir():
        assert (tmp_path / "copy" / file.name).read_bytes() == file.read_bytes()


def test_any_other_objection_of_the_emulator_is_not_swallowed(tmp_path: Path) -> None:
    assembly(tmp_path / "synthesized")
    with pytest.raises(Exception, match="Template format error"):
        preflight.fit(
            tmp_path / "synthesized",
            tmp_path / "copy",
            clients(cloudformation_that_says("Template format error"), NO_SSM, NO_ROUTE53),
        )


IMAGE = "/aws/service/ami-amazon-linux-latest/al2023"
PARAMETERS = {
    "Image": {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", "Default": IMAGE},
    "Bootstrap": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/hnb659fds/version"},
    "Plain": {"Type": "String", "Default": "text"},
}


def test_a_public_parameter_that_the_emulator_lacks_becomes_a_text_that_says_so() -> None:
    template = {"Parameters": PARAMETERS, "Resources": {}}
    fitted = preflight.without_parameters(template, {IMAGE})
    stand_in = {"Type": "String", "Default": f"not-emulated-{IMAGE}"}
    assert fitted == {"Parameters": {**PARAMETERS, "Image": stand_in}, "Resources": {}}
    assert preflight.without_parameters(template, set()) is template


def test_only_public_parameters_are_asked_for_and_those_left_out_are_named(tmp_path: Path) -> None:
    (tmp_path / "synthesized").mkdir()
    template = {"Parameters": PARAMETERS, "Resources": {"Queue": {"Type": KNOWN}}}
    (tmp_path / "synthesized" / "S.template.json").write_text(json.dumps(template))
    left_out = preflight.fit(
        tmp_path / "synthesized",
        tmp_path / "copy",
        clients(cloudformation_that_says(None), ssm_that_lacks(IMAGE), NO_ROUTE53),
    )
    assert left_out == {IMAGE: 1}


def test_a_record_in_a_zone_of_somebody_elses_is_left_out_and_counted(tmp_path: Path) -> None:
    alias = {"DNSName": "x.example.com", "HostedZoneId": "Z35SXDOTRQ7X7K"}
    theirs = {"Type": "AWS::Route53::RecordSet", "Properties": {"HostedZoneId": "ZTHEIRS", "AliasTarget": alias}}
    ours = {"Type": "AWS::Route53::RecordSet", "Properties": {"HostedZoneId": "ZOURS"}}
    made = {"Type": "AWS::Route53::RecordSet", "Properties": {"HostedZoneId": {"Ref": "Zone"}}}
    (tmp_path / "synthesized").mkdir()
    template = {"Resources": {"Theirs": theirs, "Ours": ours, "Made": made}}
    (tmp_path / "synthesized" / "S.template.json").write_text(json.dumps(template))

    copy = tmp_path / "copy"
    left_out = preflight.fit(
        tmp_path / "synthesized", copy, clients(cloudformation_that_says(None), NO_SSM, route53_that_has("ZOURS"))
    )

    assert left_out == {"AWS::Route53::RecordSet": 1}
    resources = json.loads((copy / "S.template.json").read_text())["Resources"]
    assert resources["Theirs"]["Type"] == "AWS::CloudFormation::WaitConditionHandle"
    assert (resources["Ours"], resources["Made"]) == (ours, made)


def route53_that_has(zone: str) -> Any:
    client = boto3.client("route53", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(client)
    zones = [{"Id": f"/hostedzone/{zone}", "Name": "example.com.", "CallerReference": "x"}]
    answer = {"HostedZones": zones, "Marker": "", "IsTruncated": False, "MaxItems": "100"}
    stubber.add_response("list_hosted_zones", answer)
    stubber.activate()
    return client
