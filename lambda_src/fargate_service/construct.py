"""A container image as a service on AWS Fargate, behind a load balancer, over HTTPS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as route53_targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from lambda_src.fargate_service.access_logs import AccessLogBucket
from lambda_src.fargate_service.alarms import RequestAlarms, Thresholds, task_alarms
from lambda_src.fargate_service.certificates import certificate_of, check_region, require_region
from lambda_src.fargate_service.deployment import Deployment
from lambda_src.fargate_service.load_balancer import LoadBalancer, target_group
from lambda_src.fargate_service.roles import task_role
from lambda_src.fargate_service.scaling import Scaling
from lambda_src.fargate_service.sizes import check_size
from lambda_src.log_group import log_group
from lambda_src.options import checked
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class LoadBalancedFargateService(Construct):
    """A cluster with one service of tasks in private subnets, the load balancer in front of it, and alarms.

    :param vpc: has public subnets for the load balancer, and private ones for the tasks.
    :param image: what runs.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AWS_Fargate.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        image: ecs.ContainerImage,
        container_port: int = 8080,
        cpu: int = 256,
        memory_mib: int = 512,
        cpu_architecture: ecs.CpuArchitecture | None = None,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, ecs.Secret] | None = None,
        user: str = "65532:65532",
        health_check_path: str = "/",
        health_check_command: Sequence[str] | None = None,
        health_check_grace_period: Duration = Duration.seconds(60),
        stop_timeout: Duration = Duration.seconds(30),
        certificate: acm.ICertificate | None = None,
        hosted_zone: route53.IHostedZone | None = None,
        domain_name: str | None = None,
        internet_facing: bool = True,
        clients: Sequence[ec2.IPeer] | None = None,
        desired_count: int = 2,
        scaling: Scaling = Scaling(),
        spot_percent: int = 0,
        deployment: Deployment = Deployment(),
        execute_command: bool = False,
        thresholds: Thresholds = Thresholds(),
        encryption_key: kms.IKey | None = None,
        posture: Posture = Posture.LAB,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Check the options, then make the cluster, the task, the load balancer, the service and its alarms."""
        with checked(LoadBalancedFargateService, scope, construct_id) as options:
            check_size(options, cpu, memory_mib)
            scaling.check(options, desired_count)
            deployment.check(options)
            thresholds.check(options)
            check_region(options, scope, certificate)
        super().__init__(scope, construct_id)
        require_region(self, certificate)
        #: Written to by the containers.
        self.log_group: logs.LogGroup = log_group(self, "Logs", posture=posture, encryption_key=encryption_key)
        #: What the container may do: nothing, until it is granted something.
        self.task_role: iam.Role = task_role(self, "TaskRole", description="What the container may do")
        self.execution_role: iam.Role = task_role(
            self, "ExecutionRole", description="What starts the task may do: pull the image, write logs, read secrets"
        )
        self.cluster: ecs.Cluster = ecs.Cluster(
            self,
            "Cluster",
            vpc=vpc,
            container_insights_v2=ecs.ContainerInsights.ENHANCED,
            enable_fargate_capacity_providers=True,
        )
        self.task_definition = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=cpu,
            memory_limit_mib=memory_mib,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=cpu_architecture or ecs.CpuArchitecture.X86_64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
            task_role=self.task_role,
            execution_role=self.execution_role,
        )
        self.container = self.task_definition.add_container(
            "web",
            image=image,
            environment=environment,
            secrets=secrets,
            user=user,
            readonly_root_filesystem=True,
            stop_timeout=stop_timeout,
            port_mappings=[ecs.PortMapping(container_port=container_port)],
            logging=ecs.LogDriver.aws_logs(stream_prefix="web", log_group=self.log_group),
            health_check=ecs.HealthCheck(command=list(health_check_command)) if health_check_command else None,
        )
        if hosted_zone and domain_name:
            certificate = certificate or certificate_of(self, hosted_zone, domain_name)
        self.access_logs = AccessLogBucket(self, "AccessLogs", posture=posture)
        self.load_balancer = LoadBalancer(
            self,
            "LoadBalancer",
            vpc=vpc,
            internet_facing=internet_facing,
            clients=clients or [ec2.Peer.any_ipv4()],
            certificate=certificate,
            access_logs=self.access_logs,
            posture=posture,
        )
        tasks: dict[str, Any] = {
            "vpc": vpc,
            "port": container_port,
            "health_check_path": health_check_path,
            "deregistration": stop_timeout,
        }
        self.target_group = target_group(self, "Targets", **tasks)
        self.listener = self.load_balancer.listen(default_target_groups=[self.target_group])
        requests = RequestAlarms(self, self.load_balancer, thresholds=thresholds, topic=alarm_topic)
        group = ec2.SecurityGroup(self, "TaskSecurityGroup", vpc=vpc, allow_all_outbound=False, description="The tasks")
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "HTTPS")
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=self.cluster,
            task_definition=self.task_definition,
            desired_count=desired_count,
            security_groups=[group],
            health_check_grace_period=health_check_grace_period,
            min_healthy_percent=100,
            max_healthy_percent=200,
            capacity_provider_strategies=[
                ecs.CapacityProviderStrategy(capacity_provider="FARGATE", base=1, weight=100 - spot_percent),
                ecs.CapacityProviderStrategy(capacity_provider="FARGATE_SPOT", weight=spot_percent),
            ],
            enable_execute_command=execute_command,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
            enable_ecs_managed_tags=True,
            deployment_alarms=ecs.DeploymentAlarmConfig(
                alarm_names=[alarm.alarm_name for alarm in requests.all],
                behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM,
            ),
            **deployment.as_options(),
        )
        self.service.attach_to_application_target_group(self.target_group)
        scaling.apply(self.service, self.target_group)
        #: All alarms.
        self.alarms: list[cloudwatch.Alarm] = [
            *requests.all,
            *task_alarms(
                self,
                cluster_name=self.cluster.cluster_name,
                service_name=self.service.service_name,
                target_groups=[self.target_group],
                topic=alarm_topic,
            ),
        ]
        if hosted_zone and domain_name:
            route53.ARecord(
                self,
                "Record",
                zone=hosted_zone,
                record_name=domain_name,
                target=route53.RecordTarget.from_alias(route53_targets.LoadBalancerTarget(self.load_balancer)),
            )
        scheme = "https" if certificate else "http"
        #: Where the service is.
        self.url: str = f"{scheme}://{domain_name or self.load_balancer.load_balancer_dns_name}"
