"""A container image as a service on AWS Fargate, behind a load balancer that speaks HTTPS."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from lambda_src.fargate_service.access_logs import AccessLogBucket
from lambda_src.fargate_service.alarms import Thresholds, request_alarms, task_alarms
from lambda_src.fargate_service.certificates import require_region
from lambda_src.fargate_service.checks import check
from lambda_src.fargate_service.cluster import cluster_of
from lambda_src.fargate_service.deployment import Deployment
from lambda_src.fargate_service.front import Front
from lambda_src.fargate_service.placement import security_group, ways_out
from lambda_src.fargate_service.scaling import Scaling
from lambda_src.fargate_service.task import Container, Task
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from collections.abc import Sequence


class LoadBalancedFargateService(Construct):
    """A service of tasks in private subnets, the load balancer in front of them, their cluster and their alarms.

    Requests come by HTTPS, as soon as there is a certificate or a zone, and then HTTP leads there. Tasks have no public
    address, a role that may do nothing until it is granted something (``task_role``), and a read-only root file system.
    A deployment whose tasks do not start, or that sets an alarm off, is rolled back.

    :param vpc: has public subnets for the load balancer, unless that is internal, and private ones for the tasks, from
        which Amazon ECR, CloudWatch Logs and whatever else they use can be reached: ``Network`` makes one.
    :param container: the image, and how it runs.
    :param cpu: of a task in units, of which a virtual CPU has 1,024: 256 to 16,384.
    :param memory_mib: of a task; which there are depends on ``cpu``: 512, 1,024 or 2,048 MiB go with 256 units.
    :param desired_count: tasks after a deployment, within ``scaling``.
    :param scaling: between which numbers of tasks the service scales, and on what.
    :param spot_percent: of the tasks after the first ``scaling.min_tasks``, those on Fargate Spot, 0 to 100: 70 % off,
        and stopped with two minutes' notice when AWS needs the capacity.
    :param deployment: how a new version takes the place of the old one: rolling, blue/green, linear or canary.
    :param certificate: for HTTPS, of the load balancer's region.
    :param hosted_zone: a public zone of Amazon Route 53: gets a record for ``domain_name``, and the one that a
        certificate is validated by, which is requested if none is given.
    :param domain_name: what callers write, in the zone or in the certificate.
    :param internet_facing: ``False`` puts the load balancer into the private subnets.
    :param clients: who may connect to the load balancer; by default everybody, or the VPC if it is internal.
    :param web_acl_arn: a web ACL of AWS WAF, which looks at every request first; none by default.
    :param health_check_grace_period: before the load balancer's opinion of a new task counts, 0 s or more.
    :param execute_command: lets people who may ``ecs:ExecuteCommand`` open a shell in a container (ECS Exec), whose
        session is logged; the root file system is then writable, as its agent has to write there.
    :param tracing: adds the agent that takes traces, and tells the container where it is; its image comes from the
        internet.
    :param thresholds: when the alarms go off.
    :param encryption_key: customer managed KMS key for the logs; by default CloudWatch Logs' own, at no cost.
    :param posture: how long logs are kept; ``PRODUCTION`` refuses plain HTTP, protects the load balancer from deletion,
        and has Container Insights for every task and container.
    :param alarm_topic: told of alarms.
    :raises ValueError: naming every option outside its range.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-fargate.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        container: Container,
        cpu: int = 256,
        memory_mib: int = 512,
        desired_count: int = 2,
        scaling: Scaling = Scaling(),  # noqa: B008 - it cannot be changed
        spot_percent: int = 0,
        deployment: Deployment = Deployment(),  # noqa: B008 - it cannot be changed
        certificate: acm.ICertificate | None = None,
        hosted_zone: route53.IHostedZone | None = None,
        domain_name: str | None = None,
        internet_facing: bool = True,
        clients: Sequence[ec2.IPeer] = (),
        web_acl_arn: str | None = None,
        health_check_grace_period: Duration | None = None,
        execute_command: bool = False,
        tracing: bool = False,
        thresholds: Thresholds = Thresholds(),  # noqa: B008 - it cannot be changed
        encryption_key: kms.IKey | None = None,
        posture: Posture = Posture.LAB,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        """Check the options, then make the task, the load balancer, the service and its alarms."""
        check(
            LoadBalancedFargateService,
            scope,
            construct_id,
            cpu=cpu,
            memory_mib=memory_mib,
            container=container,
            desired_count=desired_count,
            scaling=scaling,
            spot_percent=spot_percent,
            deployment=deployment,
            certificate=certificate,
            hosted_zone=hosted_zone,
            domain_name=domain_name,
            thresholds=thresholds,
            posture=posture,
        )
        super().__init__(scope, construct_id)
        require_region(self, certificate)
        task = Task(
            self,
            "Task",
            container,
            cpu=cpu,
            memory_mib=memory_mib,
            execute_command=execute_command,
            tracing=tracing,
            encryption_key=encryption_key,
            posture=posture,
        )
        #: What runs.
        self.task_definition: ecs.FargateTaskDefinition = task.definition
        #: What the container may do: nothing, until it is granted something.
        self.task_role: iam.Role = task.role
        #: What starts the task may do: pull the image, write logs, read the secrets.
        self.execution_role: iam.Role = task.execution_role
        #: What the container prints.
        self.log_group: logs.LogGroup = task.log_group
        #: Where the tasks are counted.
        self.cluster: ecs.Cluster = cluster_of(
            self,
            "Cluster",
            vpc=vpc,
            shells_of=self.task_role if execute_command else None,
            encryption_key=encryption_key,
            posture=posture,
        )
        #: Which requests came, and what became of each.
        self.access_logs: s3.Bucket = AccessLogBucket(self, "AccessLogs", posture=posture)
        front = Front(
            self,
            "Front",
            vpc=vpc,
            container=container,
            two_groups=deployment.shifts_traffic,
            certificate=certificate,
            hosted_zone=hosted_zone,
            domain_name=domain_name,
            internet_facing=internet_facing,
            clients=clients,
            web_acl_arn=web_acl_arn,
            access_logs=self.access_logs,
            posture=posture,
        )
        #: Where requests come in.
        self.load_balancer: elbv2.ApplicationLoadBalancer = front.load_balancer
        #: Where they go: one group of tasks, or two between which a deployment moves them.
        self.target_groups: list[elbv2.ApplicationTargetGroup] = front.target_groups
        #: What callers write.
        self.url: str = front.url
        of_requests = request_alarms(self, self.load_balancer, thresholds=thresholds, topic=alarm_topic)
        #: Keeps as many tasks running as there should be.
        self.service: ecs.FargateService = ecs.FargateService(
            self,
            "Service",
            cluster=self.cluster,
            task_definition=self.task_definition,
            desired_count=desired_count,
            security_groups=[security_group(self, "SecurityGroup", vpc)],
            health_check_grace_period=health_check_grace_period or Duration.seconds(60),
            # As many as there should be stay, while the new ones start.
            min_healthy_percent=100,
            max_healthy_percent=200,
            capacity_provider_strategies=scaling.capacity(spot_percent),
            enable_execute_command=execute_command,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
            enable_ecs_managed_tags=True,
            deployment_alarms=ecs.DeploymentAlarmConfig(
                alarm_names=[alarm.alarm_name for alarm in of_requests], behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM
            ),
            **deployment.as_options(),
        )
        # A task that may not pull its image yet, or that has no way to it, fails; a few of those fail the deployment.
        self.service.node.add_dependency(self.execution_role, *ways_out(vpc))
        front.serve(self.service)
        scaling.apply(self.service, self.target_groups[0])
        #: Server errors, latency, unhealthy tasks, and fewer tasks than there should be.
        self.alarms: list[cloudwatch.Alarm] = [
            *of_requests,
            *task_alarms(self, self.service, self.target_groups, topic=alarm_topic),
        ]
