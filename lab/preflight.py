"""Finds what the emulator does not know in a cloud assembly, and leaves it out of a copy.

The app is never asked where it runs: a copy of what it synthesized is changed instead. A resource of an unknown type
becomes a WaitConditionHandle, which does nothing and which ``Ref`` still works on; an attribute of it becomes a text
that says where it came from. So does a public parameter of AWS's, such as the newest machine image. A record in a
hosted zone that the emulator does not have is left out likewise: the zone is somebody's on AWS.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from mypy_boto3_cloudformation import CloudFormationClient

_STAND_IN = "AWS::CloudFormation::WaitConditionHandle"
_RECORD = "AWS::Route53::RecordSet"
_ATTRIBUTE_IN_TEXT = re.compile(r"\$\{(\w+)\.([\w.]+)\}")


def fit(assembly: Path, copy: Path, client: Callable[[str], Any]) -> Counter[str]:
    """Copy ``assembly`` without what the emulator does not know; return what that was, and how many of each.

    :param client: makes a client of the emulator's for a service, which takes a moment: for those alone that are asked.
    """
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(assembly, copy, copy_function=partial(_shared_or_copied, assembly))
    templates = {path: json.loads(path.read_text()) for path in sorted(copy.rglob("*.template.json"))}
    types = unknown_types(
        {kind for template in templates.values() for kind in _types(template)}, client("cloudformation")
    )
    parameters = unknown_parameters(
        {name for template in templates.values() for name in _public_parameters(template).values()}, client
    )
    zones = unknown_zones({zone for template in templates.values() for zone in _zones(template).values()}, client)
    new_names: dict[str, str] = {}
    left_out: Counter[str] = Counter()
    for path, template in templates.items():
        fitted = without_parameters(without(template, types, zones), parameters)
        if fitted == template:
            continue
        left_out.update(template["Resources"][name]["Type"] for name in _gone(template, types, zones))
        left_out.update(name for name in _public_parameters(template).values() if name in parameters)
        old, new = path.read_bytes(), json.dumps(fitted, indent=1).encode()
        path.write_bytes(new)
        new_names[hashlib.sha256(old).hexdigest()] = hashlib.sha256(new).hexdigest()
    _rename(copy, new_names)
    return left_out


def _shared_or_copied(assembly: Path, source: str, target: str) -> None:
    """Give an asset's file a second name: nobody writes to it. Templates and manifests are changed in the copy."""
    folders = Path(source).relative_to(assembly).parent.parts
    if any(folder.startswith("asset.") for folder in folders):
        with suppress(OSError):  # a file system without links
            os.link(source, target)
            return
    shutil.copy2(source, target)


def image_platforms(assembly: Path) -> set[str]:
    """Name the platforms that the assembly's images are for; an image may leave it to the engine (an empty text)."""
    return {
        image["source"].get("platform") or ""
        for path in _asset_files(assembly)
        for image in json.loads(path.read_text()).get("dockerImages", {}).values()
    }


def runs_containers(assembly: Path) -> bool:
    """Say whether a container engine would be of use: there are images to build, or tasks to run."""
    templates = [json.loads(path.read_text()) for path in assembly.rglob("*.template.json")]
    return bool(image_platforms(assembly)) or any(
        kind.startswith("AWS::ECS::") for template in templates for kind in _types(template)
    )


def leave_images_out(copy: Path) -> int:
    """Have the CDK CLI build and push no image of a copied assembly; return how many there were."""
    images = 0
    for path in _asset_files(copy):
        assets = json.loads(path.read_text())
        images += len(assets.get("dockerImages", {}))
        path.write_text(json.dumps({**assets, "dockerImages": {}}))
    return images


def build_on(copy: Path, arguments: Mapping[str, str]) -> None:
    """Give the builds of a copied assembly arguments beside their own."""
    for path in _asset_files(copy):
        assets = json.loads(path.read_text())
        for image in assets.get("dockerImages", {}).values():
            own = image["source"].get("dockerBuildArgs", {})
            image["source"]["dockerBuildArgs"] = {**arguments, **own}
        path.write_text(json.dumps(assets))


def unknown_types(types: set[str], cloudformation: CloudFormationClient) -> set[str]:
    """Ask the emulator which of these resource types it does not know."""
    template = {"Resources": {f"R{number}": {"Type": kind} for number, kind in enumerate(sorted(types))}}
    try:
        cloudformation.validate_template(TemplateBody=json.dumps(template))
    except ClientError as error:
        named = re.search(r"Unrecognized resource types: \[(.*?)\]", str(error))
        if named is None:
            raise
        return set(named[1].split(", "))
    return set()


def unknown_parameters(names: set[str], client: Callable[[str], Any]) -> set[str]:
    """Ask the emulator which of the parameters that AWS publishes for everybody it does not have."""
    return set(client("ssm").get_parameters(Names=sorted(names))["InvalidParameters"]) if names else set()


def unknown_zones(zones: set[str], client: Callable[[str], Any]) -> set[str]:
    """Ask the emulator which of these hosted zones, by their ids, it does not have."""
    if not zones:
        return set()
    pages = client("route53").get_paginator("list_hosted_zones").paginate()
    return zones - {zone["Id"].rpartition("/")[2] for page in pages for zone in page["HostedZones"]}


def without(template: dict[str, Any], unknown: set[str], zones: Collection[str] = ()) -> dict[str, Any]:
    """Return the template with a stand-in for every resource of an unknown type, or that is a record in such a zone."""
    resources = template["Resources"]
    gone = _gone(template, unknown, zones)
    stand_ins = {
        name: {
            "Type": _STAND_IN,
            "Metadata": {"stands-in-for": resources[name]["Type"]},
            **{key: resources[name][key] for key in ("DependsOn", "Condition") if key in resources[name]},
        }
        for name in gone
    }
    replaced: dict[str, Any] = _without_attributes({**template, "Resources": {**resources, **stand_ins}}, gone)
    return replaced


def without_parameters(template: dict[str, Any], unknown: set[str]) -> dict[str, Any]:
    """Return the template with a text for every unknown public parameter; what would use it is not emulated either."""
    texts = {
        name: {"Type": "String", "Default": f"not-emulated-{public}"}
        for name, public in _public_parameters(template).items()
        if public in unknown
    }
    return {**template, "Parameters": {**template["Parameters"], **texts}} if texts else template


def _without_attributes(node: Any, gone: set[str]) -> Any:
    if isinstance(node, list):
        return [_without_attributes(item, gone) for item in node]
    if not isinstance(node, dict):
        return node
    match node:
        case {"Fn::GetAtt": [str(name), str(attribute)], **rest} if not rest and name in gone:
            return f"not-emulated-{name}-{attribute}"
        case {"Fn::Sub": str(text), **rest} if not rest:
            return {"Fn::Sub": _without_in_text(text, gone)}
        case {"Fn::Sub": [str(text), values], **rest} if not rest:
            return {"Fn::Sub": [_without_in_text(text, gone), _without_attributes(values, gone)]}
    return {key: _without_attributes(value, gone) for key, value in node.items()}


def _without_in_text(text: str, gone: set[str]) -> str:
    return _ATTRIBUTE_IN_TEXT.sub(
        lambda found: f"not-emulated-{found[1]}-{found[2]}" if found[1] in gone else found[0], text
    )


def _gone(template: dict[str, Any], unknown: set[str], zones: Collection[str]) -> set[str]:
    of_types = {name for name, resource in template.get("Resources", {}).items() if resource["Type"] in unknown}
    return of_types | {name for name, zone in _zones(template).items() if zone in zones}


def _zones(template: dict[str, Any]) -> dict[str, str]:
    """Find the records of a template whose hosted zone is given by its id, and not made by the template."""
    named = {
        name: resource["Properties"].get("HostedZoneId")
        for name, resource in template.get("Resources", {}).items()
        if resource["Type"] == _RECORD
    }
    return {name: zone for name, zone in named.items() if isinstance(zone, str)}


def _public_parameters(template: dict[str, Any]) -> dict[str, str]:
    return {
        name: parameter["Default"]
        for name, parameter in template.get("Parameters", {}).items()
        if parameter["Type"].startswith("AWS::SSM::Parameter::Value<")
        and str(parameter.get("Default", "")).startswith("/aws/service/")
    }


def _asset_files(assembly: Path) -> Iterator[Path]:
    return assembly.rglob("*.assets.json")


def _types(template: dict[str, Any]) -> Iterable[str]:
    return [resource["Type"] for resource in template.get("Resources", {}).values()]


def _rename(assembly: Path, new_names: dict[str, str]) -> None:
    """Name the changed templates by their new content wherever the assembly names them by the old."""
    for path in [*assembly.rglob("*.assets.json"), *assembly.rglob("manifest.json")]:
        text = path.read_text()
        for old, new in new_names.items():
            text = text.replace(old, new)
        path.write_text(text)
