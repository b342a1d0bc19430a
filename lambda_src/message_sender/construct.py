"""An EC2 instance that sends messages to a queue, and that only Session Manager can open a shell on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from lambda_src.acknowledged import acknowledge, acknowledge_inline_policy
from lambda_src.bundling import bundle_options
from lambda_src.message_sender import RUNTIME
from lambda_src.message_sender.private_network import PrivateNetwork
from lambda_src.options import checked
from lambda_src.posture import Posture
from lambda_src.subnets import selected

if TYPE_CHECKING:
    from aws_cdk import aws_sqs as sqs

# The newest Python that Amazon Linux 2023 has a package of: its own, 3.9, is too old for the client's dependencies.
_PYTHON = "3.14"
_FOLDER = "/opt/message-sender"
_COMMAND = "/usr/local/bin/send_message.py"


class SenderInstance(Construct):
    """An instance on Amazon Linux 2023 with the command ``send_message.py`` on it, for one queue.

    It has no password, no key pair, no public address and no inbound rule. Open a shell with
    ``aws ssm start-session --target INSTANCE``, then ``send_message.py -q Messages -i 0.1``. What its set-up printed
    is in ``/var/log/cloud-init-output.log``. A deployment replaces the instance when the command has changed, or when
    there is a newer image of Amazon Linux 2023.

    :param queue: the only queue that its role may send to.
    :param vpc: an existing VPC, from which Systems Manager, Amazon SQS and Amazon S3 can be reached; by default a new
        one that reaches nothing else, at about 0.03 USD an hour, in the region's first availability zone. Give one
        where that zone lacks the instance type.
    :param vpc_subnets: which of its subnets, private ones by default; needs ``vpc``.
    :param instance_type: size and architecture; ``t4g.micro``, with 1 GiB of memory, by default.
    :param posture: how long the new VPC's flow logs are kept.
    :raises ValueError: naming every option that is wrong.

    Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        queue: sqs.IQueue,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        instance_type: ec2.InstanceType | None = None,
        posture: Posture = Posture.LAB,
    ) -> None:
        """Check the options, then make the network, the role and the instance."""
        instance_type = instance_type or ec2.InstanceType("t4g.micro")
        with checked(SenderInstance, scope, construct_id) as options:
            inside = vpc is not None or vpc_subnets is None
            options.require(inside, "vpc_subnets", "given without vpc", "give the vpc too")
            public = vpc is not None and selected(vpc, vpc_subnets or ec2.SubnetSelection()).has_public
            options.require(not public, "vpc_subnets", "public", "private ones, which nobody can reach from outside")
        super().__init__(scope, construct_id)
        arm = instance_type.architecture == ec2.InstanceArchitecture.ARM_64
        code = assets.Asset(
            self,
            "Code",
            **bundle_options(
                RUNTIME,
                python=_PYTHON,
                architecture=lambda_.Architecture.ARM_64 if arm else lambda_.Architecture.X86_64,
            ),
        )
        code_arn = code.bucket.arn_for_objects(code.s3_object_key)
        network = None
        if vpc is None:
            network = PrivateNetwork(self, "Network", downloads=[code_arn], posture=posture)
            vpc = network.vpc
        #: Where the instance is.
        self.vpc: ec2.IVpc = vpc
        #: May be reached by Session Manager, download its code, and send to the queue.
        self.role = self._role(queue, code_arn)
        #: Sends the messages.
        self.instance = ec2.Instance(
            self,
            "Instance",
            vpc=self.vpc,
            vpc_subnets=vpc_subnets,
            instance_type=instance_type,
            machine_image=ec2.MachineImage.latest_amazon_linux2023(
                cpu_type=ec2.AmazonLinuxCpuType.ARM_64 if arm else ec2.AmazonLinuxCpuType.X86_64
            ),
            role=self.role,
            security_group=self._security_group(),
            user_data=self._user_data(code),
            user_data_causes_replacement=True,
            http_tokens=ec2.HttpTokens.REQUIRED,
            http_put_response_hop_limit=1,
            block_devices=[
                ec2.BlockDevice(
                    device_name="/dev/xvda",
                    volume=ec2.BlockDeviceVolume.ebs(8, encrypted=True, volume_type=ec2.EbsDeviceVolumeType.GP3),
                )
            ],
            ebs_optimized=True,
            detailed_monitoring=True,
            propagate_tags_to_volume_on_creation=True,
        )
        if network:
            self.instance.node.add_dependency(*network.endpoints)
        acknowledge(
            self.instance,
            "AwsSolutions-EC29",
            reason="The instance keeps nothing: an update of the command replaces it, and whoever deletes the stack "
            "wants it gone. Termination protection would block both.",
        )

    def _role(self, queue: sqs.IQueue, code_arn: str) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
        role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=[code_arn]))
        queue.grant(role, "sqs:GetQueueUrl", "sqs:SendMessage")
        if queue.encryption_master_key:
            queue.encryption_master_key.grant(role, "kms:Decrypt", "kms:GenerateDataKey")
        # All that Session Manager needs, where AWS's managed policy also reads every parameter of the account. Inside
        # the role, so that the instance waits for it.
        sessions = iam.Policy(
            role,
            "SessionManager",
            roles=[role],
            statements=[
                iam.PolicyStatement(
                    actions=[
                        "ssm:UpdateInstanceInformation",
                        "ssmmessages:CreateControlChannel",
                        "ssmmessages:CreateDataChannel",
                        "ssmmessages:OpenControlChannel",
                        "ssmmessages:OpenDataChannel",
                    ],
                    resources=["*"],
                )
            ],
        )
        acknowledge(
            sessions,
            "AwsSolutions-IAM5[Resource::*]",
            "CKV_AWS_111",
            reason="Session Manager's channels are no resources that a policy could name, and an instance has no id "
            "before it is made.",
        )
        acknowledge_inline_policy(role)
        return role

    def _security_group(self) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=self.vpc, allow_all_outbound=False, description="Sends messages, accepts nothing"
        )
        # To any address: the endpoint of Amazon S3 has no security group, and its addresses differ in every region.
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "HTTPS to AWS services")
        return group

    def _user_data(self, code: assets.Asset) -> ec2.UserData:
        region = Stack.of(self).region
        user_data = ec2.UserData.for_linux()
        user_data.add_commands("set -o errexit", f"dnf install --assumeyes python{_PYTHON}")
        archive = user_data.add_s3_download_command(
            bucket=code.bucket, bucket_key=code.s3_object_key, local_file=f"{_FOLDER}.zip", region=region
        )
        user_data.add_commands(
            f"python{_PYTHON} -m zipfile --extract {archive} {_FOLDER}",
            f"cat > {_COMMAND} <<'END'",
            "#!/bin/sh",
            f"export AWS_DEFAULT_REGION={region} PYTHONPATH={_FOLDER}",
            f'exec python{_PYTHON} -m {RUNTIME.name}.send_message "$@"',
            "END",
            f"chmod 755 {_COMMAND}",
        )
        return user_data
