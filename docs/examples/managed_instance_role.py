"""What `aws ssm create-activation --iam-role` is given, so that hosts can join one cluster and do nothing else."""

from aws_cdk import App, CfnOutput, Stack

from lambda_src.external_cluster.construct import ExternalCluster
from lambda_src.managed_instance_role.construct import ManagedInstanceRole

app = App()
stack = Stack(app, "Branches")
cluster = ExternalCluster(stack, "Branches")
role = ManagedInstanceRole(stack, "HostRole", cluster=cluster)
CfnOutput(stack, "RoleName", value=role.role_name)
app.synth()
