"""By which protocol requests come to a load balancer, and to which group of tasks they go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from lambda_src.acknowledged import acknowledge
from lambda_src.fargate_service.roles import role_of_deployments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from lambda_src.fargate_service.task import Container


def target_group(
    scope: Construct, construct_id: str, *, vpc: ec2.IVpc, container: Container
) -> elbv2.ApplicationTargetGroup:
    """Make a group of tasks, each of which is asked how it is every ten seconds.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
    """
    return elbv2.ApplicationTargetGroup(
        scope,
        construct_id,
        vpc=vpc,
        port=container.port,
        protocol=elbv2.ApplicationProtocol.HTTP,
        target_type=elbv2.TargetType.IP,
        # As long as the container has to end, once the load balancer sends it nothing more.
        deregistration_delay=container.stop_timeout,
        health_check=elbv2.HealthCheck(
            path=container.health_check_path,
            interval=Duration.seconds(10),
            timeout=Duration.seconds(5),
            healthy_threshold_count=2,
            unhealthy_threshold_count=3,
        ),
    )


def listen(
    load_balancer: elbv2.ApplicationLoadBalancer,
    certificate: acm.ICertificate | None,
    target_groups: Sequence[elbv2.ApplicationTargetGroup],
) -> ecs.AlternateTarget | None:
    """Listen for HTTPS, and send HTTP there; without a certificate, listen for HTTP.

    Return what a deployment needs to move requests from the first of two groups to the other, if there are two.
    """
    first, *others = target_groups
    one = {"default_target_groups": [first]}
    # All requests come by the rule: a deployment changes it, and never the listener itself.
    none = {"default_action": elbv2.ListenerAction.fixed_response(404)}
    listener = _listener(load_balancer, certificate, none if others else one)
    if not others:
        return None
    [other] = others
    rule = elbv2.ApplicationListenerRule(
        listener,
        "Live",
        listener=listener,
        priority=1,
        conditions=[elbv2.ListenerCondition.path_patterns(["/*"])],
        action=elbv2.ListenerAction.weighted_forward(
            [
                elbv2.WeightedTargetGroup(target_group=first, weight=100),
                elbv2.WeightedTargetGroup(target_group=other, weight=0),
            ]
        ),
    )
    role = role_of_deployments(
        listener,
        "Deployments",
        listener=listener.listener_arn,
        rule=rule.listener_rule_arn,
        target_groups=[group.target_group_arn for group in target_groups],
    )
    return ecs.AlternateTarget(
        "Alternate",
        alternate_target_group=other,
        production_listener=ecs.ListenerRuleConfiguration.application_listener_rule(rule),
        role=role,
    )


def _listener(
    load_balancer: elbv2.ApplicationLoadBalancer, certificate: acm.ICertificate | None, action: dict[str, Any]
) -> elbv2.ApplicationListener:
    if certificate:
        acknowledge(
            load_balancer.add_redirect(open=False),
            "NIST.800.53.R5-ELBv2ACMCertificateRequired",
            "HIPAA.Security-ELBv2ACMCertificateRequired",
            "PCI.DSS.321-ELBv2ACMCertificateRequired",
            reason="This listener forwards nothing: it answers every request with a redirection to HTTPS, and the "
            "listener there has the certificate.",
        )
        return load_balancer.add_listener(
            "Https",
            protocol=elbv2.ApplicationProtocol.HTTPS,
            port=443,
            certificates=[certificate],
            ssl_policy=elbv2.SslPolicy.RECOMMENDED_TLS,
            open=False,
            **action,
        )
    listener = load_balancer.add_listener(
        "Http", protocol=elbv2.ApplicationProtocol.HTTP, port=80, open=False, **action
    )
    acknowledge(
        listener,
        "CKV_AWS_2",
        "CKV_AWS_103",
        "NIST.800.53.R5-ALBHttpToHttpsRedirection",
        "HIPAA.Security-ALBHttpToHttpsRedirection",
        "PCI.DSS.321-ALBHttpToHttpsRedirection",
        "NIST.800.53.R5-ELBv2ACMCertificateRequired",
        "HIPAA.Security-ELBv2ACMCertificateRequired",
        "PCI.DSS.321-ELBv2ACMCertificateRequired",
        reason="Neither a certificate nor a hosted_zone was given, which the posture LAB permits and PRODUCTION "
        "refuses: a lab in an account without a domain would have no service to look at.",
    )
    return listener
