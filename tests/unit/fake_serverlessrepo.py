"""The repository without an emulator: boto3's own clients of any number of accounts, answered in this process."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.awsrequest import AWSResponse

from lab.serverlessrepo.protocol import Api, bad_request
from lab.serverlessrepo.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "packages"
TEMPLATE = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Parameters": {"Name": {"Type": "String", "Default": "generated", "MinLength": "3"}, "Needed": {"Type": "Number"}},
    "Conditions": {"Named": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Name"}, "generated"]}]}},
    "Resources": {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"Description": {"Fn::Sub": "of ${Needed}"}}},
        "Greet": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "CodeUri": f"s3://{BUCKET}/code.zip",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "FunctionName": {"Fn::If": ["Named", {"Ref": "Name"}, {"Ref": "AWS::NoValue"}]},
            },
        },
    },
}
DESCRIBED = {"Name": "greeting", "Author": "somebody", "Description": "Greets."}
VERSION = {"SemanticVersion": "1.0.0", "TemplateBody": json.dumps(TEMPLATE)}
LICENSED = {"LicenseBody": "MIT License", "SpdxLicenseId": "MIT"}


class Surroundings:
    """Where the repository runs: nothing but what a test puts there."""

    region = "us-east-1"

    def __init__(self) -> None:
        self.account = ""
        self.objects = {(BUCKET, "code.zip"): b"code"}
        self.kept: dict[str, bytes] = {}
        self.organizations: dict[str, str] = {}
        self.managing: set[str] = set()
        self.change_sets: list[dict[str, Any]] = []

    def read(self, bucket: str, key: str) -> bytes | None:
        return self.objects.get((bucket, key))

    def keep(self, key: str, content: bytes) -> str:
        self.kept[key] = content
        return f"http://127.0.0.1/repository/{key}"

    def link(self, address: str) -> str:
        return f"{address}?signed"

    def parse(self, text: str) -> dict[str, Any]:
        template: dict[str, Any] = json.loads(text)
        return template

    def organization_of(self, account: str) -> str | None:
        return self.organizations.get(account)

    def manages(self, organization: str) -> bool:
        return self.account in self.managing and self.organizations.get(self.account) == organization

    def create_change_set(self, template: str, request: dict[str, Any]) -> dict[str, str]:
        if request["StackName"] == "refused":
            raise bad_request("CloudFormation says no.")
        self.change_sets.append({"account": self.account, "template": template, **request})
        return {"ChangeSetId": "arn:aws:cloudformation:change-set", "StackId": "arn:aws:cloudformation:stack/a/b"}


class Service:
    """A repository, and clients of it."""

    def __init__(self) -> None:
        self.around = Surroundings()
        self.repository = Repository(self.around, {}, {})
        self.api = Api.of(self._operation)

    def _operation(self, name: str) -> Any:
        spoken = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
        return getattr(self.repository, spoken.lstrip("_"))

    def client(self, account: str) -> Any:
        made: Any = boto3.client(
            "serverlessrepo", region_name="us-east-1", aws_access_key_id=account, aws_secret_access_key="test"
        )

        def answer(request: Any, **_: Any) -> AWSResponse:
            url = urlsplit(request.url)
            body = request.body or b""
            self.around.account = account
            status, headers, content = self.api.answer(request.method, url.path, parse_qs(url.query), body)
            return AWSResponse(request.url, status, headers, _Raw(content))  # type: ignore[no-untyped-call]

        made.meta.events.register("before-send.serverlessrepo", answer)
        return made


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        while content := self.read():
            yield content
