"""Large orders go to a queue, as a summary; which events are large orders can be tried without deploying."""

from aws_cdk import App, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs

from lambda_src.event_bus.construct import ArchivedEventBus
from lambda_src.event_rule.construct import EventRule
from lambda_src.event_rule.matching import matches

LARGE_ORDER = {
    "source": ["shop.orders"],
    "detail-type": ["OrderPlaced"],
    "detail": {"total": [{"numeric": [">=", 100]}]},
}

app = App()
stack = Stack(app, "Shop")
queue = sqs.Queue(stack, "LargeOrders", encryption=sqs.QueueEncryption.SQS_MANAGED)
summary = events.RuleTargetInput.from_object({"order": events.EventField.from_path("$.detail.id")})
EventRule(
    stack,
    "LargeOrder",
    event_bus=ArchivedEventBus(stack, "Orders"),
    event_pattern=LARGE_ORDER,
    targets=[targets.SqsQueue(queue, message=summary)],
)
app.synth()

order = {"source": "shop.orders", "detail-type": "OrderPlaced", "detail": {"id": "A1", "total": 120}}
print(matches(LARGE_ORDER, order))  # True
print(matches(LARGE_ORDER, {**order, "detail": {"id": "A2", "total": 20}}))  # False
