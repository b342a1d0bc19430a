"""An empty CDK app: one stack with nothing in it."""

import aws_cdk as cdk

app = cdk.App()
cdk.Stack(app, "Empty")
app.synth()
