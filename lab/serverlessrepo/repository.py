"""Keeps applications and their versions, and decides who sees and who deploys them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Protocol

from lab.serverlessrepo.protocol import RepositoryError, bad_request
from lambda_src.published_application.rules import (
    LARGEST_DOCUMENT,
    LARGEST_TEMPLATE,
    broken,
    capabilities,
    code_locations,
    is_version,
    missing_for_the_public,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Document = dict[str, Any]
_PAGE = 100
_DEPLOY = "Deploy"
#: What a statement of an application's policy may permit, and which of them ``Deploy`` stands for.
_ACTIONS = {
    "CreateCloudFormationChangeSet",
    "CreateCloudFormationTemplate",
    "GetApplication",
    "ListApplicationDependencies",
    "ListApplicationVersions",
    "SearchApplications",
}
_DESCRIBED = ("Author", "Description", "HomePageUrl", "Labels")
_S3 = re.compile(r"(?:s3://|https?://[^/]+/)(?P<bucket>[^/?]+)/(?P<key>[^?]+).*")


class Surroundings(Protocol):
    """What the repository needs of where it runs."""

    @property
    def account(self) -> str:
        """Say whose request it is."""

    @property
    def region(self) -> str:
        """Say where it was sent."""

    def read(self, bucket: str, key: str) -> bytes | None:
        """Read an object as the service, if its bucket's policy lets the service."""

    def keep(self, key: str, content: bytes) -> str:
        """Keep a copy of an artifact; return its address, which nobody but the service can read by itself."""

    def link(self, address: str) -> str:
        """Make a link by which whoever has it can read an artifact, for an hour."""

    def parse(self, text: str) -> Document:
        """Parse a template.

        :raises ValueError: when it is none.
        """

    def organization_of(self, account: str) -> str | None:
        """Name the organization that an account belongs to."""

    def manages(self, organization: str) -> bool:
        """Say whether the caller's account is the management account of an organization."""

    def create_change_set(self, template: str, request: Document) -> Document:
        """Create a change set in the caller's account; return its ``ChangeSetId`` and ``StackId``."""


@dataclass
class Repository:
    """The applications of every account in every region; the operations of the API are its methods' names."""

    surroundings: Surroundings
    applications: dict[str, Document]
    templates: dict[str, Document]

    def create_application(self, request: Document) -> Document:
        """CreateApplication, with a first version if there is a template."""
        around = self.surroundings
        application_id = f"arn:aws:serverlessrepo:{around.region}:{around.account}:applications/{request['Name']}"
        _refuse_broken(request)
        if application_id in self.applications:
            raise RepositoryError(409, "ConflictException", f"{application_id} exists already.")
        application: Document = {
            **{name: request.get(name) for name in ("Name", "SpdxLicenseId", *_DESCRIBED)},
            "ApplicationId": application_id,
            "Owner": around.account,
            "CreationTime": _now(),
            "IsVerifiedAuthor": False,
            "Statements": [],
            "Versions": {},
        }
        application["LicenseUrl"] = self._document(application, request, "License")
        application["ReadmeUrl"] = self._document(application, request, "Readme")
        if "TemplateBody" in request or "TemplateUrl" in request:
            if "SemanticVersion" not in request:
                raise bad_request("A template is that of a version: give a SemanticVersion too.")
            self._add_version(application, request)
        self.applications[application_id] = application
        return self._shown(application, request.get("SemanticVersion"))

    def create_application_version(self, request: Document) -> Document:
        """CreateApplicationVersion; what is published stays as it is."""
        application = self._own(request)
        if not is_version(request["SemanticVersion"]):
            raise bad_request(f"SemanticVersion is {request['SemanticVersion']}: a semantic version, such as 1.0.0.")
        if request["SemanticVersion"] in application["Versions"]:
            raise RepositoryError(
                409, "ConflictException", f"Version {request['SemanticVersion']} of {request['ApplicationId']} exists."
            )
        return self._add_version(application, request)

    def update_application(self, request: Document) -> Document:
        """UpdateApplication; the licence cannot be changed."""
        application = self._own(request)
        changed = {**application, **{name: request[name] for name in _DESCRIBED if name in request}}
        _refuse_broken(changed)
        changed["ReadmeUrl"] = self._document(application, request, "Readme") or application["ReadmeUrl"]
        application.update(changed)
        return self._shown(application)

    def delete_application(self, request: Document) -> Document:
        """DeleteApplication, with all its versions."""
        del self.applications[self._own(request)["ApplicationId"]]
        return {}

    def get_application(self, request: Document) -> Document:
        """GetApplication, at its newest version or the one that is asked for."""
        application = self._visible(request, "GetApplication")
        return self._shown(application, request.get("SemanticVersion"))

    def list_applications(self, request: Document) -> Document:
        """ListApplications: the caller's own, in this region."""
        own = [
            {name: one.get(name) for name in ("ApplicationId", "CreationTime", "Name", "SpdxLicenseId", *_DESCRIBED)}
            for one in self.applications.values()
            if one["Owner"] == self.surroundings.account
            and one["ApplicationId"].split(":")[3] == self.surroundings.region
        ]
        return _page("Applications", [_given(one) for one in own], request)

    def list_application_versions(self, request: Document) -> Document:
        """ListApplicationVersions."""
        application = self._visible(request, "ListApplicationVersions")
        named = ("ApplicationId", "CreationTime", "SemanticVersion", "SourceCodeUrl")
        versions = [
            _given({name: one.get(name) for name in named}) for one in reversed(application["Versions"].values())
        ]
        return _page("Versions", versions, request)

    def list_application_dependencies(self, request: Document) -> Document:
        """ListApplicationDependencies: the applications that are nested in this one."""
        application = self._visible(request, "ListApplicationDependencies")
        version = _version(application, request.get("SemanticVersion"))
        nested = [
            {name: resource["Properties"]["Location"][name] for name in ("ApplicationId", "SemanticVersion")}
            for resource in self.surroundings.parse(version["Template"])["Resources"].values()
            if resource.get("Type") == "AWS::Serverless::Application"
            and isinstance(resource["Properties"].get("Location"), dict)
        ]
        return _page("Dependencies", nested, request)

    def get_application_policy(self, request: Document) -> Document:
        """GetApplicationPolicy: nobody but the owner sees it."""
        return {"Statements": self._own(request)["Statements"]}

    def put_application_policy(self, request: Document) -> Document:
        """PutApplicationPolicy, which replaces what was there."""
        application = self._own(request)
        statements = [{"StatementId": str(uuid.uuid4()), **statement} for statement in request["Statements"]]
        for statement in statements:
            _check_statement(application, statement)
        application["Statements"] = statements
        return {"Statements": statements}

    def unshare_application(self, request: Document) -> Document:
        """UnshareApplication, by the management account of an organization, for all of it."""
        organization = request["OrganizationId"]
        application = self._found(request)
        permitted = any(
            organization in statement.get("PrincipalOrgIDs", []) and "UnshareApplication" in statement["Actions"]
            for statement in application["Statements"]
        )
        if not permitted or not self.surroundings.manages(organization):
            raise self._denied("UnshareApplication", application["ApplicationId"])
        application["Statements"] = [
            statement
            for statement in application["Statements"]
            if organization not in statement.get("PrincipalOrgIDs", [])
        ]
        return {}

    def create_cloud_formation_template(self, request: Document) -> Document:
        """CreateCloudFormationTemplate: a template to deploy, for an hour."""
        application = self._visible(request, "CreateCloudFormationTemplate")
        version = _version(application, request.get("SemanticVersion"))
        created = datetime.now(timezone.utc)
        template_id = str(uuid.uuid4())
        self.templates[template_id] = {
            "ApplicationId": application["ApplicationId"],
            "SemanticVersion": version["SemanticVersion"],
            "TemplateId": template_id,
            "TemplateUrl": self.surroundings.link(version["TemplateUrl"]),
            "CreationTime": _written(created),
            "ExpirationTime": _written(created + timedelta(hours=1)),
            "Owner": self.surroundings.account,
        }
        return _details(self.templates[template_id])

    def get_cloud_formation_template(self, request: Document) -> Document:
        """GetCloudFormationTemplate, of the account that asked for it."""
        template = self.templates.get(request["TemplateId"], {})
        if (template.get("Owner"), template.get("ApplicationId")) != (
            self.surroundings.account,
            request["ApplicationId"],
        ):
            raise RepositoryError(404, "NotFoundException", f"There is no template {request['TemplateId']}.")
        return _details(template)

    def create_cloud_formation_change_set(self, request: Document) -> Document:
        """CreateCloudFormationChangeSet, in the caller's account; refused without the capabilities that it needs."""
        application = self._visible(request, "CreateCloudFormationChangeSet")
        version = _version(application, request.get("SemanticVersion"))
        lacking = set(version["RequiredCapabilities"]) - set(request.get("Capabilities", []))
        if "CAPABILITY_NAMED_IAM" in request.get("Capabilities", []):
            lacking.discard("CAPABILITY_IAM")
        if lacking:
            raise bad_request(f"Requires capabilities: [{', '.join(sorted(lacking))}]")
        made = self.surroundings.create_change_set(version["TemplateUrl"], request)
        return {
            "ApplicationId": application["ApplicationId"],
            "SemanticVersion": version["SemanticVersion"],
            **made,
        }

    def _found(self, request: Document) -> Document:
        application = self.applications.get(request["ApplicationId"])
        if application is None:
            raise RepositoryError(404, "NotFoundException", f"There is no application {request['ApplicationId']}.")
        return application

    def _own(self, request: Document) -> Document:
        application = self._found(request)
        if application["Owner"] != self.surroundings.account:
            raise self._denied("that of its owner", request["ApplicationId"])
        return application

    def _visible(self, request: Document, action: str) -> Document:
        application = self._found(request)
        if application["Owner"] != self.surroundings.account and not self._permits(application, action):
            raise self._denied(action, request["ApplicationId"])
        return application

    def _permits(self, application: Document, action: str) -> bool:
        account = self.surroundings.account
        organization = self.surroundings.organization_of(account)
        for statement in application["Statements"]:
            organizations = statement.get("PrincipalOrgIDs") or []
            named = "*" in statement["Principals"] or account in statement["Principals"]
            if named and (not organizations or organization in organizations):
                permitted = statement["Actions"]
                if action in permitted or (_DEPLOY in permitted and action in _ACTIONS):
                    return True
        return False

    def _denied(self, action: str, application_id: str) -> RepositoryError:
        return RepositoryError(
            403,
            "AccessDeniedException",
            f"Account {self.surroundings.account} is not authorized to perform: serverlessrepo:{action} on resource: "
            f"{application_id}",
        )

    def _add_version(self, application: Document, request: Document) -> Document:
        text = self._text(request, "Template", LARGEST_TEMPLATE)
        if text is None:
            raise bad_request("A version has a template: TemplateBody or TemplateUrl.")
        try:
            template = self.surroundings.parse(text)
        except ValueError as error:
            raise bad_request(f"The template is none: {error}") from None
        name, version = application["Name"], request["SemanticVersion"]
        folder = f"{application['Owner']}/{name}/{version}"
        for location in code_locations(template).values():
            content = self._artifact(location)
            key = location.rpartition("/")[2]
            text = text.replace(location, f"s3://{_place(self.surroundings.keep(f'{folder}/{key}', content))}")
        archive = request.get("SourceCodeArchiveUrl")
        made = {
            "ApplicationId": application["ApplicationId"],
            "SemanticVersion": version,
            "CreationTime": _now(),
            "ParameterDefinitions": list(_parameters(template)),
            "RequiredCapabilities": capabilities(template),
            "ResourcesSupported": True,
            "SourceCodeUrl": request.get("SourceCodeUrl"),
            "SourceCodeArchiveUrl": self.surroundings.keep(f"{folder}/source.zip", self._artifact(archive))
            if archive
            else None,
            "TemplateUrl": self.surroundings.keep(f"{folder}/template.json", text.encode()),
            "Template": text,
        }
        application["Versions"][version] = made
        return self._public_part(made)

    def _shown(self, application: Document, semantic_version: str | None = None) -> Document:
        named = ("ApplicationId", "CreationTime", "IsVerifiedAuthor", "Name", "SpdxLicenseId", *_DESCRIBED)
        has_version = semantic_version or application["Versions"]
        version = self._public_part(_version(application, semantic_version)) if has_version else None
        links = self._links(application, "LicenseUrl", "ReadmeUrl")
        return _given({**{name: application.get(name) for name in named}, **links, "Version": version})

    def _public_part(self, version: Document) -> Document:
        shown = {name: value for name, value in version.items() if name != "Template"}
        return _given({**shown, **self._links(version, "TemplateUrl", "SourceCodeArchiveUrl")})

    def _links(self, document: Document, *names: str) -> dict[str, str]:
        return {name: self.surroundings.link(document[name]) for name in names if document.get(name)}

    def _document(self, application: Document, request: Document, name: str) -> str | None:
        text = self._text(request, name, LARGEST_DOCUMENT)
        if text is None:
            return None
        return self.surroundings.keep(f"{application['Owner']}/{application['Name']}/{name.lower()}", text.encode())

    def _text(self, request: Document, name: str, largest: int) -> str | None:
        body, url = request.get(f"{name}Body"), request.get(f"{name}Url")
        if body is not None and url is not None:
            raise bad_request(f"Give one of {name}Body and {name}Url, not both.")
        content = body.encode() if body is not None else self._artifact(url) if url is not None else None
        if content is not None and len(content) > largest:
            raise bad_request(f"{name} has {len(content):,} bytes: {largest:,} at most.")
        return None if content is None else content.decode()

    def _artifact(self, location: Any) -> bytes:
        found = _S3.fullmatch(location) if isinstance(location, str) else None
        if found is None:
            raise bad_request(f"{location} is no address of an object in Amazon S3: package the application first.")
        content = self.surroundings.read(found["bucket"], found["key"])
        if content is None:
            raise bad_request(
                f"The repository does not have read access to bucket '{found['bucket']}', key '{found['key']}': let "
                "serverlessrepo.amazonaws.com read it in the bucket's policy."
            )
        return content


def _refuse_broken(described: Mapping[str, Any]) -> None:
    problems = [f"{name} is {value}: {permitted}" for name, value, permitted in broken(described)]
    if problems:
        raise bad_request("; ".join(problems))


def _check_statement(application: Document, statement: Document) -> None:
    principals, organizations = statement["Principals"], statement.get("PrincipalOrgIDs") or []
    known = {_DEPLOY, *_ACTIONS, *({"UnshareApplication"} if organizations else ())}
    if unknown := set(statement["Actions"]) - known:
        raise bad_request(f"A statement permits no {', '.join(sorted(unknown))}.")
    for principal in principals:
        if principal != "*" and re.fullmatch(r"\d{12}", principal) is None:
            raise bad_request(f"Principal {principal} is neither an account of 12 digits nor *.")
    for organization in organizations:
        if re.fullmatch(r"o-[a-z0-9]{10,32}", organization) is None:
            raise bad_request(f"PrincipalOrgID {organization} is no organization's.")
    if "*" in principals and not organizations:
        missing = missing_for_the_public(application, next(reversed(application["Versions"]), None))
        if missing:
            raise bad_request(f"An application that everybody may see needs {', '.join(missing)}.")


def _parameters(template: Document) -> Iterator[Document]:
    for name, declared in (template.get("Parameters") or {}).items():
        copied = {
            key: declared[key]
            for key in ("AllowedPattern", "ConstraintDescription", "Description", "NoEcho", "Type")
            if key in declared
        }
        numbers = {
            key: int(declared[key]) for key in ("MaxLength", "MaxValue", "MinLength", "MinValue") if key in declared
        }
        default = {"DefaultValue": str(declared["Default"])} if "Default" in declared else {}
        allowed = (
            {"AllowedValues": [str(one) for one in declared["AllowedValues"]]} if "AllowedValues" in declared else {}
        )
        users = [
            logical_id
            for logical_id, resource in template["Resources"].items()
            if _refers(resource, name, template.get("Conditions") or {})
        ]
        yield {"Name": name, **copied, **numbers, **default, **allowed, "ReferencedByResources": users}


def _refers(node: Any, name: str, conditions: Mapping[str, Any]) -> bool:
    match node:
        case {"Ref": str(referred)}:
            return referred == name
        case {"Fn::If": [str(condition), *branches]}:
            return _refers(conditions.get(condition), name, {}) or _refers(branches, name, conditions)
        case {"Fn::Sub": str(text)}:
            return f"${{{name}}}" in text
        case dict():
            return any(_refers(inner, name, conditions) for inner in node.values())
        case list():
            return any(_refers(inner, name, conditions) for inner in node)
    return False


def _version(application: Document, semantic_version: str | None) -> Document:
    versions: dict[str, Document] = application["Versions"]
    wanted = semantic_version or next(reversed(versions), None)
    if wanted not in versions:
        raise RepositoryError(404, "NotFoundException", f"{application['ApplicationId']} has no version {wanted}.")
    return versions[wanted]


def _details(template: Document) -> Document:
    expired = template["ExpirationTime"] <= _now()
    return {
        **{name: value for name, value in template.items() if name != "Owner"},
        "Status": "EXPIRED" if expired else "ACTIVE",
    }


def _page(name: str, everything: list[Document], request: Document) -> Document:
    size, token = request.get("MaxItems", _PAGE), request.get("NextToken", "0")
    if not token.isdigit() or not 1 <= size <= _PAGE:
        raise bad_request(f"NextToken is what the last page gave, and MaxItems 1 to {_PAGE}.")
    end = int(token) + size
    return {name: everything[int(token) : end], "NextToken": str(end) if end < len(everything) else None}


def _given(document: Document) -> Document:
    return {name: value for name, value in document.items() if value is not None}


def _place(url: str) -> str:
    found = _S3.fullmatch(url)
    assert found is not None  # noqa: S101 - for mypy: `keep` answers such an address
    return f"{found['bucket']}/{found['key']}"


def _now() -> str:
    return _written(datetime.now(timezone.utc))


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
