"""An application on Elastic Beanstalk with X-Ray switched on."""

from aws_cdk import App, Stack
from aws_cdk import aws_elasticbeanstalk as elasticbeanstalk

from lambda_src.traced_environment.construct import TracedEnvironment

app = App()
stack = Stack(app, "Shop")
TracedEnvironment(
    stack,
    "Environment",
    application_name=elasticbeanstalk.CfnApplication(stack, "Application").ref,
    solution_stack_name="64bit Amazon Linux 2023 v4.13.8 running Python 3.13",
)
app.synth()
