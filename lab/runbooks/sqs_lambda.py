"""Lab 15.1: messages go through the queue and the function into the table, and nothing is lost on the way."""

from __future__ import annotations

import json
import time
import uuid
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from lab import log_events
from lab.least_privilege import Attempt, answers_to
from lab.runbook import Evidence, Exhibit, NotMadeError, Runbook, wait_for
from lambda_src.message_sender.runtime.send_message import Plan, client_config, send

if TYPE_CHECKING:
    from lab.deployment import Deployment

runbook = Runbook()
MESSAGES = 200
PARALLEL = 2


@runbook.check("The function is built as the chapter says", evidence=Evidence.CONTROL_PLANE_ONLY)
def function_is_built(deployed: Deployment) -> str:
    """Step 1: name, Python, and an execution role of its own."""
    function = deployed.client("lambda").get_function_configuration(FunctionName=deployed.output("FunctionName"))
    assert function["Runtime"].startswith("python"), f"its runtime is {function['Runtime']}"
    assert deployed.section.stack_id in function["Role"], f"its role {function['Role']} belongs to something else"
    return f"{function['FunctionName']}, {function['Runtime']}, {function['MemorySize']} MB, {function['Timeout']} s"


@runbook.check("The queue triggers the function", evidence=Evidence.CONTROL_PLANE_ONLY)
def queue_triggers_function(deployed: Deployment) -> str:
    """Step 2: the event source mapping is active, and reports failed records one by one."""
    queue = _attributes(deployed, "QueueUrl")
    mappings = deployed.client("lambda").list_event_source_mappings(
        EventSourceArn=queue["QueueArn"], FunctionName=deployed.output("FunctionName")
    )["EventSourceMappings"]
    assert len(mappings) == 1, f"there are {len(mappings)} event source mappings"
    assert mappings[0]["State"] == "Enabled", f"it is {mappings[0]['State']}"
    assert "ReportBatchItemFailures" in mappings[0]["FunctionResponseTypes"], "one failure fails the whole batch"
    timeout = deployed.client("lambda").get_function_configuration(FunctionName=deployed.output("FunctionName"))
    assert int(queue["VisibilityTimeout"]) >= 6 * timeout["Timeout"], "the visibility timeout is below six timeouts"
    return f"batches of {mappings[0]['BatchSize']}, visibility timeout {queue['VisibilityTimeout']} s"


@runbook.check("Every message that was sent is in the table", evidence=Evidence.EMULATED)
def every_message_arrives(deployed: Deployment) -> str:
    """Steps 4 and 5: send messages made by Faker, and look every one of them up."""
    sent: dict[str, str] = {}
    totals = send(
        deployed.client("sqs", config=client_config(PARALLEL)),
        deployed.output("QueueUrl"),
        Plan(count=MESSAGES, parallel=PARALLEL),
        progress=lambda batch, _: sent.update(batch.sent),
    )
    assert totals.failed == 0, f"{totals.failed} messages could not be sent: {totals.failures}"
    wait_for(lambda: len(_stored(deployed, set(sent))) == MESSAGES, seconds=180)
    stored = _stored(deployed, set(sent))
    assert len(stored) == MESSAGES, f"{MESSAGES - len(stored)} of {MESSAGES} are missing"
    changed = [item for item in stored.values() if item["Body"]["S"] != sent[item["MessageId"]["S"]]]
    assert not changed, f"{len(changed)} bodies are not what was sent"
    incomplete = [item for item in stored.values() if not {"MessageId", "Body", "Timestamp"} <= set(item)]
    assert not incomplete, f"{len(incomplete)} items lack an attribute"
    return f"{len(stored)} of {MESSAGES} found by their MessageId"


@runbook.check("Neither queue holds anything afterwards", evidence=Evidence.EMULATED)
def queues_are_empty(deployed: Deployment) -> str:
    """What is in the table has left the queue, and nothing took the way to the dead-letter queue."""

    def waiting(output: str) -> int:
        attributes = _attributes(deployed, output)
        return int(attributes["ApproximateNumberOfMessages"]) + int(attributes["ApproximateNumberOfMessagesNotVisible"])

    empty = wait_for(lambda: waiting("QueueUrl") == 0)
    assert empty, f"{waiting('QueueUrl')} messages are still in the queue"
    dead = waiting("DeadLetterQueueUrl")
    assert dead == 0, f"{dead} messages are in the dead-letter queue: `lab dlq show {deployed.section.id}`"
    return "0 in the queue, 0 in the dead-letter queue"


@runbook.check("A message that is delivered twice is stored once, unchanged", evidence=Evidence.EMULATED)
def redelivery_changes_nothing(deployed: Deployment) -> str:
    """Amazon SQS delivers at least once; the table must look as if it were exactly once."""
    record = _record("delivered twice")
    first, again = ([_invoke(deployed, [record]), _item(deployed, record["messageId"])] for _ in range(2))
    _delete(deployed, record["messageId"])
    assert first[0] == again[0] == {"batchItemFailures": []}, f"the function reported {first[0]}, then {again[0]}"
    assert first[1] is not None, "it is not in the table"
    assert first[1] == again[1], f"{first[1]} became {again[1]}"
    return f"Timestamp {first[1]['Timestamp']['S']} both times"


@runbook.check("A record that cannot be stored fails alone", evidence=Evidence.EMULATED)
def poison_fails_alone(deployed: Deployment) -> str:
    """A message may have 1 MiB, an item 400 KB: the too large one is reported, and its batch mate is stored."""
    good, poison = _record("fits"), _record("x" * 450_000)
    reported = _invoke(deployed, [good, poison])
    stored = [record["messageId"] for record in (good, poison) if _item(deployed, record["messageId"])]
    _delete(deployed, good["messageId"])
    assert reported == {"batchItemFailures": [{"itemIdentifier": poison["messageId"]}]}, f"reported: {reported}"
    assert stored == [good["messageId"]], f"{len(stored)} of the 2 are in the table"
    return "1 stored, 1 reported for the dead-letter queue"


@runbook.check("The function's role can neither read another queue nor delete the table", evidence=Evidence.EMULATED)
def role_is_least_privilege(deployed: Deployment) -> str:
    """Tried by a function that has the same role."""
    dead_letters, table = deployed.output("DeadLetterQueueUrl"), deployed.output("TableName")
    answers = answers_to(
        deployed,
        deployed.output("FunctionName"),
        [
            Attempt(
                "sqs:ReceiveMessage",
                _attributes(deployed, "DeadLetterQueueUrl")["QueueArn"],
                {"QueueUrl": dead_letters},
                "receive_message",
            ),
            Attempt(
                "dynamodb:DeleteTable",
                deployed.client("dynamodb").describe_table(TableName=table)["Table"]["TableArn"],
                {"TableName": table},
                "delete_table",
            ),
        ],
    )
    for action, answer in answers.items():
        assert answer.startswith("AccessDenied"), f"{action} was not refused: {answer}"
    return f"refused: {', '.join(answers)}"


@runbook.check("The log says what was done, and holds no message", evidence=Evidence.EMULATED)
def log_holds_no_bodies(deployed: Deployment) -> str:
    """A structured line an invocation; bodies are other people's data."""
    secret = f"body-{uuid.uuid4()}"
    # Without a time it cannot be stored, and a record that was not is named in the log by its MessageId.
    record = {**_record(secret), "attributes": {}}
    _invoke(deployed, [record])
    started = time.time() - 60

    def lines() -> list[str]:
        return [event.message for event in log_events.read(deployed, seconds=int(time.time() - started), follow=False)]

    arrived = wait_for(lambda: any(record["messageId"] in line for line in lines()), seconds=60)
    assert arrived, "no line about the record reached the log"
    [line] = [json.loads(line) for line in lines() if record["messageId"] in line]
    assert not any(secret in line for line in lines()), "a message's body is in the log"
    return f"{line['level']}: {line['message']}: {line['reason']}"


@runbook.check("Traffic without TLS is refused by both queues", evidence=Evidence.TEMPLATE)
def queues_require_tls(deployed: Deployment) -> str:
    """The queue policies deny every request that did not come by TLS."""
    policies = [
        resource["Properties"]["PolicyDocument"]["Statement"]
        for resource in deployed.template()["Resources"].values()
        if resource["Type"] == "AWS::SQS::QueuePolicy"
    ]
    denied = [
        statement
        for statements in policies
        for statement in statements
        if statement["Effect"] == "Deny"
        and statement.get("Condition", {}).get("Bool") == {"aws:SecureTransport": "false"}
    ]
    assert len(denied) == 2, f"{len(denied)} of 2 queues refuse it"
    return "2 of 2 queue policies"


@runbook.check("The Messages queue's monitoring shows the messages", evidence=Evidence.AWS_ONLY)
def monitoring_shows_messages(deployed: Deployment) -> str:
    """The chapter's step 5.1 reads NumberOfMessagesReceived, and the emulator keeps no metrics of queues."""
    now = time.time()
    name = _queue_name(deployed)

    def received() -> float:
        points = deployed.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SQS", MetricName="NumberOfMessagesReceived", Statistics=["Sum"], Period=60,
            Dimensions=[{"Name": "QueueName", "Value": name}], StartTime=now - 900, EndTime=time.time(),
        )["Datapoints"]  # fmt: skip
        return float(sum(point["Sum"] for point in points))

    shown = wait_for(lambda: received() >= MESSAGES, seconds=600)
    assert shown, f"it shows {received():g} after ten minutes"
    return f"{received():g} received in 15 minutes"


@runbook.check("The chapter's client on EC2 sends to the queue", evidence=Evidence.AWS_ONLY)
def ec2_client_sends(deployed: Deployment) -> str:
    """The emulator has no instances that run; the client is an option: -c client=ec2."""
    if "ClientInstanceId" not in deployed.outputs:
        raise NotMadeError("Deployed without the client: `-c client=ec2` adds it.")
    ssm, instance = deployed.client("ssm"), deployed.output("ClientInstanceId")
    this = [{"Key": "InstanceIds", "Values": [instance]}]
    online = wait_for(
        lambda: bool(ssm.describe_instance_information(Filters=this)["InstanceInformationList"]), seconds=600
    )
    assert online, f"{instance} did not report to Systems Manager within ten minutes"
    send_ten = f"send_message.py -q {_queue_name(deployed)} -i 0.1 --count 10"
    command = ssm.send_command(
        InstanceIds=[instance],
        DocumentName="AWS-RunShellScript",
        Parameters={"commands": [f"cloud-init status --wait && {send_ten}"]},
    )["Command"]["CommandId"]

    def answer() -> dict[str, Any]:
        return dict(ssm.get_command_invocation(CommandId=command, InstanceId=instance))

    time.sleep(2)
    wait_for(lambda: answer()["Status"] not in {"Pending", "InProgress", "Delayed"}, seconds=120)
    assert answer()["Status"] == "Success", answer()["StandardErrorContent"]
    return str(answer()["StandardOutputContent"]).strip().splitlines()[-1]


@runbook.show
def newest_items(deployed: Deployment) -> Exhibit:
    """Step 5.3: explore the table's items."""
    items = deployed.client("dynamodb").scan(TableName=deployed.output("TableName"), Limit=1000)["Items"]
    newest = sorted(items, key=lambda item: str(item["Timestamp"]["S"]), reverse=True)[:5]
    columns = ["MessageId", "Timestamp", "Body"]
    return Exhibit(
        f"Items in the table {deployed.output('TableName')}: the newest of {len(items)} that were read",
        columns,
        [[shorten(item[column]["S"], 60, placeholder=" ...") for column in columns] for item in newest],
    )


def _attributes(deployed: Deployment, output: str) -> dict[str, str]:
    attributes: dict[str, str] = deployed.client("sqs").get_queue_attributes(
        QueueUrl=deployed.output(output), AttributeNames=["All"]
    )["Attributes"]
    return attributes


def _queue_name(deployed: Deployment) -> str:
    return _attributes(deployed, "QueueUrl")["QueueArn"].rsplit(":", 1)[1]


def _stored(deployed: Deployment, message_ids: set[str]) -> dict[str, dict[str, Any]]:
    """Look messages up by their ids, a hundred a call."""
    table, dynamodb, found = deployed.output("TableName"), deployed.client("dynamodb"), {}
    wanted = [{"MessageId": {"S": message_id}} for message_id in sorted(message_ids)]
    while wanted:
        keys, wanted = wanted[:100], wanted[100:]
        answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
        found.update({item["MessageId"]["S"]: item for item in answer["Responses"].get(table, [])})
        wanted += answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
    return found


def _item(deployed: Deployment, message_id: str) -> dict[str, Any] | None:
    return _stored(deployed, {message_id}).get(message_id)


def _delete(deployed: Deployment, message_id: str) -> None:
    deployed.client("dynamodb").delete_item(
        TableName=deployed.output("TableName"), Key={"MessageId": {"S": message_id}}
    )


def _record(body: str) -> dict[str, Any]:
    """Make a record as the event source mapping hands it to the function."""
    return {
        "messageId": f"runbook-{uuid.uuid4()}",
        "receiptHandle": "runbook",
        "body": body,
        "attributes": {"SentTimestamp": str(int(time.time() * 1000)), "ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:runbook",
    }


def _invoke(deployed: Deployment, records: list[dict[str, Any]]) -> dict[str, Any]:
    answer = deployed.client("lambda").invoke(
        FunctionName=deployed.output("FunctionName"), Payload=json.dumps({"Records": records})
    )
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, f"the function failed: {payload}"
    return payload
