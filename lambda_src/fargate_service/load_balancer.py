"""The load balancer in front of a service: where requests come in, by which protocol, and where they go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from lambda_src.fargate_service.access_logs import AccessLogBucket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from lambda_src.posture import Posture


class LoadBalancer(elbv2.ApplicationLoadBalancer):
    """An Application Load Balancer that logs every request, and drops those whose header fields are malformed.

    With a certificate it speaks HTTPS, and sends whoever comes by HTTP there.

    :param clients: who may open a connection to it.
    :param access_logs: keeps its logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        internet_facing: bool,
        clients: Sequence[ec2.IPeer],
        certificate: acm.ICertificate | None,
        access_logs: AccessLogBucket,
        posture: Posture,
    ) -> None:
        """Make the load balancer, its security group and its listeners' ports."""
        group = ec2.SecurityGroup(
            scope, f"{construct_id}SecurityGroup", vpc=vpc, allow_all_outbound=False, description="The load balancer"
        )
        super().__init__(
            scope,
            construct_id,
            vpc=vpc,
            internet_facing=internet_facing,
            security_group=group,
            deletion_protection=posture.protects_data,
            drop_invalid_header_fields=True,
            desync_mitigation_mode=elbv2.DesyncMitigationMode.DEFENSIVE,
        )
        access_logs.take_logs_of(self)
        self._certificate = certificate
        for peer in clients:
            for port in (443, 80) if certificate else (80,):
                group.add_ingress_rule(peer, ec2.Port.tcp(port), "Clients")

    def listen(self, **options: Any) -> elbv2.ApplicationListener:
        """Add the listener that requests come by; ``options`` say what becomes of them."""
        if self._certificate is None:
            return self.add_listener("Http", protocol=elbv2.ApplicationProtocol.HTTP, port=80, open=False, **options)
        self.add_redirect(open=False)
        return self.add_listener(
            "Https",
            protocol=elbv2.ApplicationProtocol.HTTPS,
            port=443,
            open=False,
            certificates=[self._certificate],
            ssl_policy=elbv2.SslPolicy.RECOMMENDED_TLS,
            **options,
        )


def target_group(
    scope: Construct, construct_id: str, *, vpc: ec2.IVpc, port: int, health_check_path: str, deregistration: Duration
) -> elbv2.ApplicationTargetGroup:
    """Make a group of tasks, each of which is asked for ``health_check_path`` every ten seconds."""
    return elbv2.ApplicationTargetGroup(
        scope,
        construct_id,
        vpc=vpc,
        port=port,
        protocol=elbv2.ApplicationProtocol.HTTP,
        target_type=elbv2.TargetType.IP,
        deregistration_delay=deregistration,
        health_check=elbv2.HealthCheck(
            path=health_check_path,
            interval=Duration.seconds(10),
            timeout=Duration.seconds(5),
            healthy_threshold_count=2,
            unhealthy_threshold_count=3,
        ),
    )
