"""A stack as a serverless application: the SAM template that can be published, and the bucket of its code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_cdk import Annotations, App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from lambda_src.options import checked
from lambda_src.posture import Posture
from lambda_src.published_application.assembly import assembly_of, packaged_template
from lambda_src.published_application.bucket import packages_bucket
from lambda_src.published_application.listed import unlisted
from lambda_src.published_application.rules import LARGEST_DOCUMENT, broken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lambda_src.options import Options

_OPTIONS = {
    "Name": "application_name",
    "Author": "author",
    "Description": "description",
    "SemanticVersion": "semantic_version",
    "SpdxLicenseId": "spdx_license_id",
    "Labels": "labels",
    "HomePageUrl": "home_page_url",
    "SourceCodeUrl": "source_code_url",
}


class PublishedApplication(Construct):
    """An application for the AWS Serverless Application Repository, made from a stack.

    The stack is synthesized in an app of its own (``workspace``), and its template is written into the cloud assembly
    as a SAM template: its functions as ``AWS::Serverless::Function``, its tables of one region as
    ``AWS::DynamoDB::Table``, and all that the repository shows as metadata. A type of resource that the repository is
    not known to take is a warning.
    Its parameters are those of the application. A bucket takes the code, keeps every version of it, and lets the
    repository read it, for this account alone. ``lab sar package`` and ``lab sar publish`` do the rest, or
    ``sam package`` and ``sam publish``.

    :param application: the stack, in an app of its own, with code in functions and no other assets.
    :param application_name: 1 to 140 letters, digits and hyphens; it cannot be changed later.
    :param semantic_version: of this state of the application, such as ``1.0.0``; what is published stays as it is.
    :param author: 1 to 127 lower case letters and digits, with single hyphens between them.
    :param description: 1 to 256 characters.
    :param spdx_license_id: identifier of the licence, such as ``MIT``; given with ``license_file``, and needed for an
        application that everybody may see.
    :param license_file: the licence, up to 5 MB. It cannot be changed once the application is published.
    :param readme_file: what the application is and how it works, in Markdown, up to 5 MB.
    :param labels: words to find it by, up to 10, of 1 to 127 letters, digits, and any of ``+-_:/@``.
    :param home_page_url: address of a page about it.
    :param source_code_url: address of its source in a public repository.
    :param posture: ``PRODUCTION`` keeps the bucket when its stack is deleted.
    :raises ValueError: naming every option outside its range, and what of the stack cannot be published.

    Source: https://docs.aws.amazon.com/serverlessrepo/latest/devguide/serverlessrepo-how-to-publish.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        application: Stack,
        application_name: str,
        semantic_version: str,
        author: str,
        description: str,
        spdx_license_id: str | None = None,
        license_file: Path | None = None,
        readme_file: Path | None = None,
        labels: Sequence[str] = (),
        home_page_url: str | None = None,
        source_code_url: str | None = None,
        posture: Posture = Posture.LAB,
    ) -> None:
        """Check the options, then write the SAM template and make the bucket."""
        metadata = {
            "Name": application_name,
            "Description": description,
            "Author": author,
            "SemanticVersion": semantic_version,
            "SpdxLicenseId": spdx_license_id,
            "Labels": list(labels),
            "HomePageUrl": home_page_url,
            "SourceCodeUrl": source_code_url,
        }
        folder = assembly_of(scope)
        with checked(PublishedApplication, scope, construct_id) as options:
            for name, value, permitted in broken(metadata):
                options.require(False, _OPTIONS[name], value, permitted)
            options.require(
                (license_file is None) == (spdx_license_id is None),
                "license_file",
                license_file,
                "given together with spdx_license_id, or both left out",
            )
            documents = {"license_file": license_file, "readme_file": readme_file}
            for option, document in documents.items():
                _check_document(options, option, document)
            options.require(
                application.node.root is not scope.node.root,
                "application",
                application.node.path,
                "a stack in an app of its own: PublishedApplication.workspace(self) makes one",
            )
            template: dict[str, Any] = {}
            if not options.problems:
                files = {"LicenseUrl": license_file, "ReadmeUrl": readme_file}
                template = packaged_template(options, application, metadata, files, folder)
        super().__init__(scope, construct_id)
        for doubt in unlisted(template):
            Annotations.of(self).add_warning_v2("serverless-lab:unlisted-resource-type", doubt)

        #: The SAM template, in the cloud assembly; what it refers to is beside it, or named by a relative path.
        self.template_file: Path = folder / f"{Stack.of(self).artifact_id}.{construct_id}.sam.json"
        self.template_file.parent.mkdir(parents=True, exist_ok=True)
        self.template_file.write_text(json.dumps(template, indent=1))
        #: Takes the packaged code, the licence and the readme.
        self.bucket: s3.Bucket = packages_bucket(self, posture)
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ReadByTheRepository",
                principals=[iam.ServicePrincipal("serverlessrepo.amazonaws.com")],
                actions=["s3:GetObject"],
                resources=[self.bucket.arn_for_objects("*")],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )

    @staticmethod
    def workspace(scope: Construct, *, context: Mapping[str, Any] | None = None) -> App:
        """Make the app for the application's stack: inside the cloud assembly of ``scope``, with the same context.

        :param context: what differs there, such as names that the application's parameters give.
        """
        outdir = assembly_of(scope) / f"{Stack.of(scope).artifact_id}.application"
        return App(
            analytics_reporting=False,
            auto_synth=False,
            outdir=str(outdir),
            context=scope.node.get_all_context(),
            post_cli_context=dict(context or {}),
        )


def _check_document(options: Options, option: str, document: Path | None) -> None:
    if document is None:
        return
    if not document.is_file():
        options.require(False, option, document, "a file that exists")
    else:
        size = document.stat().st_size
        options.require(size <= LARGEST_DOCUMENT, option, f"{size:,} bytes", f"{LARGEST_DOCUMENT:,} bytes at most")
