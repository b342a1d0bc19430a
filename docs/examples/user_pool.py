"""A user pool for a shop: customers make their accounts themselves, and the staff are a group."""

from aws_cdk import App, CfnOutput, Duration, Stack

from lambda_src.posture import Posture
from lambda_src.user_pool.construct import SignInPool

app = App()
stack = Stack(app, "People")
people = SignInPool(
    stack,
    "Customers",
    groups=["Staff"],
    self_sign_up=True,
    sign_in_for=Duration.days(30),
    posture=Posture.PRODUCTION,
)
CfnOutput(stack, "UserPoolId", value=people.user_pool_id)
CfnOutput(stack, "ClientId", value=people.client.user_pool_client_id)
app.synth()
