"""Which options of a service on Fargate are impossible, alone or together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Stack, Token
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53

from lambda_src.fargate_service.certificates import region_of
from lambda_src.fargate_service.sizes import check_size
from lambda_src.options import checked
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from constructs import Construct

    from lambda_src.fargate_service.alarms import Thresholds
    from lambda_src.fargate_service.deployment import Deployment
    from lambda_src.fargate_service.scaling import Scaling
    from lambda_src.fargate_service.task import Container
    from lambda_src.options import Options


def check(
    construct: type[Construct],
    scope: Construct,
    construct_id: str,
    *,
    cpu: int,
    memory_mib: int,
    container: Container,
    desired_count: int,
    scaling: Scaling,
    spot_percent: int,
    deployment: Deployment,
    thresholds: Thresholds,
    **front: Any,
) -> None:
    """Check every option.

    :raises InvalidOptionsError: naming those that are wrong.
    """
    with checked(construct, scope, construct_id) as options:
        check_size(options, cpu, memory_mib)
        container.check(options)
        scaling.check(options, desired_count)
        options.require(0 <= spot_percent <= 100, "spot_percent", spot_percent, "0 to 100 %")
        deployment.check(options)
        options.require(
            not deployment.shifts_traffic or scaling.requests_per_target is None,
            "scaling.requests_per_target",
            scaling.requests_per_target,
            f"None with {deployment.name}: a deployment moves the requests to another target group, and AWS does not "
            "scale on that",
        )
        thresholds.check(options)
        _check_front(options, scope, **front)


def _check_front(
    options: Options,
    scope: Construct,
    *,
    certificate: acm.ICertificate | None,
    hosted_zone: route53.IHostedZone | None,
    domain_name: str | None,
    posture: Posture,
) -> None:
    encrypted = certificate is not None or hosted_zone is not None
    options.require(
        encrypted or posture is not Posture.PRODUCTION,
        "certificate",
        "None in the posture PRODUCTION",
        "requests would come by plain HTTP: give a certificate, or a hosted_zone with a domain_name",
    )
    elsewhere, here = region_of(certificate), Stack.of(scope).region
    options.require(
        elsewhere is None or Token.is_unresolved(here) or elsewhere == here,
        "certificate",
        f"in {elsewhere}",
        f"one in {here}, as a load balancer takes none from another region: request it there, or give a hosted_zone",
    )
    if hosted_zone is None:
        return
    zone, name = hosted_zone.zone_name, domain_name or ""
    within = Token.is_unresolved(zone) or name == zone or name.endswith(f".{zone}")
    options.require(
        within, "domain_name", domain_name, f"a name in the hosted_zone: {zone}, or one that ends with .{zone}"
    )
