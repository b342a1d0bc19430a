"""A user whose keys a cluster pulls curated packages with, bought in Oregon."""

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_iam as iam

from lambda_src.curated_packages_policy.construct import CuratedPackagesPolicy

app = App()
stack = Stack(app, "Packages")
packages = CuratedPackagesPolicy(stack, "Pull", region="us-west-2")
iam.User(stack, "Cluster", managed_policies=[packages])
CfnOutput(stack, "Registry", value=packages.registry)
app.synth()
