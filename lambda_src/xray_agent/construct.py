"""The CloudWatch agent on an EC2 instance, which takes traces and sends them to X-Ray."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambda_src.options import checked
from lambda_src.trace_agent import configuration, let_send_traces

_AGENT = "/opt/aws/amazon-cloudwatch-agent"


class XrayAgent(Construct):
    """Installs the agent by the instance's user data, and lets the instance's role send traces.

    It takes the place of the X-Ray daemon, whose support ends on 2027-02-25, and listens where the daemon did: UDP
    2000 for segments, TCP 2000 for sampling rules; and at 4317 and 4318 for OpenTelemetry. Nothing outside the instance
    reaches it. The package comes from Amazon Linux, whose packages an isolated instance reads through an endpoint of
    Amazon S3.

    :param instance: runs Amazon Linux 2023, and its user data is a shell script.
    :param isolated_vpc: the instance's VPC, if nothing leads out of it: X-Ray gets an endpoint there, which the
        instance alone may use, at about 0.01 USD an hour. By default X-Ray can be reached already.
    :raises ValueError: for an instance on another operating system.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-daemon-ec2.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, instance: ec2.Instance, isolated_vpc: ec2.IVpc | None = None
    ) -> None:
        """Check the instance, then add to its user data and to what its role may do."""
        with checked(XrayAgent, scope, construct_id) as options:
            linux = instance.os_type == ec2.OperatingSystemType.LINUX
            options.require(linux, "instance", instance.os_type.name, "one that runs Amazon Linux")
        super().__init__(scope, construct_id)
        #: Lets the instance send traces.
        self.policy: iam.Policy = let_send_traces(self, "SendTraces", instance.role)
        instance.user_data.add_commands(
            "dnf install --assumeyes amazon-cloudwatch-agent",
            f"cat > {_AGENT}/etc/traces.json <<'END'",
            configuration("127.0.0.1"),
            "END",
            f"{_AGENT}/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:{_AGENT}/etc/traces.json",
        )
        # The agent starts with the instance, and would be refused for as long as it may not send.
        instance.instance.node.add_dependency(self.policy)
        if isolated_vpc:
            endpoint = isolated_vpc.add_interface_endpoint(
                "XRay", service=ec2.InterfaceVpcEndpointAwsService.XRAY, open=False
            )
            endpoint.connections.allow_default_port_from(instance, "Traces")
