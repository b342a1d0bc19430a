"""The block `KubernetesCluster`: what it makes, and what it refuses."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_ec2 as ec2

from lambda_src.kubernetes_cluster.compute import ADDONS, Compute
from lambda_src.kubernetes_cluster.construct import KubernetesCluster
from lambda_src.options import InvalidOptionsError
from lambda_src.posture import Posture
from tests.stacks.synthesis import only, resources

FARGATE = {"fargate_namespaces": ["web"]}
AUTO_MODE = {"compute": Compute.AUTO_MODE}


def cluster(stack: cdk.Stack, **options: Any) -> KubernetesCluster:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateways=0, restrict_default_security_group=False)
    return KubernetesCluster(stack, "Cluster", vpc=vpc, **options)


def template(stack: cdk.Stack) -> dict[str, Any]:
    made: dict[str, Any] = assertions.Template.from_stack(stack).to_json()
    return made


REFUSED = [
    ({"kubernetes_version": "1.29", **FARGATE}, "kubernetes_version is 1.29: one of 1.34, 1.35"),
    ({"kubernetes_version": "latest", **FARGATE}, "kubernetes_version is latest: one of 1.34, 1.35"),
    ({"cluster_name": "-mine", **FARGATE}, "cluster_name is -mine: 1 to 100 letters, digits, - and _, the first of"),
    ({"cluster_name": "a" * 101, **FARGATE}, f"cluster_name is {'a' * 101}: 1 to 100 letters"),
    ({"cluster_name": "my.cluster", **FARGATE}, "cluster_name is my.cluster: 1 to 100 letters"),
    ({"addons": {"metrics-server": "latest"}, **FARGATE}, "addons, version of metrics-server is latest: an exact one"),
    ({}, "fargate_namespaces is 0 names: 1 to 4 of them"),
    ({"fargate_namespaces": list("abcde")}, "fargate_namespaces is 5 names: 1 to 4 of them"),
    ({"fargate_namespaces": ["Web"]}, "fargate_namespaces is Web: 1 to 63 lower case letters"),
    ({**AUTO_MODE, **FARGATE}, "fargate_namespaces is web: none with Auto Mode"),
    ({"public_access_from": ["0.0.0.0/0"], **FARGATE}, "public_access_from is 0.0.0.0/0: not everybody"),
    ({"public_access_from": ["128.0.0.0/1"], **FARGATE}, "public_access_from is 128.0.0.0/1: not everybody"),
    ({"public_access_from": ["203.0.113.7/24"], **FARGATE}, "public_access_from is 203.0.113.7/24: an IPv4 network"),
    ({"remote_node_networks": ["8.8.8.0/24"], **FARGATE}, "remote_node_networks is 8.8.8.0/24: within 10.0.0.0/8, "),
    ({"remote_node_networks": ["169.254.0.0/16"], **FARGATE}, "remote_node_networks is 169.254.0.0/16: within"),
    ({"remote_node_networks": ["10.80.0.1/16"], **FARGATE}, "remote_node_networks is 10.80.0.1/16: an IPv4 network"),
    (
        {"remote_node_networks": ["10.80.0.0/16"], "remote_pod_networks": ["10.80.1.0/24"], **FARGATE},
        "remote_pod_networks is 10.80.1.0/24: apart from 10.80.0.0/16, remote as well",
    ),
    (
        {"remote_node_networks": ["192.168.0.0/24", "192.168.0.128/25"], **FARGATE},
        "remote_node_networks is 192.168.0.128/25: apart from 192.168.0.0/24, remote as well",
    ),
    (
        {"remote_node_networks": ["10.0.128.0/24"], **FARGATE},
        "remote_node_networks is 10.0.128.0/24: apart from the VPC, which has 10.0.0.0/16",
    ),
    (
        {"remote_node_networks": ["10.80.0.0/16"], "remote_pod_networks": ["172.16.0.0/12"], **FARGATE},
        "remote_pod_networks is 172.16.0.0/12: apart from services, which may have 172.20.0.0/16",
    ),
    (
        {"remote_node_networks": ["10.100.4.0/22"], **FARGATE},
        "remote_node_networks is 10.100.4.0/22: apart from services, which may have 10.100.0.0/16",
    ),
    ({"remote_pod_networks": ["10.81.0.0/16"], **FARGATE}, "remote_pod_networks is 10.81.0.0/16: remote_node_networks"),
]


@pytest.mark.parametrize(("options", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_it_refuses(stack: cdk.Stack, options: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidOptionsError) as error:
        cluster(stack, **options)

    assert said in str(error.value)


def test_whoever_is_wrong_twice_reads_both(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidOptionsError) as error:
        cluster(stack, kubernetes_version="1.12", fargate_namespaces=["-"])

    assert str(error.value).count("\n") == 2


def test_it_is_private_encrypted_and_logged(stack: cdk.Stack) -> None:
    cluster(stack, **FARGATE)

    properties = only(template(stack), "AWS::EKS::Cluster")
    assert properties["ResourcesVpcConfig"]["EndpointPublicAccess"] is False
    assert properties["ResourcesVpcConfig"]["EndpointPrivateAccess"] is True
    [encrypted] = properties["EncryptionConfig"]
    assert encrypted["Resources"] == ["secrets"]
    assert len(properties["Logging"]["ClusterLogging"]["EnabledTypes"]) == 5
    assert properties["AccessConfig"] == {
        "AuthenticationMode": "API",
        "BootstrapClusterCreatorAdminPermissions": False,
    }
    assert properties["UpgradePolicy"] == {"SupportType": "STANDARD"}
    assert not properties["DeletionProtection"]


@pytest.mark.parametrize(("posture", "days"), [(Posture.LAB, 7), (Posture.PRODUCTION, 365)])
@pytest.mark.parametrize("options", [{}, {"cluster_name": "mine"}], ids=["its-path", "a-name-of-ours"])
def test_its_logs_have_a_group_that_expires_and_that_is_there_first(
    stack: cdk.Stack, options: dict[str, Any], posture: Posture, days: int
) -> None:
    cluster(stack, posture=posture, **AUTO_MODE, **options)

    made = template(stack)
    [group] = resources(made, "AWS::Logs::LogGroup").items()
    [resource] = [one for one in made["Resources"].values() if one["Type"] == "AWS::EKS::Cluster"]
    assert group[1]["LogGroupName"] == f"/aws/eks/{resource['Properties']['Name']}/cluster"
    assert group[1]["RetentionInDays"] == days
    assert group[0] in resource["DependsOn"]


def test_two_clusters_of_a_stack_have_names_and_logs_of_their_own(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateways=0, restrict_default_security_group=False)
    for construct_id in ("Blue", "Green"):
        KubernetesCluster(stack, construct_id, vpc=vpc, **AUTO_MODE)

    made = template(stack)
    assert len({one["Name"] for one in resources(made, "AWS::EKS::Cluster").values()}) == 2
    assert len({one["LogGroupName"] for one in resources(made, "AWS::Logs::LogGroup").values()}) == 2


def test_nothing_in_it_could_apply_manifests(stack: cdk.Stack) -> None:
    cluster(stack, **FARGATE)

    assert not resources(template(stack), "AWS::Lambda::Function")


def test_a_public_endpoint_is_for_the_networks_that_were_named(stack: cdk.Stack) -> None:
    cluster(stack, public_access_from=["203.0.113.0/24"], **FARGATE)

    network = only(template(stack), "AWS::EKS::Cluster")["ResourcesVpcConfig"]
    assert network["EndpointPrivateAccess"] is True
    assert network["PublicAccessCidrs"] == ["203.0.113.0/24"]


def test_production_is_protected_from_deletion(stack: cdk.Stack) -> None:
    cluster(stack, posture=Posture.PRODUCTION, extended_support=True, **FARGATE)

    made = template(stack)
    properties = only(made, "AWS::EKS::Cluster")
    assert properties["DeletionProtection"] is True
    assert properties["UpgradePolicy"] == {"SupportType": "EXTENDED"}
    [kept] = [one for one in made["Resources"].values() if one["Type"] == "AWS::EKS::Cluster"]
    assert kept["DeletionPolicy"] == "RetainExceptOnCreate"


def test_on_fargate_the_system_has_a_place_before_its_dns(stack: cdk.Stack) -> None:
    cluster(stack, **FARGATE)

    made = template(stack)
    profile = only(made, "AWS::EKS::FargateProfile")
    assert [one["Namespace"] for one in profile["Selectors"]] == ["web", "kube-system"]
    [addon] = [one for one in made["Resources"].values() if one["Type"] == "AWS::EKS::Addon"]
    [profile_id] = resources(made, "AWS::EKS::FargateProfile")
    assert profile_id in addon["DependsOn"]
    assert addon["Properties"]["ConfigurationValues"] == '{"computeType":"Fargate"}'
    assert addon["Properties"]["AddonVersion"] == "v1.14.2-eksbuild.4"


def test_auto_mode_has_node_pools_and_neither_profile_nor_addon(stack: cdk.Stack) -> None:
    made_cluster = cluster(stack, **AUTO_MODE)

    made = template(stack)
    assert only(made, "AWS::EKS::Cluster")["ComputeConfig"]["Enabled"] is True
    assert not resources(made, "AWS::EKS::FargateProfile")
    assert not resources(made, "AWS::EKS::Addon")
    assert made_cluster.fargate is None


@pytest.mark.parametrize("version", ADDONS)
@pytest.mark.parametrize("compute", [FARGATE, AUTO_MODE], ids=["fargate", "auto-mode"])
def test_hybrid_nodes_reach_services_and_know_their_names(
    stack: cdk.Stack, compute: dict[str, Any], version: str
) -> None:
    cluster(stack, kubernetes_version=version, remote_node_networks=["10.80.0.0/16"], **compute)

    addons = {addon["AddonName"]: addon for addon in resources(template(stack), "AWS::EKS::Addon").values()}
    assert addons.keys() == {"coredns", "kube-proxy"}
    assert addons["kube-proxy"]["AddonVersion"].startswith(f"v{version}.")
    assert {name: addon["AddonVersion"] for name, addon in addons.items()} == ADDONS[version]
    assert "ConfigurationValues" not in addons["kube-proxy"]
    assert ("ConfigurationValues" in addons["coredns"]) is (compute is FARGATE)


def test_without_hybrid_nodes_nothing_has_kube_proxy(stack: cdk.Stack) -> None:
    cluster(stack, **FARGATE)

    assert only(template(stack), "AWS::EKS::Addon")["AddonName"] == "coredns"


def test_a_role_for_pods_is_theirs_by_pod_identity(stack: cdk.Stack) -> None:
    role = cluster(stack, **AUTO_MODE).workload_role("Reader", namespace="shop", service_account="reader")

    association = only(template(stack), "AWS::EKS::PodIdentityAssociation")
    assert association["RoleArn"] == stack.resolve(role.role_arn)
    assert (association["Namespace"], association["ServiceAccount"]) == ("shop", "reader")


def test_on_fargate_pod_identity_is_refused_with_what_to_do(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidOptionsError, match="does not reach pods on Fargate"):
        cluster(stack, **FARGATE).workload_role("Reader", namespace="shop", service_account="reader")


def test_administrators_and_hybrid_nodes_come_in_by_access_entries(stack: cdk.Stack) -> None:
    admin = "arn:aws:iam::111122223333:role/Admin"
    cluster(stack, administrators=[admin], remote_node_networks=["10.80.0.0/16"], **FARGATE)

    entries = resources(template(stack), "AWS::EKS::AccessEntry").values()
    assert {entry.get("Type", "STANDARD") for entry in entries} == {"STANDARD", "HYBRID_LINUX"}
    [administrator] = [entry for entry in entries if entry["PrincipalArn"] == admin]
    [policy] = administrator["AccessPolicies"]
    assert policy["AccessScope"] == {"Type": "cluster"}


def test_the_networks_of_a_vpc_that_is_there_already_are_its_owners_to_compare(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Known",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["us-east-1a", "us-east-1b"],
        private_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    )
    KubernetesCluster(stack, "Cluster", vpc=vpc, remote_node_networks=["10.80.0.0/16"], **FARGATE)

    [network] = only(template(stack), "AWS::EKS::Cluster")["RemoteNetworkConfig"]["RemoteNodeNetworks"]
    assert network["Cidrs"] == ["10.80.0.0/16"]


def test_the_clusters_role_needs_no_more_of_its_key_than_amazon_asks_for(stack: cdk.Stack) -> None:
    cluster(stack, **FARGATE)

    made = template(stack)
    [role] = [one for name, one in resources(made, "AWS::IAM::Role").items() if name.startswith("ClusterRole")]
    [policy] = role["ManagedPolicyArns"]
    assert policy["Fn::Join"][1][-1] == ":iam::aws:policy/AmazonEKSClusterPolicy"
    assert "Policies" not in role
    # The grant by which Amazon EKS uses the key is its creator's to give, whose rights IAM says.
    [statement] = only(made, "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    assert statement["Action"] == "kms:*"
    assert statement["Principal"]["AWS"]["Fn::Join"][1][-1] == ":root"


def test_it_alarms_when_the_api_fails_and_when_pods_find_no_place(stack: cdk.Stack) -> None:
    assert len(cluster(stack, **FARGATE).alarms) == 2

    metrics = {alarm["MetricName"] for alarm in resources(template(stack), "AWS::CloudWatch::Alarm").values()}
    assert metrics == {"apiserver_request_total_5XX", "scheduler_pending_pods_UNSCHEDULABLE"}
