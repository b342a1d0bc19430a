"""An API whose one route a function answers, and that a role of the account may call."""

from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam

from lambda_src.function.construct import PythonFunction
from lambda_src.traced_rest_api.construct import TracedRestApi

app = App()
stack = Stack(app, "Greetings")
greeting = PythonFunction(stack, "Greeting", runtime_code=Path(__file__).parent / "greeting")
api = TracedRestApi(stack, "Api", api_name="Greetings")
name = apigateway.JsonSchema(
    type=apigateway.JsonSchemaType.OBJECT,
    properties={"name": apigateway.JsonSchema(type=apigateway.JsonSchemaType.STRING)},
    required=["name"],
)
route = api.add_route("POST", "/greetings", greeting, body=name)
route.grant_execute(iam.Role.from_role_name(stack, "Caller", "shop"))
app.synth()
