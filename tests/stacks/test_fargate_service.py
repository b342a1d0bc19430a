"""The service on Fargate: what it refuses, what it may do, and what each of its options makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import Duration, assertions
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_secretsmanager as secretsmanager

from lambda_src.fargate_service.alarms import Thresholds
from lambda_src.fargate_service.construct import LoadBalancedFargateService
from lambda_src.fargate_service.deployment import Deployment
from lambda_src.fargate_service.scaling import Scaling
from lambda_src.fargate_service.sizes import MEMORY_MIB
from lambda_src.fargate_service.task import Container
from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from tests.stacks.synthesis import CONTEXT, only, permissions, resources

if TYPE_CHECKING:
    from collections.abc import Mapping

IMAGE = ecs.ContainerImage.from_registry("public.ecr.aws/nginx/nginx:1.29")
SHIFTING = [one for one in ecs.DeploymentStrategy if one is not ecs.DeploymentStrategy.ROLLING]
PRIVATE = ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"]
BY_CPU = Scaling(requests_per_target=None)


def service(stack: cdk.Stack, *, container: Mapping[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """Make a service in a network that is somebody else's, and return the template."""
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=[cdk.Fn.select(0, cdk.Fn.get_azs()), cdk.Fn.select(1, cdk.Fn.get_azs())],
        public_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        private_subnet_ids=PRIVATE,
        vpc_cidr_block="10.0.0.0/16",
    )
    LoadBalancedFargateService(stack, "Web", vpc=vpc, container=Container(IMAGE, **(container or {})), **options)
    return dict(assertions.Template.from_stack(stack).to_json())


def certificate(stack: cdk.Stack, region: str = "us-east-1") -> acm.ICertificate:
    arn = f"arn:aws:acm:{region}:111122223333:certificate/web"
    return acm.Certificate.from_certificate_arn(stack, "Certificate", arn)


def zone(stack: cdk.Stack) -> route53.IHostedZone:
    return route53.HostedZone.from_hosted_zone_attributes(
        stack, "Zone", hosted_zone_id="Z0123456789", zone_name="example.com"
    )


def container_of(template: dict[str, Any]) -> dict[str, Any]:
    [container] = only(template, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    return dict(container)


def role(template: dict[str, Any], name: str) -> str:
    [found] = [one for one in resources(template, "AWS::IAM::Role") if name in one]
    return found


# What is refused


@pytest.mark.parametrize(
    ("cpu", "memory_mib", "permitted"),
    [
        (256, 4096, r"memory_mib is 4096: with a cpu of 256, 512, 1024, 2048 MiB"),
        (512, 512, r"memory_mib is 512: with a cpu of 512, 1024 to 4096 in steps of 1024 MiB"),
        (1024, 2500, r"memory_mib is 2500: with a cpu of 1024, 2048 to 8192 in steps of 1024 MiB"),
        (8192, 20000, r"memory_mib is 20000: with a cpu of 8192, 16384 to 61440 in steps of 4096 MiB"),
        (300, 512, r"cpu is 300: one of 256, 512, 1024, 2048, 4096, 8192, 16384 units"),
    ],
)
def test_a_size_that_fargate_does_not_have_is_refused_with_those_that_it_has(
    stack: cdk.Stack, cpu: int, memory_mib: int, permitted: str
) -> None:
    with pytest.raises(InvalidOptionsError, match=permitted):
        service(stack, cpu=cpu, memory_mib=memory_mib)


def test_the_smallest_and_the_largest_memory_of_each_cpu_are_those_of_the_documentation() -> None:
    assert {cpu: (memory[0], memory[-1]) for cpu, memory in MEMORY_MIB.items()} == {
        256: (512, 2048),
        512: (1024, 4096),
        1024: (2048, 8192),
        2048: (4096, 16384),
        4096: (8192, 30720),
        8192: (16384, 61440),
        16384: (32768, 122880),
    }


@pytest.mark.parametrize("desired_count", [1, 11])
def test_a_desired_count_outside_the_scaling_range_is_refused(stack: cdk.Stack, desired_count: int) -> None:
    with pytest.raises(InvalidOptionsError, match=rf"desired_count is {desired_count}: 2 to 10"):
        service(stack, desired_count=desired_count)


def test_a_certificate_in_another_region_is_refused() -> None:
    here = cdk.Stack(cdk.App(context=CONTEXT), "Here", env=cdk.Environment(region="eu-central-1"))

    with pytest.raises(InvalidOptionsError, match="certificate is in us-east-1: one in eu-central-1"):
        service(here, certificate=certificate(here))


def test_a_certificate_in_the_same_region_is_taken() -> None:
    here = cdk.Stack(cdk.App(context=CONTEXT), "Here", env=cdk.Environment(region="us-east-1"))

    assert "CertificateRegion" not in str(service(here, certificate=certificate(here))["Rules"])


def test_where_the_region_is_not_known_cloudformation_refuses_another_one(stack: cdk.Stack) -> None:
    rules = service(stack, certificate=certificate(stack, "eu-west-1"))["Rules"]
    [rule] = [rule for name, rule in rules.items() if "CertificateRegion" in name]
    [assertion] = rule["Assertions"]

    assert assertion["Assert"] == {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}
    assert assertion["AssertDescription"].startswith("The certificate is in eu-west-1")


def test_plain_http_in_production_is_refused_with_what_to_give(stack: cdk.Stack) -> None:
    with pytest.raises(
        InvalidOptionsError, match="plain HTTP: give a certificate, or a hosted_zone with a domain_name"
    ):
        service(stack, posture=Posture.PRODUCTION)


@pytest.mark.parametrize("domain_name", [None, "example.org", "badexample.com"])
def test_a_name_outside_the_zone_is_refused(stack: cdk.Stack, domain_name: str | None) -> None:
    with pytest.raises(InvalidOptionsError, match=f"domain_name is {domain_name}: a name in the hosted_zone"):
        service(stack, hosted_zone=zone(stack), domain_name=domain_name)


@pytest.mark.parametrize("strategy", SHIFTING)
def test_scaling_on_requests_is_refused_where_a_deployment_moves_them(
    stack: cdk.Stack, strategy: ecs.DeploymentStrategy
) -> None:
    with pytest.raises(InvalidOptionsError, match=r"scaling\.requests_per_target is 1000: None with"):
        service(stack, deployment=Deployment(strategy))


def test_all_that_is_impossible_is_said_at_once(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidOptionsError) as refused:
        service(
            stack,
            container={
                "port": 0,
                "user": "0:0",
                "health_check_path": "health",
                "stop_timeout": Duration.minutes(3),
                "environment": {"KEY": "open"},
                "secrets": {"KEY": ecs.Secret.from_secrets_manager(secretsmanager.Secret(stack, "Key"))},
            },
            scaling=Scaling(min_tasks=0, max_tasks=-1, cpu_percent=95, requests_per_target=0),
            spot_percent=101,
            deployment=Deployment(bake_time=Duration.minutes(1), step_percent=5),
            thresholds=Thresholds(server_errors=-1, latency=Duration.millis(0)),
        )

    assert [line.partition(" is ")[0].strip() for line in str(refused.value).splitlines()[1:]] == [
        "container.port",
        "container.user",
        "container.health_check_path",
        "container.stop_timeout",
        "container.secrets",
        "scaling.min_tasks",
        "scaling.max_tasks",
        "scaling.cpu_percent",
        "scaling.requests_per_target",
        "spot_percent",
        "deployment.bake_time",
        "deployment.step_percent",
        "thresholds.server_errors",
        "thresholds.latency",
    ]


@pytest.mark.parametrize(
    ("deployment", "problem"),
    [
        (Deployment(ecs.DeploymentStrategy.LINEAR, step_percent=2), r"step_percent is 2: 3 to 100 % \(linear\)"),
        (Deployment(ecs.DeploymentStrategy.CANARY, step_percent=0), r"step_percent is 0: 0.1 to 100 % \(canary\)"),
        (Deployment(ecs.DeploymentStrategy.BLUE_GREEN, step_percent=5), "step_percent is 5: not with blue/green"),
        (Deployment(ecs.DeploymentStrategy.BLUE_GREEN, bake_time=Duration.days(2)), "bake_time is .*1,440 minutes"),
    ],
)
def test_steps_that_a_strategy_does_not_have_are_refused(
    stack: cdk.Stack, deployment: Deployment, problem: str
) -> None:
    with pytest.raises(InvalidOptionsError, match=problem):
        service(stack, deployment=deployment, scaling=BY_CPU)


# What it may do


def test_the_container_may_do_nothing_until_it_is_granted_something(stack: cdk.Stack) -> None:
    template = service(stack)

    assert permissions(template, role(template, "WebTaskRole")) == {}


def test_what_starts_a_task_reads_its_secret_and_writes_its_log_and_nothing_else(stack: cdk.Stack) -> None:
    secret = secretsmanager.Secret(stack, "Password")
    template = service(stack, container={"secrets": {"PASSWORD": ecs.Secret.from_secrets_manager(secret)}})
    permitted = permissions(template, role(template, "WebTaskExecutionRole"))

    assert set(permitted) == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
    }
    assert "*" not in permitted.values()


def test_only_tasks_of_this_account_can_have_the_roles(stack: cdk.Stack) -> None:
    template = service(stack)
    for name in ("WebTaskRole", "WebTaskExecutionRole"):
        [statement] = resources(template, "AWS::IAM::Role")[role(template, name)]["AssumeRolePolicyDocument"][
            "Statement"
        ]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_a_deployment_may_change_its_own_listener_and_groups_alone(stack: cdk.Stack) -> None:
    template = service(stack, deployment=Deployment(ecs.DeploymentStrategy.BLUE_GREEN), scaling=BY_CPU)
    permitted = permissions(template, role(template, "Deployments"))

    everything = {action for action, resource in permitted.items() if resource == "*"}
    assert everything == {
        f"elasticloadbalancing:Describe{what}" for what in ("Listeners", "Rules", "TargetGroups", "TargetHealth")
    }
    assert set(permitted) - everything == {
        f"elasticloadbalancing:{action}"
        for action in ("DeregisterTargets", "ModifyListener", "ModifyRule", "RegisterTargets")
    }


# What it is


def test_the_container_is_not_root_and_cannot_write(stack: cdk.Stack) -> None:
    container = container_of(service(stack))

    assert container["User"] == "65532:65532"
    assert container["ReadonlyRootFilesystem"] is True
    assert container["StopTimeout"] == 30
    assert container["LogConfiguration"]["LogDriver"] == "awslogs"
    assert "HealthCheck" not in container


def test_a_health_check_of_the_container_is_amazon_ecs_s_own(stack: cdk.Stack) -> None:
    check = container_of(service(stack, container={"health_check_command": ["CMD", "/check"]}))["HealthCheck"]

    assert (check["Command"], check["Interval"], check["Retries"]) == (["CMD", "/check"], 10, 3)


def test_tasks_are_in_private_subnets_and_reached_by_the_load_balancer_alone(stack: cdk.Stack) -> None:
    template = service(stack)
    network = only(template, "AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    [group] = [one for name, one in resources(template, "AWS::EC2::SecurityGroup").items() if "Front" not in name]
    rule = only(template, "AWS::EC2::SecurityGroupIngress")

    assert (network["AssignPublicIp"], network["Subnets"]) == ("DISABLED", PRIVATE)
    assert "SecurityGroupIngress" not in group
    assert "FrontSecurityGroup" in str(rule["SourceSecurityGroupId"])
    assert (rule["FromPort"], rule["ToPort"]) == (8080, 8080)


def test_a_deployment_that_fails_is_rolled_back(stack: cdk.Stack) -> None:
    deployed = only(service(stack), "AWS::ECS::Service")["DeploymentConfiguration"]

    assert deployed["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert (deployed["Alarms"]["Enable"], deployed["Alarms"]["Rollback"]) == (True, True)
    assert len(deployed["Alarms"]["AlarmNames"]) == 2
    assert (deployed["MinimumHealthyPercent"], deployed["MaximumPercent"]) == (100, 200)


@pytest.mark.parametrize("strategy", SHIFTING)
def test_requests_move_between_two_groups_by_a_rule(stack: cdk.Stack, strategy: ecs.DeploymentStrategy) -> None:
    template = service(stack, deployment=Deployment(strategy), scaling=BY_CPU)
    made = only(template, "AWS::ECS::Service")
    [balanced] = made["LoadBalancers"]
    rule = only(template, "AWS::ElasticLoadBalancingV2::ListenerRule")
    weights = [one["Weight"] for one in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]]

    assert made["DeploymentConfiguration"]["Strategy"] == strategy.name
    assert made["DeploymentConfiguration"]["BakeTimeInMinutes"] == 10
    assert balanced["AdvancedConfiguration"]["AlternateTargetGroupArn"] != balanced["TargetGroupArn"]
    assert weights == [100, 0]


def test_linear_and_canary_move_the_part_that_was_asked_for(stack: cdk.Stack) -> None:
    template = service(
        stack,
        deployment=Deployment(ecs.DeploymentStrategy.CANARY, step_percent=2.5, step_bake_time=Duration.minutes(20)),
        scaling=BY_CPU,
    )
    assert only(template, "AWS::ECS::Service")["DeploymentConfiguration"]["CanaryConfiguration"] == {
        "CanaryPercent": 2.5,
        "CanaryBakeTimeInMinutes": 20,
    }


def test_it_scales_on_cpu_and_on_requests(stack: cdk.Stack) -> None:
    template = service(stack)
    target = only(template, "AWS::ApplicationAutoScaling::ScalableTarget")
    metrics = {
        policy["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]["PredefinedMetricType"]
        for policy in resources(template, "AWS::ApplicationAutoScaling::ScalingPolicy").values()
    }

    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 10)
    assert metrics == {"ECSServiceAverageCPUUtilization", "ALBRequestCountPerTarget"}


def test_the_first_tasks_are_never_on_spot(stack: cdk.Stack) -> None:
    strategy = only(service(stack, spot_percent=75), "AWS::ECS::Service")["CapacityProviderStrategy"]

    assert strategy == [
        {"CapacityProvider": "FARGATE", "Base": 2, "Weight": 25},
        {"CapacityProvider": "FARGATE_SPOT", "Weight": 75},
    ]


def test_without_a_certificate_a_lab_speaks_http(stack: cdk.Stack) -> None:
    listener = only(service(stack), "AWS::ElasticLoadBalancingV2::Listener")

    assert (listener["Protocol"], listener["Port"]) == ("HTTP", 80)


def test_with_a_certificate_http_leads_to_https(stack: cdk.Stack) -> None:
    template = service(stack, certificate=certificate(stack), posture=Posture.PRODUCTION)
    listeners = {one["Port"]: one for one in resources(template, "AWS::ElasticLoadBalancingV2::Listener").values()}

    assert listeners[443]["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2-")
    assert listeners[443]["Certificates"] == [{"CertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/web"}]
    assert listeners[80]["DefaultActions"][0]["RedirectConfig"]["Protocol"] == "HTTPS"


def test_a_zone_has_a_certificate_made_and_a_record(stack: cdk.Stack) -> None:
    template = service(stack, hosted_zone=zone(stack), domain_name="www.example.com", posture=Posture.PRODUCTION)
    made = only(template, "AWS::CertificateManager::Certificate")
    record = only(template, "AWS::Route53::RecordSet")

    assert (made["DomainName"], made["ValidationMethod"]) == ("www.example.com", "DNS")
    assert (record["Name"], record["Type"]) == ("www.example.com.", "A")


def test_the_load_balancer_logs_every_request_where_only_it_may_write(stack: cdk.Stack) -> None:
    template = service(stack)
    attributes = {
        one["Key"]: one["Value"]
        for one in only(template, "AWS::ElasticLoadBalancingV2::LoadBalancer")["LoadBalancerAttributes"]
    }
    statements = only(template, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    [allowed] = [one for one in statements if one["Effect"] == "Allow"]

    assert attributes["access_logs.s3.enabled"] == "true"
    assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert allowed["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert allowed["Action"] == "s3:PutObject"
    assert "ArnLike" in allowed["Condition"]


@pytest.mark.parametrize(
    ("posture", "days", "versions"),
    [(Posture.LAB, 7, None), (Posture.PRODUCTION, 365, {"Status": "Enabled"})],
    ids=["lab", "production"],
)
def test_nothing_outlasts_its_logs_where_the_bucket_goes_with_the_stack(
    stack: cdk.Stack, posture: Posture, days: int, versions: dict[str, str] | None
) -> None:
    bucket = only(service(stack, posture=posture, certificate=certificate(stack)), "AWS::S3::Bucket")
    [rule] = bucket["LifecycleConfiguration"]["Rules"]

    assert bucket.get("VersioningConfiguration") == versions
    assert rule["ExpirationInDays"] == days
    assert rule.get("NoncurrentVersionExpiration") == (versions and {"NoncurrentDays": 1})


def test_an_internal_load_balancer_is_reached_from_the_vpc_alone(stack: cdk.Stack) -> None:
    template = service(stack, internet_facing=False)
    [group] = [one for name, one in resources(template, "AWS::EC2::SecurityGroup").items() if "Front" in name]

    assert only(template, "AWS::ElasticLoadBalancingV2::LoadBalancer")["Scheme"] == "internal"
    assert [rule["CidrIp"] for rule in group["SecurityGroupIngress"]] == ["10.0.0.0/16"]


def test_nobody_opens_a_shell_unless_it_was_asked_for(stack: cdk.Stack) -> None:
    assert only(service(stack), "AWS::ECS::Service")["EnableExecuteCommand"] is False


def test_a_shell_is_logged_and_needs_a_file_system_that_can_be_written(stack: cdk.Stack) -> None:
    template = service(stack, execute_command=True)
    sessions = only(template, "AWS::ECS::Cluster")["Configuration"]["ExecuteCommandConfiguration"]
    permitted = permissions(template, role(template, "WebTaskRole"))

    assert sessions["Logging"] == "OVERRIDE"
    assert "CloudWatchLogGroupName" in sessions["LogConfiguration"]
    assert "ssmmessages:OpenDataChannel" in permitted
    assert container_of(template)["ReadonlyRootFilesystem"] is False


def test_tracing_adds_an_agent_and_says_where_it_is(stack: cdk.Stack) -> None:
    template = service(stack, tracing=True)
    containers = {one["Name"]: one for one in only(template, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]}
    environment = {one["Name"]: one["Value"] for one in containers["web"]["Environment"]}

    assert environment["AWS_XRAY_DAEMON_ADDRESS"] == "127.0.0.1:2000"
    assert containers["cloudwatch-agent"]["Essential"] is False
    assert containers["web"]["DependsOn"] == [{"Condition": "START", "ContainerName": "cloudwatch-agent"}]


def test_container_insights_are_on_and_in_production_for_every_task(stack: cdk.Stack) -> None:
    assert only(service(stack), "AWS::ECS::Cluster")["ClusterSettings"] == [
        {"Name": "containerInsights", "Value": "enabled"}
    ]
    production = cdk.Stack(cdk.App(context=CONTEXT), "Production")
    template = service(production, certificate=certificate(production), posture=Posture.PRODUCTION)
    assert only(template, "AWS::ECS::Cluster")["ClusterSettings"][0]["Value"] == "enhanced"


def test_four_alarms_watch_it(stack: cdk.Stack) -> None:
    alarms = resources(service(stack), "AWS::CloudWatch::Alarm")

    assert [
        name for name in ("ServerErrors", "Latency", "UnhealthyHosts", "BelowDesired") for one in alarms if name in one
    ] == ["ServerErrors", "Latency", "UnhealthyHosts", "BelowDesired"]


def test_a_web_acl_is_put_before_it(stack: cdk.Stack) -> None:
    arn = "arn:aws:wafv2:us-east-1:111122223333:regional/webacl/acl/1"

    assert only(service(stack, web_acl_arn=arn), "AWS::WAFv2::WebACLAssociation")["WebACLArn"] == arn
