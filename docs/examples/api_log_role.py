"""An account whose APIs may write logs."""

from aws_cdk import App, Stack

from lambda_src.api_log_role.construct import ApiLogRole

app = App()
ApiLogRole(Stack(app, "Account"), "ApiLogRole")
app.synth()
