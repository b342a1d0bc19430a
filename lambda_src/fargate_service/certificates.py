"""Where the certificate of a load balancer has to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Aws, CfnRule, CfnRuleAssertion, Fn, Stack, Token
from aws_cdk import aws_certificatemanager as acm

if TYPE_CHECKING:
    from constructs import Construct


def region_of(certificate: acm.ICertificate | None) -> str | None:
    """Read the region of a certificate, where its ARN is known before the deployment."""
    if certificate is None or Token.is_unresolved(certificate.certificate_arn):
        return None
    return certificate.certificate_arn.split(":")[3]


def require_region(scope: Construct, certificate: acm.ICertificate | None) -> None:
    """Have CloudFormation refuse the certificate's deployment to another region, before it makes anything."""
    region = region_of(certificate)
    if region and Token.is_unresolved(Stack.of(scope).region):
        CfnRule(
            scope,
            "CertificateRegion",
            assertions=[
                CfnRuleAssertion(
                    assert_=Fn.condition_equals(Aws.REGION, region),
                    assert_description=f"The certificate is in {region}, and a load balancer takes none from another "
                    f"region: deploy to {region}, or give a certificate of this region.",
                )
            ],
        )
