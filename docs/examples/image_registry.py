"""The registry of a team's account: scanned by Inspector, copied to a second region, with Docker Hub cached."""

from aws_cdk import App, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from lambda_src.image_registry.caching import CacheRule, Upstream
from lambda_src.image_registry.construct import ImageRegistry
from lambda_src.image_registry.creation import CreationTemplate, MadeFor
from lambda_src.image_registry.replication import Destination, Replication
from lambda_src.image_registry.scanning import Scanning, ScanType

app = App()
stack = Stack(app, "Registry")
docker_hub = secretsmanager.Secret.from_secret_complete_arn(
    stack,
    "DockerHub",
    "arn:aws:secretsmanager:us-east-1:111122223333:secret:ecr-pullthroughcache/docker-hub-a1B2c3",
)
ImageRegistry(
    stack,
    "Images",
    scanning=Scanning(ScanType.ENHANCED, on_push=["dev/*"], continuously=["shop/*"]),
    replication=[Replication([Destination("eu-west-1"), Destination("eu-west-1", "444455556666")], prefixes=["shop/"])],
    cache_rules=[
        CacheRule(Upstream.ECR_PUBLIC, "ecr-public"),
        CacheRule(Upstream.DOCKER_HUB, "docker-hub", secret=docker_hub),
    ],
    creation_templates=[
        CreationTemplate("docker-hub", [MadeFor.PULL_THROUGH_CACHE]),
        CreationTemplate("ROOT", [MadeFor.REPLICATION, MadeFor.CREATE_ON_PUSH], immutable_tags=True),
    ],
)
app.synth()
