"""CloudFormation: functions of pipelines, code that is an asset, caches; and an address that can be called here.

MiniStack answers AWS's host name for an API. The address is made when it is asked for, and so names the port of this
start.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ministack.services import appsync, s3
from ministack.services.cloudformation import provisioners

from lab.emulation.tracing.hooks import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

_API, _FUNCTION, _RESOLVER = (f"AWS::AppSync::{kind}" for kind in ("GraphQLApi", "FunctionConfiguration", "Resolver"))

Made = tuple[str, dict[str, str]]
Properties = dict[str, Any]


def extend() -> None:
    """Teach CloudFormation what it does not know of the types that it has."""
    handlers = provisioners._RESOURCE_HANDLERS
    handlers[_FUNCTION] = {"create": _create_function, "update": _update_function, "delete": _delete_function}
    handlers[_RESOLVER] |= {"create": _with_code(handlers[_RESOLVER]["create"])}
    handlers[_API] |= {verb: _with_url_here(handlers[_API][verb]) for verb in ("create", "update")}
    wrap(appsync, "_get_graphql_api", _with_uri_here)


def _with_url_here(provision: Callable[..., Made]) -> Callable[..., Made]:
    def provision_api(*arguments: Any, **options: Any) -> Made:
        api_id, attributes = provision(*arguments, **options)
        return api_id, {**attributes, "GraphQLUrl": _address(api_id), "RealtimeUrl": _address(api_id, "ws")}

    return provision_api


def _with_uri_here(get: Callable[[str], Any], api_id: str) -> Any:
    status, headers, body = get(api_id)
    answer = json.loads(body)
    if status == 200:
        answer["graphqlApi"]["uris"] |= {"GRAPHQL": _address(api_id), "REALTIME": _address(api_id, "ws")}
    return status, headers, json.dumps(answer).encode()


def _address(api_id: str, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{os.environ['GATEWAY_PORT']}/v1/apis/{api_id}/graphql"


def _with_code(create: Callable[[str, Properties, str], Made]) -> Callable[[str, Properties, str], Made]:
    def create_resolver(logical_id: str, properties: Properties, stack: str) -> Made:
        return create(logical_id, {**properties, **_code(properties)}, stack)

    return create_resolver


def _create_function(_: str, properties: Properties, __: str) -> Made:
    answer = _answered(appsync._create_function(properties["ApiId"], _function(properties)))
    return _made(answer["functionConfiguration"])


def _update_function(arn: str, old: Properties, new: Properties, stack: str) -> Made:
    if old["ApiId"] != new["ApiId"]:
        return _create_function("", new, stack)
    answer = _answered(appsync._update_function(new["ApiId"], arn.rpartition("/")[2], _function(new)))
    return _made(answer["functionConfiguration"])


def _delete_function(arn: str, properties: Properties) -> None:
    appsync._delete_function(properties["ApiId"], arn.rpartition("/")[2])  # One that is gone already is no error here.


def _function(properties: Properties) -> dict[str, Any]:
    runtime = properties.get("Runtime") or {}
    return {
        "name": properties["Name"],
        "dataSourceName": properties["DataSourceName"],
        "runtime": {"name": runtime.get("Name"), "runtimeVersion": runtime.get("RuntimeVersion")},
        "maxBatchSize": int(properties.get("MaxBatchSize", 0)),
        "code": _code(properties).get("Code"),
    }


def _made(function: dict[str, Any]) -> Made:
    return function["functionArn"], {
        "FunctionArn": function["functionArn"],
        "FunctionId": function["functionId"],
        "Name": function["name"],
        "DataSourceName": function["dataSourceName"],
    }


def _code(properties: Properties) -> dict[str, str]:
    """Find the code of a resolver or of a function, in the template or in the bucket of its asset."""
    if "CodeS3Location" not in properties:
        return {"Code": properties["Code"]} if "Code" in properties else {}
    bucket, _, key = properties["CodeS3Location"].removeprefix("s3://").partition("/")
    code = s3._get_object_data(bucket, key)
    if code is None:
        raise ValueError(f"There is no code at {properties['CodeS3Location']}")
    return {"Code": code.decode()}


def _answered(response: tuple[int, dict[str, str], bytes]) -> dict[str, Any]:
    status, _, body = response
    answer: dict[str, Any] = json.loads(body)
    if status >= 400:
        raise ValueError(str(answer.get("message") or answer))
    return answer
