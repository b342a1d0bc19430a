"""Amazon EKS: Fargate profiles, and in CloudFormation what belongs to a cluster, with all that a cluster was given.

MiniStack's API has add-ons, access entries and Pod Identity associations, and its CloudFormation does not know them. It
has no Fargate profiles at all: here they are records, and start no pod. Of a cluster it forgets how its secrets are
encrypted, its upgrade policy, its protection from deletion, its remote networks and its compute.

Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import eks
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = [
    "ministack.core.responses.get_account_id()",
    "ministack.core.responses.get_region()",
    "ministack.services.cloudformation.provisioners._REPLACING_PROPERTIES",
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS",
    "ministack.services.eks._VALID_ACCESS_ENTRY_TYPES",
    "ministack.services.eks._associate_access_policy(cluster_name, principal_arn, body)",
    "ministack.services.eks._clusters",
    "ministack.services.eks._create_access_entry(cluster_name, body)",
    "ministack.services.eks._create_addon(cluster_name, body)",
    "ministack.services.eks._create_pod_identity_association(cluster_name, body)",
    "ministack.services.eks._delete_access_entry(cluster_name, principal_arn)",
    "ministack.services.eks._delete_addon(cluster_name, addon_name)",
    "ministack.services.eks._delete_pod_identity_association(cluster_name, association_id)",
    "ministack.services.eks._error(status, code, message)",
    "ministack.services.eks._handle_request_sync(method, path, headers, body_bytes, query_params)",
    "ministack.services.eks._json_resp(status, body)",
    "ministack.services.eks._now()",
    "ministack.services.eks._update_addon(cluster_name, addon_name, body)",
    "ministack.services.eks._update_pod_identity_association(cluster_name, association_id, body)",
]
_CLUSTER = "AWS::EKS::Cluster"
_ADDON = "AWS::EKS::Addon"
_ENTRY = "AWS::EKS::AccessEntry"
_ASSOCIATION = "AWS::EKS::PodIdentityAssociation"
_PROFILE = "AWS::EKS::FargateProfile"
_KEPT_OF_A_CLUSTER = [
    "computeConfig",
    "deletionProtection",
    "encryptionConfig",
    "remoteNetworkConfig",
    "storageConfig",
    "upgradePolicy",
]
# In the cluster's own record, which MiniStack keeps over a stop and a start, and shows without what begins so.
_PROFILES = "_fargateProfiles"
_PROFILE_PATH = re.compile(r"/clusters/([\w-]+)/fargate-profiles(?:/([\w-]+))?")

Made = tuple[str, dict[str, str]]
Properties = dict[str, Any]
Response = tuple[int, dict[str, str], Any]


def extend() -> None:
    """Add the types to CloudFormation, and Fargate profiles to the API."""
    # A new type of access entry is no other policy's business: AWS has had these since hybrid nodes and Auto Mode.
    eks._VALID_ACCESS_ENTRY_TYPES = (*eks._VALID_ACCESS_ENTRY_TYPES, "EC2", "HYBRID_LINUX")
    eks._handle_request_sync = _with_fargate_profiles(eks._handle_request_sync)
    handlers, replacing = provisioners._RESOURCE_HANDLERS, provisioners._REPLACING_PROPERTIES
    cluster = handlers[_CLUSTER]
    cluster |= {"create": _keeping_all(cluster["create"], 1), "update": _keeping_all(cluster["update"], 2)}
    handlers[_ADDON] = {"create": _create_addon, "update": _update_addon, "delete": _delete_addon}
    handlers[_ENTRY] = {"create": _create_entry, "update": _update_entry, "delete": _delete_entry}
    handlers[_ASSOCIATION] = {
        "create": _create_association,
        "update": _update_association,
        "delete": _delete_association,
    }
    handlers[_PROFILE] = {"create": _create_profile, "update": _update_profile, "delete": _delete_profile}
    replacing[_ADDON] = ("AddonName", "ClusterName")
    replacing[_ENTRY] = ("ClusterName", "PrincipalArn", "Type")
    replacing[_ASSOCIATION] = ("ClusterName", "Namespace", "ServiceAccount")
    replacing[_PROFILE] = ("ClusterName", "FargateProfileName", "PodExecutionRoleArn", "Selectors", "Subnets")


def _keeping_all(make: Callable[..., Made], at: int) -> Callable[..., Made]:
    def made(*arguments: Any, **named: Any) -> Made:
        name, attributes = make(*arguments, **named)
        given = _as_api(arguments[at])
        eks._clusters[name].update({key: given[key] for key in _KEPT_OF_A_CLUSTER if key in given})
        return name, attributes

    return made


def _create_addon(_: str, properties: Properties, __: str) -> Made:
    cluster, name = properties["ClusterName"], properties["AddonName"]
    addon = _answer(_ADDON, eks._create_addon(cluster, _as_api(properties)))["addon"]
    return f"{cluster}|{name}", {"Arn": addon["addonArn"]}


def _update_addon(physical_id: str, _: Properties, properties: Properties, __: str) -> Made:
    cluster, name = properties["ClusterName"], properties["AddonName"]
    _answer(_ADDON, eks._update_addon(cluster, name, _as_api(properties)))
    return physical_id, {"Arn": eks._addons[f"{cluster}/{name}"]["addonArn"]}


def _delete_addon(_: str, properties: Properties) -> None:
    eks._delete_addon(properties["ClusterName"], properties["AddonName"])


def _create_entry(_: str, properties: Properties, __: str) -> Made:
    cluster, principal = properties["ClusterName"], properties["PrincipalArn"]
    entry = _answer(_ENTRY, eks._create_access_entry(cluster, _as_api(properties)))["accessEntry"]
    for policy in properties.get("AccessPolicies", []):
        _answer(_ENTRY, eks._associate_access_policy(cluster, principal, _as_api(policy)))
    return f"{principal}|{cluster}", {"AccessEntryArn": entry["accessEntryArn"]}


def _update_entry(_: str, old: Properties, new: Properties, stack: str) -> Made:
    _delete_entry("", old)
    return _create_entry("", new, stack)


def _delete_entry(_: str, properties: Properties) -> None:
    eks._delete_access_entry(properties["ClusterName"], properties["PrincipalArn"])


def _create_association(_: str, properties: Properties, __: str) -> Made:
    answer = eks._create_pod_identity_association(properties["ClusterName"], _as_api(properties))
    return _association_made(_answer(_ASSOCIATION, answer)["association"])


def _update_association(identifier: str, _: Properties, properties: Properties, __: str) -> Made:
    answer = eks._update_pod_identity_association(properties["ClusterName"], identifier, _as_api(properties))
    return _association_made(_answer(_ASSOCIATION, answer)["association"])


def _association_made(association: dict[str, str]) -> Made:
    identifier = association["associationId"]
    return identifier, {"AssociationArn": association["associationArn"], "AssociationId": identifier}


def _delete_association(identifier: str, properties: Properties) -> None:
    eks._delete_pod_identity_association(properties["ClusterName"], identifier)


def _create_profile(logical_id: str, properties: Properties, stack: str) -> Made:
    name = properties.get("FargateProfileName") or provisioners._physical_name(stack, logical_id, max_len=100)
    selectors = [
        {
            "namespace": selector["Namespace"],
            "labels": {label["Key"]: label["Value"] for label in selector.get("Labels") or []},
        }
        for selector in properties["Selectors"]
    ]
    body = {**_as_api(properties), "fargateProfileName": name, "selectors": selectors}
    answer = _profile_made(properties["ClusterName"], body)
    return name, {"Arn": _answer(_PROFILE, answer)["fargateProfile"]["fargateProfileArn"]}


def _update_profile(name: str, _: Properties, properties: Properties, __: str) -> Made:
    return name, {"Arn": eks._clusters[properties["ClusterName"]][_PROFILES][name]["fargateProfileArn"]}


def _delete_profile(name: str, properties: Properties) -> None:
    eks._clusters.get(properties["ClusterName"], {}).get(_PROFILES, {}).pop(name, None)


def _with_fargate_profiles(handle: Callable[..., Response]) -> Callable[..., Response]:
    def handled(method: str, path: str, headers: Any, body: bytes, query: Any) -> Response:
        asked = _PROFILE_PATH.fullmatch(path)
        if asked is None:
            return handle(method, path, headers, body, query)
        cluster, name = asked.groups()
        if cluster not in eks._clusters:
            return _not_found("cluster", cluster)
        return _profiles(method, cluster, name, json.loads(body) if body else {})

    return handled


def _profiles(method: str, cluster: str, name: str | None, body: Properties) -> Response:
    profiles = eks._clusters[cluster].setdefault(_PROFILES, {})
    match method, name:
        case "POST", None:
            return _profile_made(cluster, body)
        case "GET", None:
            return _answered({"fargateProfileNames": sorted(profiles)})
        case _, str() if name not in profiles:
            return _not_found("Fargate profile", name)
        case "GET", str():
            return _answered({"fargateProfile": profiles[name]})
        case "DELETE", str():
            return _answered({"fargateProfile": {**profiles.pop(name), "status": "DELETING"}})
    return _refused(405, "InvalidRequestException", f"{method} is not an operation on Fargate profiles.")


def _profile_made(cluster: str, body: Properties) -> Response:
    if cluster not in eks._clusters:
        return _not_found("cluster", cluster)
    profiles = eks._clusters[cluster].setdefault(_PROFILES, {})
    name, selectors = body.get("fargateProfileName", ""), body.get("selectors") or []
    if name in profiles:
        return _refused(409, "ResourceInUseException", f"A Fargate profile already exists with this name: {name}")
    if not name or not body.get("podExecutionRoleArn"):
        return _refused(400, "InvalidParameterException", "fargateProfileName and podExecutionRoleArn are required.")
    if not 1 <= len(selectors) <= 5 or not all(selector.get("namespace") for selector in selectors):
        return _refused(400, "InvalidParameterException", "A profile has 1 to 5 selectors, each with a namespace.")
    arn = f"arn:aws:eks:{get_region()}:{get_account_id()}:fargateprofile/{cluster}/{name}"
    profiles[name] = {
        "fargateProfileName": name,
        "fargateProfileArn": arn,
        "clusterName": cluster,
        "createdAt": eks._now(),
        "podExecutionRoleArn": body["podExecutionRoleArn"],
        "subnets": body.get("subnets", []),
        "selectors": selectors,
        "status": "ACTIVE",
        "tags": body.get("tags", {}),
    }
    return _answered({"fargateProfile": profiles[name]})


def _not_found(kind: str, name: str) -> Response:
    return _refused(404, "ResourceNotFoundException", f"No {kind} found for name: {name}.")


def _refused(status: int, code: str, message: str) -> Response:
    response: Response = eks._error(status, code, message)
    return response


def _answered(body: dict[str, Any]) -> Response:
    response: Response = eks._json_resp(200, body)
    return response


def _answer(kind: str, response: Response) -> dict[str, Any]:
    """Return what the API answered; CloudFormation fails as the API does."""
    status, _, body = response
    answer: dict[str, Any] = json.loads(body)
    if status >= 400:
        raise ValueError(f"{kind}: {answer.get('message') or answer}")
    return answer


def _as_api(properties: Properties) -> Properties:
    """Write properties as the API has them: names begin small, and tags are a map."""
    tags = properties.get("Tags")
    given = {name: value for name, value in properties.items() if name != "Tags"}
    small: Properties = _begun_small(given)
    return {**small, "tags": {tag["Key"]: tag["Value"] for tag in tags}} if tags else small


def _begun_small(value: Any) -> Any:
    if isinstance(value, list):
        return [_begun_small(item) for item in value]
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: _begun_small(item) for name, item in value.items()}
    # A template may hold truths as texts.
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
