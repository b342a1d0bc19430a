"""What a service is put into: a network, and a name with a certificate, made here or given from context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Annotations, CfnParameter, Fn
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_route53 as route53

from lambda_src.network.construct import TASK_SERVICES, Egress, Network
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from lab_stacks.section import Section


def network(section: Section, *, internet: bool, shell: bool) -> ec2.IVpc:
    """Make a network, or take the one of ``-c vpc_id=... -c public_subnets=a,b -c private_subnets=c,d``.

    :param internet: whether tasks need more than AWS's services.
    :param shell: whether people open shells in them.
    """
    vpc_id = section.setting("vpc_id", "")
    public, private = (section.names(f"{kind}_subnets") for kind in ("public", "private"))
    if vpc_id:
        given = ec2.Vpc.from_vpc_attributes(
            section,
            "Network",
            vpc_id=vpc_id,
            availability_zones=[Fn.select(number, Fn.get_azs()) for number in range(len(private))],
            public_subnet_ids=public,
            private_subnet_ids=private,
        )
        Annotations.of(given).acknowledge_warning(
            "@aws-cdk/aws-ec2:noSubnetRouteTableId", "Nothing here adds a route to a network that is another's."
        )
        return given
    sessions = [ec2.InterfaceVpcEndpointAwsService.SSM_MESSAGES] if shell else []
    return Network(
        section,
        "Network",
        egress=Egress.INTERNET if internet else None,
        services=[*TASK_SERVICES, *sessions],
        posture=section.posture,
    )


def name_and_certificate(section: Section) -> dict[str, Any]:
    """Say by which name and with which certificate callers come, as the service's options.

    ``-c certificate_arn=...`` has a certificate that there is; ``-c zone_id=... -c zone_name=example.com`` a hosted
    zone, in which one is made. In the posture ``production`` there has to be one: if neither is given, the deployment
    asks for the parameter ``CertificateArn``, and makes nothing without.
    """
    arn, zone_id, zone_name = (section.setting(name, "") for name in ("certificate_arn", "zone_id", "zone_name"))
    domain_name = section.setting("domain_name", f"fargate.{zone_name}" if zone_name else "") or None
    if not arn and not zone_id and section.posture is Posture.PRODUCTION:
        arn = _parameter(section)
    zone, certificate = None, None
    if zone_id:
        zone = route53.HostedZone.from_hosted_zone_attributes(
            section, "Zone", hosted_zone_id=zone_id, zone_name=zone_name
        )
    if arn:
        certificate = acm.Certificate.from_certificate_arn(section, "Certificate", arn)
    return {"certificate": certificate, "hosted_zone": zone, "domain_name": domain_name}


def _parameter(section: Section) -> str:
    Annotations.of(section).add_warning_v2(
        "serverless-lab:certificate",
        "In the posture production requests come by HTTPS: give -c certificate_arn=ARN, or -c zone_id=ID with -c "
        "zone_name=NAME; without either the deployment asks for it, --parameters CertificateArn=ARN.",
    )
    return CfnParameter(
        section,
        "CertificateArn",
        description="A certificate of AWS Certificate Manager in this region, for HTTPS: give -c certificate_arn=ARN",
        allowed_pattern=r"arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/.+",
        constraint_description="The ARN of a certificate of AWS Certificate Manager",
    ).value_as_string
