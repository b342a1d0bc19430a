"""Using AWS X-Ray for Application Insights: a request is traced through everything that handles it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_

from lab_stacks.section import Section
from lab_stacks.xray_traces import add_groups, add_sampling_rules
from lambda_src import order_front, queue_worker
from lambda_src.api_log_role.construct import ApiLogRole
from lambda_src.function.construct import PythonFunction
from lambda_src.options import checked
from lambda_src.order_front.schema import ORDER
from lambda_src.queue_worker.construct import QueueWorker
from lambda_src.table.construct import OnDemandTable
from lambda_src.traced_rest_api.construct import TracedRestApi
from lambda_src.traced_topic.construct import TracedTopic
from lambda_src.xray_account.construct import XrayAccount

if TYPE_CHECKING:
    from constructs import Construct


class Xray(Section):
    """An order's way: a REST API, ``Front``, which asks ``Prices``, a topic, a queue, ``Store``, and the table.

    Context: ``endpoint`` (an https URL that is asked for prices, instead of the stack's own function), ``log_role``
    (``existing`` where API Gateway has a role for its logs already), ``traced_host`` (``ec2``, ``ecs`` or ``beanstalk``
    adds something that is not serverless, and sends traces all the same; ``image`` says what runs in the task, and
    ``solution_stack``, which has to be given, on which platform the environment does), ``xray_account``
    (``configured`` changes X-Ray's settings of the account), and names: ``api_name``, ``stage_name``,
    ``orders_queue``, ``orders_group``, ``failed_orders_group``, ``slow_orders_group``.
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        """Wire an order's way from its end to its beginning, and say what is traced of it."""
        super().__init__(scope, construct_id, **kwargs)
        operation: dict[str, Any] = {"posture": self.posture, "alarm_topic": self.alarm_topic()}
        api_name, stage_name = self.setting("api_name", "Orders"), self.setting("stage_name", "v1")
        endpoint = self.setting("endpoint", "")
        with checked(Xray, scope, construct_id) as options:
            outside = not endpoint or endpoint.startswith("https://")
            options.require(outside, "endpoint", endpoint, "an https URL, which answers ?item=book with its price")

        # SNS and SQS: the time that a message spends in topic and queue
        orders = OnDemandTable(
            self,
            "Order",
            partition_key=dynamodb.Attribute(name="MessageId", type=dynamodb.AttributeType.STRING),
            posture=self.posture,
        )
        store = PythonFunction(
            self,
            "Store",
            runtime_code=queue_worker.RUNTIME,
            environment={"TABLE_NAME": orders.table_name, "POWERTOOLS_SERVICE_NAME": "store"},
            **operation,
        )
        orders.grants.actions(store, "dynamodb:BatchWriteItem")
        worker = QueueWorker(
            self, "Orders", queue_name=self.setting("orders_queue", "Orders"), function=store, **operation
        )
        topic = TracedTopic(self, "OrderPlaced", **operation)
        topic.deliver_to(worker.queue)

        # Lambda: a toggle, which is on in every function; its calls are downstream of it
        prices = PythonFunction(self, "Prices", runtime_code=order_front.RUNTIME, handler="prices.handler", **operation)
        prices_url = prices.add_function_url(auth_type=lambda_.FunctionUrlAuthType.AWS_IAM)
        front = PythonFunction(
            self,
            "Front",
            runtime_code=order_front.RUNTIME,
            handler="front.handler",
            environment={
                "PRICES_URL": endpoint or prices_url.url,
                "PRICES_AUTHORIZATION": "NONE" if endpoint else "AWS_IAM",
                "TOPIC_ARN": topic.topic_arn,
                "POWERTOOLS_SERVICE_NAME": "front",
            },
            **operation,
        )
        topic.grant_publish(front)
        prices_url.grant_invoke_url(front)

        # API Gateway: added to the stage, which makes the tracing header and asks the sampling rules
        log_role = ApiLogRole(self, "ApiLogRole") if self.choice("log_role", "made", "existing") == "made" else None
        api = TracedRestApi(self, "Api", api_name=api_name, stage_name=stage_name, log_role=log_role, **operation)
        api.add_route("POST", "/orders", front, body=ORDER)
        api.add_route("GET", "/health", front)
        add_sampling_rules(self, name=api_name, service=api.service_name)
        add_groups(self, service=api.service_name)

        # EC2, ECS and Elastic Beanstalk: an agent is installed, goes with the task, or is switched on
        host = self.choice("traced_host", "none", "ec2", "ecs", "beanstalk")
        if host != "none":
            from lab_stacks.xray_hosts import add_host  # noqa: PLC0415 - few need all of Amazon EC2 and ECS

            add_host(self, host, worker.queue)
        # Encryption and Transaction Search are the whole account's
        if self.choice("xray_account", "unchanged", "configured") == "configured":
            XrayAccount(self, "Account", **operation)

        self.output("ApiUrl", api.url)
        self.output("ApiId", api.rest_api_id)
        self.output("StageName", api.deployment_stage.stage_name)
        self.output("FrontFunctionName", front.function_name)
        self.output("PricesFunctionName", prices.function_name)
        self.output("PricesUrl", prices_url.url)
        self.output("TopicArn", topic.topic_arn)
        self.output("TopicDeadLetterQueueUrl", topic.dead_letter_queue.queue_url)
        self.output("QueueUrl", worker.queue.queue_url)
        self.output("DeadLetterQueueUrl", worker.dead_letter_queue.queue_url)
        self.output("StoreFunctionName", store.function_name)
        self.output("TableName", orders.table_name)
