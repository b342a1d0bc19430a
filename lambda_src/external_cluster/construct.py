"""A cluster of Amazon ECS for hosts that are somewhere else: no VPC, no instances, and nothing that waits for them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from lambda_src.options import checked
from lambda_src.posture import Posture

if TYPE_CHECKING:
    from collections.abc import Mapping


class ExternalCluster(Construct):
    """The cluster that external instances register in, which the CDK's own ``Cluster`` would put into a new VPC.

    :param cluster_name: physical name, 1 to 255 letters, digits and ``_-``; CloudFormation makes one by default. The
        console has no registration for a name with other characters.
    :param posture: how closely Container Insights looks: at services and tasks in ``LAB``, at each container in
        ``PRODUCTION``.
    :raises ValueError: when the name is none.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-anywhere.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, cluster_name: str | None = None, posture: Posture = Posture.LAB
    ) -> None:
        """Check the name, then make the cluster."""
        with checked(ExternalCluster, scope, construct_id) as options:
            named = cluster_name is None or re.fullmatch(r"[A-Za-z0-9_-]{1,255}", cluster_name) is not None
            options.require(named, "cluster_name", cluster_name, "1 to 255 letters, digits, and any of _-")
        super().__init__(scope, construct_id)
        insights = ecs.ContainerInsights.ENHANCED if posture.protects_data else ecs.ContainerInsights.ENABLED
        resource = ecs.CfnCluster(
            self,
            "Resource",
            cluster_name=cluster_name,
            cluster_settings=[
                ecs.CfnCluster.ClusterSettingsProperty(name="containerInsights", value=insights.value.lower())
            ],
        )
        #: Its physical name.
        self.cluster_name: str = resource.ref
        #: Its ARN.
        self.cluster_arn: str = resource.attr_arn
        #: For whatever takes a cluster of the CDK.
        self.cluster: ecs.ICluster = ecs.Cluster.from_cluster_attributes(
            self,
            "Cluster",
            cluster_name=self.cluster_name,
            cluster_arn=self.cluster_arn,
            # None of the account's: only services with a load balancer or in a subnet ask for it, and here are none.
            vpc=ec2.Vpc.from_vpc_attributes(self, "NoVpc", vpc_id="none", availability_zones=["none"]),
            has_ec2_capacity=False,
        )

    def disconnected_pattern(self, *, by_hand: str | None = None) -> dict[str, Any]:
        """Match the event that an agent of the cluster lost its connection to Amazon ECS, for a rule of EventBridge.

        An agent reconnects several times an hour, as part of normal operation: one event is for a log or a program,
        and what a person is woken for is a task that does not run.

        :param by_hand: a beginning such as ``by-hand.``, to take the source ``by-hand.aws.ecs`` too: events whose
            source begins with ``aws.`` can be put by nobody but AWS.

        Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_container_instance_events.html
        """
        detail: Mapping[str, Any] = {
            "clusterArn": [self.cluster_arn],
            "status": ["ACTIVE"],
            "agentConnected": [False],
        }
        return {
            "source": ["aws.ecs", *([f"{by_hand}aws.ecs"] if by_hand else [])],
            "detail-type": ["ECS Container Instance State Change"],
            "detail": detail,
        }

    @property
    def container_instances_arn(self) -> str:
        """Match the ARN of every container instance of the cluster, for a policy."""
        return Stack.of(self).format_arn(
            service="ecs", resource="container-instance", resource_name=f"{self.cluster_name}/*"
        )
