"""The network: what its private subnets reach, what it costs in each posture, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import assertions
from aws_cdk import aws_ec2 as ec2

from lambda_src.network.construct import Egress, Network
from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from tests.stacks.synthesis import resources

if TYPE_CHECKING:
    import aws_cdk as cdk


def template(stack: cdk.Stack, **options: Any) -> dict[str, Any]:
    Network(stack, "Network", **options)
    return dict(assertions.Template.from_stack(stack).to_json())


def endpoints(made: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Find the VPC's endpoints, by type."""
    found: dict[str, list[dict[str, Any]]] = {"Interface": [], "Gateway": []}
    for endpoint in resources(made, "AWS::EC2::VPCEndpoint").values():
        found[endpoint["VpcEndpointType"]].append(endpoint)
    return found


def test_impossible_options_are_refused_all_at_once(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidOptionsError) as refused:
        Network(stack, "Network", zones=1, addresses="10.15.0.0/28")

    assert str(refused.value) == (
        "Network Empty/Network:\n  zones is 1: 2 to 6\n"
        "  addresses is 10.15.0.0/28: a network such as 10.15.0.0/16, to /24"
    )


@pytest.mark.parametrize("addresses", ["10.15.0.1/16", "10.0.0.0/8", "somewhere", "fd00::/64"])
def test_addresses_that_a_vpc_cannot_have_are_refused(stack: cdk.Stack, addresses: str) -> None:
    with pytest.raises(InvalidOptionsError, match="addresses is"):
        Network(stack, "Network", addresses=addresses)


def test_a_lab_has_endpoints_in_one_zone_and_no_nat_gateway(stack: cdk.Stack) -> None:
    made = template(stack)
    interfaces = endpoints(made)["Interface"]

    assert resources(made, "AWS::EC2::NatGateway") == {}
    assert len(interfaces) == 4
    assert len({str(one["SubnetIds"]) for one in interfaces}) == 1
    assert all(len(one["SubnetIds"]) == 1 and one["PrivateDnsEnabled"] for one in interfaces)


def test_in_a_lab_nothing_leads_from_a_private_subnet_to_the_internet(stack: cdk.Stack) -> None:
    routes = resources(template(stack), "AWS::EC2::Route")

    assert routes
    assert all("Public" in name for name in routes)


def test_production_has_a_nat_gateway_in_every_zone_and_no_endpoint_that_costs(stack: cdk.Stack) -> None:
    made = template(stack, posture=Posture.PRODUCTION, zones=3)

    assert len(resources(made, "AWS::EC2::NatGateway")) == 3
    assert endpoints(made)["Interface"] == []


@pytest.mark.parametrize("posture", Posture)
def test_layers_of_images_come_by_the_endpoint_of_s3_which_costs_nothing(stack: cdk.Stack, posture: Posture) -> None:
    [gateway] = endpoints(template(stack, posture=posture))["Gateway"]

    assert ".s3" in str(gateway["ServiceName"])
    assert len(gateway["RouteTableIds"]) == 4


def test_the_services_can_be_named(stack: cdk.Stack) -> None:
    [interface] = endpoints(template(stack, services=[ec2.InterfaceVpcEndpointAwsService.SQS]))["Interface"]

    assert ".sqs" in str(interface["ServiceName"])


def test_egress_can_be_chosen_against_the_posture(stack: cdk.Stack) -> None:
    assert len(resources(template(stack, egress=Egress.INTERNET), "AWS::EC2::NatGateway")) == 2


def test_nobody_has_to_look_up_the_zones(stack: cdk.Stack) -> None:
    subnets = resources(template(stack), "AWS::EC2::Subnet").values()

    assert len(subnets) == 4
    assert all(subnet["AvailabilityZone"]["Fn::Select"][1] == {"Fn::GetAZs": ""} for subnet in subnets)
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)


def test_only_the_network_itself_reaches_its_endpoints(stack: cdk.Stack) -> None:
    [group] = resources(template(stack, addresses="10.20.0.0/20"), "AWS::EC2::SecurityGroup").values()
    [rule] = group["SecurityGroupIngress"]

    assert (rule["CidrIp"], rule["FromPort"], rule["ToPort"]) == ("10.20.0.0/20", 443, 443)


def test_traffic_is_recorded(stack: cdk.Stack) -> None:
    [flow_log] = resources(template(stack), "AWS::EC2::FlowLog").values()

    assert flow_log["TrafficType"] == "ALL"
