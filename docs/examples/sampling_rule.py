"""One health check in a hundred is traced."""

from aws_cdk import App, Stack

from lambda_src.sampling_rule.construct import SamplingRule

app = App()
stack = Stack(app, "Traces")
SamplingRule(
    stack,
    "Health",
    rule_name="orders-health",
    priority=100,
    fixed_rate=0.01,
    service_name="Orders/v1",
    http_method="GET",
)
app.synth()
