"""The page in the gallery of an image that everybody may pull."""

from aws_cdk import App, CfnOutput, Environment, Stack

from lambda_src.posture import Posture
from lambda_src.public_image_repository.construct import PublicImageRepository

app = App()
stack = Stack(app, "Gallery", env=Environment(region="us-east-1"))
shop = PublicImageRepository(
    stack,
    "Shop",
    repository_name="shop",
    description="The shop of the serverless chapter",
    usage="`docker run -p 8080:8080 public.ecr.aws/ALIAS/shop`",
    posture=Posture.PRODUCTION,
)
CfnOutput(stack, "RepositoryName", value=shop.ref)
app.synth()
