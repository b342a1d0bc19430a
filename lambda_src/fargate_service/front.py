"""What callers meet: the load balancer, its certificate and its name, and the groups of tasks behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as route53_targets
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from lambda_src.acknowledged import acknowledge
from lambda_src.fargate_service.listening import listen, target_group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_src.fargate_service.access_logs import AccessLogBucket
    from lambda_src.fargate_service.task import Container
    from lambda_src.posture import Posture


class Front(Construct):
    """An Application Load Balancer that logs every request, and drops header fields that are malformed.

    :param two_groups: a deployment moves requests from one group of tasks to another, by a rule of the listener.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        container: Container,
        two_groups: bool,
        certificate: acm.ICertificate | None,
        hosted_zone: route53.IHostedZone | None,
        domain_name: str | None,
        internet_facing: bool,
        clients: Sequence[ec2.IPeer],
        web_acl_arn: str | None,
        access_logs: AccessLogBucket,
        posture: Posture,
    ) -> None:
        """Make the load balancer and all that belongs to it."""
        super().__init__(scope, construct_id)
        if hosted_zone and domain_name and not certificate:
            certificate = acm.Certificate(
                self,
                "Certificate",
                domain_name=domain_name,
                validation=acm.CertificateValidation.from_dns(hosted_zone),
            )
        everybody = ec2.Peer.any_ipv4() if internet_facing else ec2.Peer.ipv4(vpc.vpc_cidr_block)
        ports = [443, 80] if certificate else [80]
        #: Where requests come in.
        self.load_balancer: elbv2.ApplicationLoadBalancer = elbv2.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            vpc=vpc,
            internet_facing=internet_facing,
            security_group=self._security_group(vpc, clients or [everybody], ports),
            deletion_protection=posture.protects_data,
            drop_invalid_header_fields=True,
        )
        access_logs.take_logs_of(self.load_balancer)
        names = ["Targets", "OtherTargets"] if two_groups else ["Targets"]
        #: Where they go.
        self.target_groups: list[elbv2.ApplicationTargetGroup] = [
            target_group(self, name, vpc=vpc, container=container) for name in names
        ]
        self._port = container.port
        self._alternate = listen(self.load_balancer, certificate, self.target_groups)
        #: What callers write.
        self.url: str = (
            f"{'https' if certificate else 'http'}://{domain_name or self.load_balancer.load_balancer_dns_name}"
        )
        if hosted_zone and domain_name:
            to_it = route53.RecordTarget.from_alias(route53_targets.LoadBalancerTarget(self.load_balancer))
            route53.ARecord(self, "Record", zone=hosted_zone, record_name=domain_name, target=to_it)
        if web_acl_arn:
            wafv2.CfnWebACLAssociation(
                self, "WebAcl", resource_arn=self.load_balancer.load_balancer_arn, web_acl_arn=web_acl_arn
            )
        self._acknowledge(web_acl_arn, posture)

    def serve(self, service: ecs.FargateService) -> None:
        """Send requests to the tasks of ``service``."""
        target = service.load_balancer_target(
            container_name="web", container_port=self._port, alternate_target=self._alternate
        )
        target.attach_to_application_target_group(self.target_groups[0])
        if self._alternate:
            acknowledge(
                service,
                "W3005",
                reason="The service names the rule by which deployments move requests, and so waits for it. That the "
                "CDK says so once more changes nothing.",
            )

    def _security_group(self, vpc: ec2.IVpc, clients: Sequence[ec2.IPeer], ports: Sequence[int]) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=vpc,
            allow_all_outbound=False,
            description="Load balancer: clients reach it, and it reaches the tasks",
        )
        for client in clients:
            for port in ports:
                group.add_ingress_rule(client, ec2.Port.tcp(port), "Clients")
        acknowledge(
            group,
            "AwsSolutions-EC23",
            "CKV_AWS_260",
            reason="It is the one thing here that clients are to reach, and those are everybody unless clients= names "
            "some. By port 80 they get a redirection to HTTPS, once there is a certificate.",
        )
        return group

    def _acknowledge(self, web_acl_arn: str | None, posture: Posture) -> None:
        if web_acl_arn is None:
            acknowledge(
                self.load_balancer,
                "NIST.800.53.R5-ALBWAFEnabled",
                "PCI.DSS.321-ALBWAFEnabled",
                reason="No web_acl_arn was given: which requests of an application are an attack is for its owner to "
                "say, and AWS WAF has a price for each rule and each request.",
            )
        if not posture.protects_data:
            acknowledge(
                self.load_balancer,
                "NIST.800.53.R5-ELBDeletionProtectionEnabled",
                "HIPAA.Security-ELBDeletionProtectionEnabled",
                reason="In the posture LAB a stack goes as it came, with one command; PRODUCTION protects its load "
                "balancer from deletion.",
            )
