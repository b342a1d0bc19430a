"""A function whose code is the package `greeting` beside this file."""

from pathlib import Path

from aws_cdk import App, Duration, Stack

from lambda_src.function.construct import PythonFunction

app = App()
stack = Stack(app, "Greeting")
PythonFunction(
    stack,
    "Greet",
    runtime_code=Path(__file__).parent / "greeting",
    environment={"GREETING": "Hello"},
    memory_size=128,
    timeout=Duration.seconds(3),
)
app.synth()
