"""The image for arm64, on a base that brings a shell and its tools."""

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_ecr_assets as ecr_assets

from lambda_src.web_image.construct import WebImage

app = App()
stack = Stack(app, "Web")
image = WebImage(
    stack,
    "Image",
    platform=ecr_assets.Platform.LINUX_ARM64,
    base_image="public.ecr.aws/docker/library/alpine:3.22",
)
CfnOutput(stack, "ImageUri", value=image.image_uri)
app.synth()
