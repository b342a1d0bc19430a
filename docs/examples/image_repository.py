"""A repository that keeps the ten newest releases, and archives what nobody pulled for three months."""

from aws_cdk import App, CfnOutput, Stack

from lambda_src.image_repository.construct import ImageRepository
from lambda_src.posture import Posture

app = App()
stack = Stack(app, "Images")
releases = {"tagStatus": "tagged", "tagPatternList": ["v*"], "countType": "imageCountMoreThan", "countNumber": 10}
unused = {"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 90}
images = ImageRepository(
    stack,
    "Shop",
    lifecycle_policy={
        "rules": [
            {"rulePriority": 1, "selection": releases, "action": {"type": "expire"}},
            {
                "rulePriority": 2,
                "selection": unused,
                "action": {"type": "transition", "targetStorageClass": "archive"},
            },
        ]
    },
    mutable_tags=["latest"],
    pull_accounts=["111122223333"],
    posture=Posture.PRODUCTION,
)
CfnOutput(stack, "RepositoryUri", value=images.repository_uri)
app.synth()
