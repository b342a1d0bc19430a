"""The manifests of an image of your own, for `python app.py | kubectl apply -f -`."""

import cdk8s

from lambda_src.web_workload.construct import WebWorkload

app = cdk8s.App()
WebWorkload(
    app,
    "shop",
    image="111122223333.dkr.ecr.us-east-1.amazonaws.com/shop:1.4.2",
    namespace="shop",
    health_path="/health",
    max_pods=12,
)
print(app.synth_yaml())
