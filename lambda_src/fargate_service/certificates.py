"""Which certificate a load balancer shows, and where it has to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Aws, CfnRule, CfnRuleAssertion, Fn, Stack, Token
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53

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


def certificate_of(scope: Construct, zone: route53.IHostedZone, domain_name: str) -> acm.Certificate:
    """Request a certificate that AWS renews by itself, by a record in ``zone``."""
    return acm.Certificate(
        scope, "Certificate", domain_name=domain_name, validation=acm.CertificateValidation.from_dns(zone)
    )
