"""A service on hosts outside AWS: how its tasks are placed and replaced, what they may do, what is refused."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Template

from lambda_src.external_cluster.construct import ExternalCluster
from lambda_src.external_service.construct import ExternalContainerService
from lambda_src.options import InvalidOptionsError
from tests.stacks.synthesis import only, permissions, resources

IMAGE = ecs.ContainerImage.from_registry("public.ecr.aws/nginx/nginx:1.29")


def service(stack: cdk.Stack, **options: Any) -> ExternalContainerService:
    return ExternalContainerService(
        stack, "Web", cluster=ExternalCluster(stack, "Cluster"), **{"image": IMAGE, **options}
    )


def template(stack: cdk.Stack, **options: Any) -> dict[str, Any]:
    service(stack, **options)
    return dict(Template.from_stack(stack).to_json())


def container(made: dict[str, Any]) -> dict[str, Any]:
    [defined] = only(made, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    return dict(defined)


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"cpu": 64}, "cpu is 64: 128 or more"),
        ({"memory_limit_mib": 4}, "memory_limit_mib is 4: 6 MiB or more"),
        ({"desired_count": -1}, "desired_count is -1: 0 to 5,000, or none for one on each host"),
        ({"desired_count": 5001}, "desired_count is 5001: 0 to 5,000"),
        ({"container_port": 0}, "container_port is 0: 1 to 65,535"),
        ({"container_port": 80, "host_port": 65536}, "host_port is 65536: 1 to 65,535"),
        ({"platform": ecr_assets.Platform.custom("linux/riscv64")}, "platform is linux/riscv64: linux/amd64 or"),
        ({"host_port": 80}, "host_port is 80: needs a container_port"),
    ],
)
def test_an_impossible_option_is_refused(stack: cdk.Stack, options: dict[str, Any], refusal: str) -> None:
    with pytest.raises(InvalidOptionsError, match=refusal):
        service(stack, **options)


def test_all_impossible_options_are_told_at_once(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidOptionsError) as refused:
        service(stack, cpu=1, memory_limit_mib=1, container_port=0)
    assert [name in str(refused.value) for name in ("cpu is 1", "memory_limit_mib is 1", "container_port is 0")] == [
        True
    ] * 3


def test_by_default_it_has_no_health_check(stack: cdk.Stack) -> None:
    assert "HealthCheck" not in container(template(stack))


def test_a_health_check_that_is_given_is_the_containers(stack: cdk.Stack) -> None:
    made = template(stack, health_check=ecs.HealthCheck(command=["CMD", "true"]))

    assert container(made)["HealthCheck"]["Command"] == ["CMD", "true"]


def test_its_launch_type_is_external_and_nothing_is_in_front_of_it(stack: cdk.Stack) -> None:
    made = template(stack, container_port=80)
    declared = only(made, "AWS::ECS::Service")

    assert declared["LaunchType"] == "EXTERNAL"
    assert not [
        one for one in ("LoadBalancers", "ServiceRegistries", "ServiceConnectConfiguration") if declared.get(one)
    ]
    assert only(made, "AWS::ECS::TaskDefinition")["RequiresCompatibilities"] == ["EXTERNAL"]
    kinds = {resource["Type"] for resource in made["Resources"].values()}
    assert not [kind for kind in kinds if kind.startswith(("AWS::EC2", "AWS::ElasticLoadBalancing"))]


def test_by_default_there_is_one_on_each_host_and_no_host_is_waited_for(stack: cdk.Stack) -> None:
    declared = only(template(stack), "AWS::ECS::Service")

    assert declared["SchedulingStrategy"] == "DAEMON"
    assert "DesiredCount" not in declared
    assert declared["DeploymentConfiguration"]["MinimumHealthyPercent"] == 0
    assert declared["DeploymentConfiguration"]["MaximumPercent"] == 100


@pytest.mark.parametrize(
    ("options", "healthy"),
    [({"container_port": 80}, (100, 200)), ({"container_port": 80, "host_port": 80}, (0, 100)), ({}, (100, 200))],
)
def test_counted_tasks_are_replaced_beside_each_other_where_the_port_is_free(
    stack: cdk.Stack, options: dict[str, int], healthy: tuple[int, int]
) -> None:
    declared = only(template(stack, desired_count=2, **options), "AWS::ECS::Service")
    configuration = declared["DeploymentConfiguration"]

    assert "SchedulingStrategy" not in declared  # REPLICA is what it is by default
    assert declared["DesiredCount"] == 2
    assert (configuration["MinimumHealthyPercent"], configuration["MaximumPercent"]) == healthy


def test_a_deployment_that_fails_is_rolled_back(stack: cdk.Stack) -> None:
    configuration = only(template(stack), "AWS::ECS::Service")["DeploymentConfiguration"]
    assert configuration["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}


def test_the_container_cannot_write_its_own_files_unless_it_is_let(stack: cdk.Stack) -> None:
    assert container(template(stack))["ReadonlyRootFilesystem"] is True


def test_an_image_for_one_architecture_goes_to_hosts_of_it_alone(stack: cdk.Stack) -> None:
    definition = only(template(stack, platform=ecr_assets.Platform.LINUX_ARM64), "AWS::ECS::TaskDefinition")
    assert definition["PlacementConstraints"] == [
        {"Type": "memberOf", "Expression": "attribute:ecs.cpu-architecture == arm64"}
    ]


def test_a_secret_is_read_by_the_execution_role_and_is_not_in_the_template(stack: cdk.Stack) -> None:
    secret = secretsmanager.Secret(stack, "Password")
    made = template(stack, secrets={"PASSWORD": ecs.Secret.from_secrets_manager(secret)})

    assert [one["Name"] for one in container(made)["Secrets"]] == ["PASSWORD"]
    [execution] = [name for name in resources(made, "AWS::IAM::Role") if "ExecutionRole" in name]
    assert permissions(made, execution).keys() == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
    }


def test_the_application_may_do_nothing_unless_it_is_granted(stack: cdk.Stack) -> None:
    made = template(stack)
    [role] = [name for name in resources(made, "AWS::IAM::Role") if "TaskRole" in name]
    assert permissions(made, role) == {}


def test_alarms_compare_what_runs_with_what_should(stack: cdk.Stack) -> None:
    made = service(stack)
    alarms = resources(dict(Template.from_stack(stack).to_json()), "AWS::CloudWatch::Alarm").values()

    assert len(made.alarms) == len(alarms) == 2
    [missing] = [alarm for alarm in alarms if "Metrics" in alarm]
    assert [one["Expression"] for one in missing["Metrics"] if "Expression" in one] == ["desired - running"]
    measured = {one["MetricStat"]["Metric"]["MetricName"] for one in missing["Metrics"] if "MetricStat" in one}
    assert measured == {"DesiredTaskCount", "RunningTaskCount"}
