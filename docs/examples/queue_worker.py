"""A queue whose messages are stored in a table, a hundred at a time."""

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb

from lambda_src.function.construct import PythonFunction
from lambda_src.queue_worker import RUNTIME
from lambda_src.queue_worker.construct import QueueWorker
from lambda_src.table.construct import OnDemandTable

app = App()
stack = Stack(app, "Orders")
message_id = dynamodb.Attribute(name="MessageId", type=dynamodb.AttributeType.STRING)
orders = OnDemandTable(stack, "Order", partition_key=message_id)
consumer = PythonFunction(stack, "Consumer", runtime_code=RUNTIME, environment={"TABLE_NAME": orders.table_name})
orders.grants.actions(consumer, "dynamodb:BatchWriteItem")
QueueWorker(stack, "Worker", function=consumer, batch_size=100, batching_window=Duration.seconds(5))
app.synth()
