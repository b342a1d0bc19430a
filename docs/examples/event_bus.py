"""A bus for what a shop sells, whose events of the last month can be replayed."""

from aws_cdk import App, CfnOutput, Duration, Stack

from lambda_src.event_bus.construct import ArchivedEventBus

app = App()
stack = Stack(app, "Shop")
orders = ArchivedEventBus(
    stack, "Orders", event_bus_name="Orders", archive_retention=Duration.days(30), organization_id="o-a1b2c3d4e5"
)
CfnOutput(stack, "BusName", value=orders.event_bus_name)
app.synth()
