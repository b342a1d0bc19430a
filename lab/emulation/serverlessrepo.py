"""The AWS Serverless Application Repository, which MiniStack lacks: its API, and its types in CloudFormation.

``lab/serverlessrepo`` is the service; this module gives it a place in MiniStack. What is published is kept in a bucket
of an account that nobody else has, as on AWS, from where CloudFormation and AWS Lambda read it for every account that
may deploy it. The service reads a publisher's bucket only if the bucket's policy lets it.

``AWS::Serverless::Application`` is for the SAM transform to replace by a nested stack, and it asks the repository for
the application's template first: this one. CloudFormation's nested stacks know no transform here, so that template has
been through it already.
"""

from __future__ import annotations

import json
import os
import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError
from ministack import app
from ministack.core import iam_actions
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudformation, organizations, s3
from ministack.services.cloudformation import changesets, engine, handlers, provisioners

from lab.serverlessrepo.protocol import Api, RepositoryError, bad_request
from lab.serverlessrepo.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOOKS = [
    "ministack.app.SERVICE_HANDLERS",
    "ministack.app.SERVICE_REGISTRY",
    "ministack.app._loaded_modules",
    "ministack.app._state_map",
    "ministack.core.iam_actions.extract_iam_action",
    "ministack.core.iam_actions.extract_resource_arn",
    "ministack.core.iam_evaluator.EvalContext",
    "ministack.core.iam_evaluator.evaluate_resource_policy(doc, ctx, service, named_only, direct_only)",
    "ministack.core.responses.AccountScopedDict.to_dict(self)",
    "ministack.core.responses.request_scope(account_id, region)",
    "ministack.services.cloudformation._stacks",
    "ministack.services.cloudformation.changesets._apply_transforms(template, provided_params, previous_params)",
    "ministack.services.cloudformation.changesets._create_change_set(params)",
    "ministack.services.cloudformation.engine._apply_transforms(template, provided_params, previous_params)",
    "ministack.services.cloudformation.engine._parse_template(template_body)",
    "ministack.services.cloudformation.handlers._apply_transforms(template, provided_params, previous_params)",
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS",
    "ministack.services.cloudformation.provisioners._REPLACING_PROPERTIES",
    "ministack.services.organizations._accounts",
    "ministack.services.organizations._orgs",
    "ministack.services.s3._bucket_owner_account(name)",
    "ministack.services.s3._bucket_policies",
    "ministack.services.s3._buckets",
    "ministack.services.s3._create_bucket(name, body, headers, endpoint_region)",
    "ministack.services.s3._get_object_data(bucket_name, key, version_id)",
    "ministack.services.s3._put_object(bucket_name, key, body, headers)",
]
_NAME = "serverlessrepo"
_SERVICE = "serverlessrepo.amazonaws.com"
_PUBLISHED = "AWS::ServerlessRepo::Application"
_NESTED = "AWS::Serverless::Application"
#: Of the service itself, as the bucket is that it keeps published applications in.
_ACCOUNT = "999999999999"
_BUCKET = "awsserverlessrepo-applications"
_CHANGE_SET = "serverlessrepo-change-set"
# CloudFormation has no such capability: acknowledging it is the repository's to ask for.
_OF_THE_REPOSITORY = "CAPABILITY_RESOURCE_POLICY"

Document = dict[str, Any]


def extend() -> None:
    """Add the service, let its bucket be read, and teach CloudFormation its types."""
    this = sys.modules[__name__]
    app._loaded_modules[_NAME] = this
    app.SERVICE_REGISTRY[_NAME] = {"module": _NAME}
    app.SERVICE_HANDLERS[_NAME] = handle_request
    app._state_map[_NAME] = _NAME
    iam_actions.extract_iam_action = _with_operations(iam_actions.extract_iam_action)
    iam_actions.extract_resource_arn = _with_applications(iam_actions.extract_resource_arn)
    s3._get_object_data = _with_published(s3._get_object_data)
    for module in (engine, changesets, handlers):
        module._apply_transforms = _with_nested(module._apply_transforms)
    provisioners._RESOURCE_HANDLERS[_NESTED] = {"create": _refuse_without_transform}
    provisioners._RESOURCE_HANDLERS[_PUBLISHED] = {"create": _publish, "update": _publish_again, "delete": _unpublish}
    provisioners._REPLACING_PROPERTIES[_PUBLISHED] = ("Name", "LicenseBody", "SpdxLicenseId")


async def handle_request(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query_params: Mapping[str, Any]
) -> tuple[int, dict[str, str], bytes]:
    """Answer a request, as every service of MiniStack does."""
    del headers
    return _api.answer(method, path, query_params, body)


def get_state() -> Document:
    """Return what is kept over a stop."""
    return {"applications": _repository.applications, "templates": _repository.templates}


def load_persisted_state(state: Document) -> None:
    """Take up what was kept."""
    _repository.applications.update(state.get("applications", {}))
    _repository.templates.update(state.get("templates", {}))


def reset() -> None:
    """Forget everything."""
    _repository.applications.clear()
    _repository.templates.clear()


class _MiniStack:
    """What the repository needs of MiniStack, for the caller of the request that is answered now."""

    @property
    def account(self) -> str:
        return str(get_account_id())

    @property
    def region(self) -> str:
        return str(get_region())

    def read(self, bucket: str, key: str) -> bytes | None:
        owner = s3._bucket_owner_account(bucket)
        if owner is None:
            return None
        as_service = EvalContext(
            principal_arn=_SERVICE,
            principal_type="Service",
            principal_account=_ACCOUNT,
            action="s3:GetObject",
            resource_arn=f"arn:aws:s3:::{bucket}/{key}",
            region=self.region,
            service_context={"aws:sourceaccount": self.account},
        )
        policy = s3._bucket_policies.get_scoped(owner, None, bucket)
        if evaluate_resource_policy(policy, as_service, service=_SERVICE).decision != "Allow":
            return None
        with request_scope(owner, self.region):
            content: bytes | None = s3._get_object_data(bucket, key)
        return content

    def keep(self, key: str, content: bytes) -> str:
        with request_scope(_ACCOUNT, self.region):
            if _BUCKET not in s3._buckets:
                _require_done(s3._create_bucket(_BUCKET, b""))
            _require_done(s3._put_object(_BUCKET, key, content, {}))
        return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}/{_BUCKET}/{key}"

    def link(self, address: str) -> str:
        _, _, key = address.partition(f"/{_BUCKET}/")
        signed: str = _client().generate_presigned_url("get_object", Params={"Bucket": _BUCKET, "Key": key})
        return signed

    def parse(self, text: str) -> Document:
        template = engine._parse_template(text)
        if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
            raise ValueError("it has no Resources")
        return template

    def organization_of(self, account: str) -> str | None:
        # MiniStack has an organization for whoever asks it for one; an account that another one made is in that one's.
        managers = (manager for manager, member in organizations._accounts.to_dict() if member == account)
        return _organization_of_manager(next((one for one in managers if one != account), account))

    def manages(self, organization: str) -> bool:
        return _organization_of_manager(self.account) == organization

    def create_change_set(self, template: str, request: Document) -> Document:
        # As AWS names the stack of an application that is deployed by itself.
        name = f"serverlessrepo-{request['StackName']}"
        parameters: dict[str, list[str]] = {
            "StackName": [name],
            "ChangeSetName": [request.get("ChangeSetName", _CHANGE_SET)],
            "ChangeSetType": ["UPDATE" if _is_deployed(name) else "CREATE"],
            "TemplateURL": [template],
        }
        capabilities = [one for one in request.get("Capabilities", []) if one != _OF_THE_REPOSITORY]
        values = request.get("ParameterOverrides", [])
        for number, capability in enumerate(capabilities, 1):
            parameters[f"Capabilities.member.{number}"] = [capability]
        for number, value in enumerate(values, 1):
            parameters[f"Parameters.member.{number}.ParameterKey"] = [value["Name"]]
            parameters[f"Parameters.member.{number}.ParameterValue"] = [value["Value"]]
        for number, tag in enumerate(request.get("Tags", []), 1):
            parameters[f"Tags.member.{number}.Key"] = [tag["Key"]]
            parameters[f"Tags.member.{number}.Value"] = [tag["Value"]]
        status, _, body = changesets._create_change_set(parameters)
        answer = {element.tag.rpartition("}")[2]: element.text or "" for element in ET.fromstring(body).iter()}  # noqa: S314 - MiniStack's own
        if status >= 400:
            raise bad_request(answer["Message"])
        return {"ChangeSetId": answer["Id"], "StackId": answer["StackId"]}


def _organization_of_manager(account: str) -> str | None:
    managed = organizations._orgs.get_scoped(account, None, "self") or {}
    found: str | None = managed.get("Id")
    return found


@cache
def _client() -> Any:
    """Sign links for the service's own bucket, which is reached by the address of this start."""
    return botocore.session.get_session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        aws_access_key_id=_ACCOUNT,
        aws_secret_access_key="test",  # noqa: S106 - MiniStack's, for every account
        config=Config(s3={"addressing_style": "path"}, signature_version="s3v4"),
    )


def _is_deployed(stack_name: str) -> bool:
    """Say whether the caller has a stack of this name that can be updated."""
    status = (cloudformation._stacks.get(stack_name) or {}).get("StackStatus", "DELETE_COMPLETE")
    return status not in {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"}


def _require_done(answer: tuple[int, Any, Any]) -> None:
    if answer[0] >= 300:
        raise RuntimeError(f"the repository's own bucket: {answer[2]!r}")


def _with_operations(extract: Callable[..., str | None]) -> Callable[..., str | None]:
    def extract_iam_action(service: str, method: str, path: str, *rest: Any) -> str | None:
        if service != _NAME:
            return extract(service, method, path, *rest)
        operation = _api.operation_of(method, path)
        return f"{_NAME}:{operation}" if operation else None

    return extract_iam_action


def _with_applications(extract: Callable[..., str]) -> Callable[..., str]:
    def extract_resource_arn(service: str, method: str, path: str, *rest: Any) -> str:
        if service != _NAME:
            return extract(service, method, path, *rest)
        found = re.search(r"arn:[^/]+/[^/]+", unquote(path))
        return found[0] if found else "*"

    return extract_resource_arn


def _with_published(read: Callable[..., bytes | None]) -> Callable[..., bytes | None]:
    def get_object_data(bucket_name: str, key: str, version_id: str | None = None) -> bytes | None:
        if bucket_name != _BUCKET:
            return read(bucket_name, key, version_id)
        with request_scope(_ACCOUNT, get_region()):
            return read(bucket_name, key, version_id)

    return get_object_data


def _with_nested(transform: Callable[..., Document]) -> Callable[..., Document]:
    def apply_transforms(template: Document, *args: Any) -> Document:
        resources = (template.get("Resources") or {}).values()
        if any(isinstance(resource, dict) and resource.get("Type") == _NESTED for resource in resources):
            _let_transform_ask()
        return transform(template, *args)

    return apply_transforms


@cache
def _let_transform_ask() -> None:
    """Give the SAM transform this repository in the place of the one on AWS; few templates need either."""
    from samtranslator.plugins.application.serverless_app_plugin import ServerlessAppPlugin  # noqa: PLC0415

    ServerlessAppPlugin._sar_client = property(lambda _: _Client())


class _Client:
    """The part of a client that the SAM transform uses, for the caller of the request that is answered now."""

    def create_cloud_formation_template(self, **request: Any) -> Document:
        try:
            made = _repository.create_cloud_formation_template(request)
        except RepositoryError as refused:
            answer: Any = {"Error": {"Code": refused.code, "Message": str(refused)}}
            raise ClientError(answer, "CreateCloudFormationTemplate") from None
        return {**made, "TemplateUrl": _expanded(made["TemplateUrl"])}


def _expanded(url: str) -> str:
    """Keep what the SAM transform makes of a template; return its address."""
    key = urlsplit(url).path.removeprefix(f"/{_BUCKET}/")
    template = engine._parse_template((s3._get_object_data(_BUCKET, key) or b"").decode())
    expanded = json.dumps(engine._apply_transforms(template)).encode()
    return _around.keep(key.replace("template.json", "expanded.json"), expanded)


def _refuse_without_transform(logical_id: str, *_: Any) -> None:
    raise ValueError(f"{logical_id} is of a type of AWS SAM: the template needs Transform: AWS::Serverless-2016-10-31")


def _publish(_: str, properties: Document, __: str) -> tuple[str, Document]:
    return _made(_called(_repository.create_application, properties))


def _publish_again(application_id: str, old: Document, properties: Document, _: str) -> tuple[str, Document]:
    about = {name: properties[name] for name in _UPDATED if name in properties}
    _called(_repository.update_application, {"ApplicationId": application_id, **about})
    before, version = ({name: one[name] for name in _OF_A_VERSION if name in one} for one in (old, properties))
    if version != before:
        _called(_repository.create_application_version, {"ApplicationId": application_id, **version})
    return _made({"ApplicationId": application_id})


def _unpublish(application_id: str, _: Document) -> None:
    if application_id in _repository.applications:
        _called(_repository.delete_application, {"ApplicationId": application_id})


def _made(application: Document) -> tuple[str, Document]:
    return application["ApplicationId"], {"ApplicationId": application["ApplicationId"]}


def _called(operation: Callable[[Document], Document], request: Document) -> Document:
    try:
        return operation(request)
    except RepositoryError as refused:
        raise ValueError(str(refused)) from None


_UPDATED = ("Author", "Description", "HomePageUrl", "Labels", "ReadmeBody")
_OF_A_VERSION = ("SemanticVersion", "SourceCodeUrl", "TemplateBody")
_around = _MiniStack()
_repository = Repository(_around, {}, {})


def _operation(name: str) -> Callable[[Document], Document]:
    spoken = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
    operation: Callable[[Document], Document] = getattr(_repository, spoken)
    return operation


_api = Api.of(_operation)
