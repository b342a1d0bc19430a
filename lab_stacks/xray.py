"""Using AWS X-Ray for Application Insights: a request is traced through everything that handles it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_

from lab_stacks.section import Section
from lambda_src import order_front, queue_worker
from lambda_src.api_log_role.construct import ApiLogRole
from lambda_src.function.construct import PythonFunction
from lambda_src.options import checked
from lambda_src.order_front.schema import ORDER
from lambda_src.queue_worker.construct import QueueWorker
from lambda_src.sampling_rule.construct import SamplingRule
from lambda_src.table.construct import OnDemandTable
from lambda_src.trace_group.construct import TraceGroup
from lambda_src.traced_rest_api.construct import TracedRestApi
from lambda_src.traced_topic.construct import TracedTopic

if TYPE_CHECKING:
    from aws_cdk import aws_sqs as sqs
    from constructs import Construct

# Elastic Beanstalk has no name for the newest version of a platform.
_PLATFORM = "64bit Amazon Linux 2023 v4.6.1 running Python 3.13"


class Xray(Section):
    """An order's way: a REST API, ``Front``, which asks ``Prices``, a topic, a queue, ``Store``, and the table.

    Context: ``endpoint`` (an https URL that is asked for prices, instead of the stack's own function), ``log_role``
    (``existing`` where API Gateway has a role for its logs already), ``traced_host`` (``ec2``, ``ecs`` or ``beanstalk``
    adds something that is not serverless, and sends traces all the same; ``image`` and ``solution_stack`` say what runs
    on the last two), ``xray_account`` (``configured`` changes X-Ray's settings of the account), and names:
    ``api_name``, ``stage_name``, ``orders_queue``, ``orders_group``, ``failed_orders_group``, ``slow_orders_group``.
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

        # API Gateway: added to the stage; it makes the tracing header, and asks the sampling rules
        log_role = ApiLogRole(self, "ApiLogRole") if self.choice("log_role", "made", "existing") == "made" else None
        api = TracedRestApi(self, "Api", api_name=api_name, stage_name=stage_name, log_role=log_role, **operation)
        api.add_route("POST", "/orders", front, body=ORDER)
        api.add_route("GET", "/health", front)
        self._add_sampling_rules(api_name, service=f"{api_name}/{stage_name}")
        self._add_groups(service=f"{api_name}/{stage_name}")

        # EC2, ECS and Elastic Beanstalk: an agent is installed, goes with the task, or is switched on
        self._add_host(self.choice("traced_host", "none", "ec2", "ecs", "beanstalk"), worker.queue)
        if self.choice("xray_account", "unchanged", "configured") == "configured":
            from lambda_src.xray_account.construct import XrayAccount  # noqa: PLC0415

            XrayAccount(self, "Account", **operation)

        self.output("ApiUrl", api.url)
        self.output("ApiId", api.rest_api_id)
        self.output("StageName", api.deployment_stage.stage_name)
        self.output("FrontFunctionName", front.function_name)
        self.output("PricesFunctionName", prices.function_name)
        self.output("PricesUrl", prices_url.url)
        self.output("TopicArn", topic.topic_arn)
        self.output("QueueUrl", worker.queue.queue_url)
        self.output("DeadLetterQueueUrl", worker.dead_letter_queue.queue_url)
        self.output("StoreFunctionName", store.function_name)
        self.output("TableName", orders.table_name)

    def _add_sampling_rules(self, api_name: str, service: str) -> None:
        """Keep every order, hardly any health check, some of what else comes to this API, and touch no other API."""
        for name, priority, fixed_rate, reservoir_size, http_method, url_path in (
            ("orders", 100, 1.0, 0, "POST", "*/orders"),
            ("health", 200, 0.01, 0, "GET", "*/health"),
            ("default", 9000, 0.05, 1, "*", "*"),
        ):
            SamplingRule(
                self,
                f"{name.capitalize()}Sampling",
                rule_name=f"{api_name}-{name}",
                priority=priority,
                fixed_rate=fixed_rate,
                reservoir_size=reservoir_size,
                service_name=service,
                service_type="AWS::ApiGateway::Stage",
                http_method=http_method,
                url_path=url_path,
            )

    def _add_groups(self, service: str) -> None:
        """Group all traces of the API, those whose caller saw something go wrong, and those that took long."""
        for name, condition in (
            ("orders", ""),
            ("failed_orders", " AND (error OR fault OR throttle)"),
            ("slow_orders", " AND responsetime > 2"),
        ):
            group = TraceGroup(
                self,
                "".join(word.capitalize() for word in [*name.split("_"), "group"]),
                group_name=self.setting(f"{name}_group", name.replace("_", "-")),
                filter_expression=f'service("{service}"){condition}',
            )
            self.output(f"{group.node.id}Name", group.group_name)

    def _add_host(self, host: str, queue: sqs.IQueue) -> None:
        """Add what few ask for; only then are the CDK's parts for it loaded."""
        match host:
            case "ec2":
                from lambda_src.message_sender.construct import SenderInstance  # noqa: PLC0415
                from lambda_src.xray_agent.construct import XrayAgent  # noqa: PLC0415

                client = SenderInstance(self, "Client", queue=queue, posture=self.posture)
                XrayAgent(self, "ClientAgent", instance=client.instance, isolated_vpc=client.vpc)
                self.output("ClientInstanceId", client.instance.instance_id)
            case "ecs":
                from aws_cdk import aws_ecs as ecs  # noqa: PLC0415

                from lambda_src.xray_sidecar.construct import XraySidecar  # noqa: PLC0415

                task = ecs.FargateTaskDefinition(self, "Task", cpu=256, memory_limit_mib=512)
                sidecar = XraySidecar(self, "TaskAgent", task_definition=task, posture=self.posture)
                image = ecs.ContainerImage.from_registry(self.setting("image", "public.ecr.aws/nginx/nginx:1.29"))
                sidecar.add_application("Application", image=image)
                self.output("TaskDefinitionArn", task.task_definition_arn)
            case "beanstalk":
                from aws_cdk import aws_elasticbeanstalk as elasticbeanstalk  # noqa: PLC0415

                from lambda_src.traced_environment.construct import TracedEnvironment  # noqa: PLC0415

                environment = TracedEnvironment(
                    self,
                    "Environment",
                    application_name=elasticbeanstalk.CfnApplication(self, "Application").ref,
                    solution_stack_name=self.setting("solution_stack", _PLATFORM),
                    posture=self.posture,
                )
                self.output("EnvironmentName", environment.ref)
