"""Keeps applications and their versions, and decides who sees and who deploys them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from lab.serverlessrepo import parameters, policy
from lab.serverlessrepo.artifacts import Artifacts
from lab.serverlessrepo.protocol import RepositoryError, bad_request
from lambda_src.published_application.rules import broken, capabilities, code_locations, is_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.serverlessrepo.surroundings import Document, Surroundings

_PAGE = 100
_DESCRIBED = ("Author", "Description", "HomePageUrl", "Labels")


@dataclass
class Repository:
    """The applications of every account in every region; the operations of the API are its methods' names."""

    surroundings: Surroundings
    applications: dict[str, Document]
    templates: dict[str, Document]

    def __post_init__(self) -> None:
        self._artifacts = Artifacts(self.surroundings)

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
        folder = _folder(application)
        application["LicenseUrl"] = self._artifacts.document(request, "License", folder)
        application["ReadmeUrl"] = self._artifacts.document(request, "Readme", folder)
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
        changed["ReadmeUrl"] = (
            self._artifacts.document(request, "Readme", _folder(application)) or application["ReadmeUrl"]
        )
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
            policy.check(statement, application)
        application["Statements"] = statements
        return {"Statements": statements}

    def unshare_application(self, request: Document) -> Document:
        """UnshareApplication, by the management account of an organization, for all of it."""
        organization = request["OrganizationId"]
        application = self._found(request)
        may_end = policy.may_end(application["Statements"], organization)
        if not may_end or not self.surroundings.manages(organization):
            raise self._denied("UnshareApplication", application["ApplicationId"])
        application["Statements"] = policy.without(application["Statements"], organization)
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
        account = self.surroundings.account
        organization = self.surroundings.organization_of(account)
        permitted = policy.permits(application["Statements"], action, account=account, organization=organization)
        if application["Owner"] != account and not permitted:
            raise self._denied(action, request["ApplicationId"])
        return application

    def _denied(self, action: str, application_id: str) -> RepositoryError:
        return RepositoryError(
            403,
            "AccessDeniedException",
            f"Account {self.surroundings.account} is not authorized to perform: serverlessrepo:{action} on resource: "
            f"{application_id}",
        )

    def _add_version(self, application: Document, request: Document) -> Document:
        text = self._artifacts.template(request)
        try:
            template = self.surroundings.parse(text)
        except ValueError as error:
            raise bad_request(f"The template is none: {error}") from None
        version = request["SemanticVersion"]
        folder = f"{_folder(application)}/{version}"
        for location in code_locations(template).values():
            text = text.replace(location, self._artifacts.code(location, folder))
        archive = request.get("SourceCodeArchiveUrl")
        made = {
            "ApplicationId": application["ApplicationId"],
            "SemanticVersion": version,
            "CreationTime": _now(),
            "ParameterDefinitions": list(parameters.definitions(template)),
            "RequiredCapabilities": capabilities(template),
            "ResourcesSupported": True,
            "SourceCodeUrl": request.get("SourceCodeUrl"),
            "SourceCodeArchiveUrl": self._artifacts.archive(archive, folder) if archive else None,
            "TemplateUrl": self.surroundings.keep(f"{folder}/template.json", text.encode()),
            "Template": text,
        }
        application["Versions"][version] = made
        return self._public_part(made)

    def _shown(self, application: Document, semantic_version: str | None = None) -> Document:
        named = ("ApplicationId", "CreationTime", "IsVerifiedAuthor", "Name", "SpdxLicenseId", *_DESCRIBED)
        has_version = semantic_version or application["Versions"]
        version = self._public_part(_version(application, semantic_version)) if has_version else None
        links = self._artifacts.links(application, "LicenseUrl", "ReadmeUrl")
        return _given({**{name: application.get(name) for name in named}, **links, "Version": version})

    def _public_part(self, version: Document) -> Document:
        shown = {name: value for name, value in version.items() if name != "Template"}
        return _given({**shown, **self._artifacts.links(version, "TemplateUrl", "SourceCodeArchiveUrl")})


def _refuse_broken(described: Mapping[str, Any]) -> None:
    problems = [f"{name} is {value}: {permitted}" for name, value, permitted in broken(described)]
    if problems:
        raise bad_request("; ".join(problems))


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


def _folder(application: Document) -> str:
    return f"{application['Owner']}/{application['Name']}"


def _given(document: Document) -> Document:
    return {name: value for name, value in document.items() if value is not None}


def _now() -> str:
    return _written(datetime.now(timezone.utc))


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
