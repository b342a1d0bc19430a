"""AWS Systems Manager: activations, and the managed instances that register with them.

MiniStack has neither. Registration is as on AWS: by the id and the code of an activation, without credentials, for as
long as the activation is there, has not expired, and is not used up. The role's credentials then go to whoever has the
fingerprint that the instance registered with; AWS asks for a signature by the instance's key too.

Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/hybrid-activation-managed-nodes.html
"""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region, new_uuid
from ministack.services import iam, ssm, sts

from lab.emulation.ecs_anywhere.answers import Properties, Response, answer, refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HOOKS = [
    "ministack.core.iam_actions.extract_resource_arn",  # with parameters that lab.emulation.ecr checks
    "ministack.core.iam_evaluator._served_unsigned(service, iam_action)",
    "ministack.core.responses.AccountRegionScopedDict",
    "ministack.core.responses.get_account_id()",
    "ministack.core.responses.get_region()",
    "ministack.core.responses.new_uuid()",
    "ministack.services.iam._roles",
    "ministack.services.ssm._describe_instance_information(data)",
    "ministack.services.ssm.get_state()",
    "ministack.services.ssm.handle_request(method, path, headers, body, query_params)",
    "ministack.services.ssm.load_persisted_state(data)",
    "ministack.services.sts.register_session(access_key, session)",
]
_DAY = 24 * 3600
_MOST_DAYS = 30
_MOST_INSTANCES = 1000
#: An agent says every five minutes that it is there.
_SILENCE = 300
_SESSION = 3600
_STATE = "managed_instances"

_activations: Any = AccountRegionScopedDict()
_instances: Any = AccountRegionScopedDict()


def extend() -> None:
    """Answer the operations of activations and managed instances, and keep both over a stop and a start."""
    ssm.handle_request = _with_operations(ssm.handle_request)
    ssm.get_state = _with_state(ssm.get_state)
    ssm.load_persisted_state = _with_restored_state(ssm.load_persisted_state)
    iam_evaluator._served_unsigned = _with_agents(iam_evaluator._served_unsigned)
    iam_actions.extract_resource_arn = _with_managed_instance(iam_actions.extract_resource_arn)


def _with_operations(handle: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    async def handle_request(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Response:
        operation = _OPERATIONS.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if operation is None:
            return await handle(method, path, headers, body, query)
        return operation(json.loads(body or b"{}"))

    return handle_request


def _with_state(get: Callable[[], Properties]) -> Callable[[], Properties]:
    return lambda: {**get(), _STATE: {"activations": _activations, "instances": _instances}}


def _with_restored_state(load: Callable[[Properties], None]) -> Callable[[Properties], None]:
    def load_persisted_state(data: Properties) -> None:
        load(data)
        kept = (data or {}).get(_STATE, {})
        _activations.update(kept.get("activations", {}))
        _instances.update(kept.get("instances", {}))

    return load_persisted_state


def _with_agents(served: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    unsigned = {"ssm:RegisterManagedInstance", "ssm:RequestManagedInstanceRoleToken"}
    return lambda service, action: action in unsigned or served(service, action)


def _with_managed_instance(extract: Callable[..., str]) -> Callable[..., str]:
    """Name the instance that an agent reports for, so that a policy can."""

    def extract_resource_arn(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
        if service == "ssm" and headers.get("x-amz-target", "").endswith(".UpdateInstanceInformation"):
            instance_id = json.loads(body or b"{}").get("InstanceId")
            return f"arn:aws:ssm:{get_region()}:{get_account_id()}:managed-instance/{instance_id}"
        return extract(service, method, path, headers, body, *rest)

    return extract_resource_arn


def _create_activation(data: Properties) -> Response:
    role, now = data.get("IamRole", ""), time.time()
    limit, expires = data.get("RegistrationLimit", 1), data.get("ExpirationDate", now + _DAY)
    if role.removeprefix("service-role/") not in iam._roles:
        return refusal(
            "ValidationException", f"Nonexistent role or missing ssm service principal in trust policy: {role}"
        )
    if not 1 <= limit <= _MOST_INSTANCES:
        return refusal("InvalidParameters", f"RegistrationLimit is {limit}: 1 to {_MOST_INSTANCES}")
    if not now < expires <= now + _MOST_DAYS * _DAY:
        return refusal("InvalidParameters", f"ExpirationDate is not within the next {_MOST_DAYS} days")
    activation = {
        "ActivationId": new_uuid(),
        "Description": data.get("Description", ""),
        "DefaultInstanceName": data.get("DefaultInstanceName", ""),
        "IamRole": role,
        "RegistrationLimit": limit,
        "RegistrationsCount": 0,
        "ExpirationDate": expires,
        "CreatedDate": now,
        "Tags": data.get("Tags", []),
    }
    code = secrets.token_urlsafe(15)
    _activations[activation["ActivationId"]] = {"code": code, "activation": activation}
    return answer({"ActivationId": activation["ActivationId"], "ActivationCode": code})


def _describe_activations(data: Properties) -> Response:
    listed = [{**kept["activation"], "Expired": _expired(kept["activation"])} for kept in _activations.values()]
    names = {"ActivationIds": "ActivationId", "DefaultInstanceName": "DefaultInstanceName", "IamRole": "IamRole"}
    for one in data.get("Filters") or []:
        listed = [kept for kept in listed if kept[names[one["FilterKey"]]] in one["FilterValues"]]
    return _page("ActivationList", sorted(listed, key=lambda kept: kept["CreatedDate"]), data)


def _delete_activation(data: Properties) -> Response:
    if _activations.pop(data["ActivationId"], None) is None:
        return refusal("InvalidActivation", f"Activation {data['ActivationId']} does not exist")
    return answer({})


def _register(data: Properties) -> Response:
    kept = _activations.get(data.get("ActivationId", ""))
    if kept is None or not secrets.compare_digest(kept["code"], data.get("ActivationCode", "")):
        return refusal("InvalidActivation", "The activation id and the activation code do not belong together")
    activation = kept["activation"]
    if _expired(activation):
        return refusal("InvalidActivation", "The activation has expired")
    if activation["RegistrationsCount"] >= activation["RegistrationLimit"]:
        return refusal("InvalidActivation", "The activation was used for as many instances as it is for")
    activation["RegistrationsCount"] += 1
    instance_id = f"mi-{secrets.token_hex(9)[:17]}"
    information = {
        "InstanceId": instance_id,
        "PlatformType": "Linux",
        "ActivationId": activation["ActivationId"],
        "IamRole": activation["IamRole"],
        "RegistrationDate": time.time(),
        "ResourceType": "ManagedInstance",
        "Name": activation["DefaultInstanceName"],
        "SourceType": "AWS::SSM::ManagedInstance",
        "SourceId": instance_id,
    }
    _instances[instance_id] = {"fingerprint": data.get("Fingerprint", ""), "information": information}
    return answer({"InstanceId": instance_id})


def _request_role_token(data: Properties) -> Response:
    instance_id = data.get("InstanceId", "")
    kept = _instances.get(instance_id)
    if kept is None or not secrets.compare_digest(kept["fingerprint"], data.get("Fingerprint", "")):
        return refusal("MachineFingerprintDoesNotMatch", "No managed instance has this fingerprint")
    role, account = iam._roles[kept["information"]["IamRole"].removeprefix("service-role/")], get_account_id()
    expires = time.time() + _SESSION
    credentials = {
        "AccessKeyId": f"ASIA{secrets.token_hex(8).upper()}",
        "SecretAccessKey": secrets.token_urlsafe(30),
        "SessionToken": secrets.token_urlsafe(90),
    }
    session = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{role['RoleName']}/{instance_id}",
        "UserId": f"{role['RoleId']}:{instance_id}",
        "SecretAccessKey": credentials["SecretAccessKey"],
        "SessionToken": credentials["SessionToken"],
        "Expiration": expires,
    }
    sts.register_session(credentials["AccessKeyId"], session)
    return answer({**credentials, "TokenExpirationDate": expires, "UpdateKeyPair": False})


def _update_instance_information(data: Properties) -> Response:
    kept = _instances.get(data.get("InstanceId", ""))
    if kept is None:
        return refusal("InvalidInstanceId", f"{data.get('InstanceId')} is no managed instance")
    names = ("AgentVersion", "PlatformName", "PlatformVersion", "IPAddress")
    kept["information"] |= {name: data[name] for name in names if name in data}
    kept["information"] |= {"ComputerName": data.get("Hostname", ""), "LastPingDateTime": time.time()}
    return answer({})


def _describe_instance_information(data: Properties) -> Response:
    _, _, body = ssm._describe_instance_information({**data, "MaxResults": _MOST_INSTANCES, "NextToken": ""})
    listed = json.loads(body)["InstanceInformationList"]
    for kept in _instances.values():
        information = kept["information"]
        if "LastPingDateTime" in information:  # AWS lists an instance when its agent first reports
            silent = time.time() - information["LastPingDateTime"] > _SILENCE
            listed.append({**information, "PingStatus": "ConnectionLost" if silent else "Online"})
    for one in [*(data.get("Filters") or []), *(data.get("InstanceInformationFilterList") or [])]:
        key, values = one.get("Key") or one["key"], one.get("Values") or one["valueSet"]
        name = {"InstanceIds": "InstanceId", "ActivationIds": "ActivationId"}.get(key, key)
        listed = [information for information in listed if information.get(name) in values]
    return _page("InstanceInformationList", listed, data)


def _deregister(data: Properties) -> Response:
    if _instances.pop(data["InstanceId"], None) is None:
        return refusal("InvalidInstanceId", f"{data['InstanceId']} is no managed instance")
    return answer({})


def _expired(activation: Properties) -> bool:
    return bool(time.time() >= activation["ExpirationDate"])


def _page(name: str, listed: list[Properties], data: Properties) -> Response:
    start, most = int(data.get("NextToken") or 0), data.get("MaxResults") or 50
    more = {"NextToken": str(start + most)} if start + most < len(listed) else {}
    return answer({name: listed[start : start + most], **more})


_OPERATIONS: dict[str, Callable[[Properties], Response]] = {
    "CreateActivation": _create_activation,
    "DescribeActivations": _describe_activations,
    "DeleteActivation": _delete_activation,
    "RegisterManagedInstance": _register,
    "RequestManagedInstanceRoleToken": _request_role_token,
    "UpdateInstanceInformation": _update_instance_information,
    "DescribeInstanceInformation": _describe_instance_information,
    "DeregisterManagedInstance": _deregister,
}
