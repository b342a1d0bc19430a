"""What a resolver's request asks of its data source, and what of the answer the resolver gets.

Source: https://docs.aws.amazon.com/appsync/latest/devguide/resolver-reference-js-version.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.emulation.appsync.clients import client
from lab.emulation.appsync.expressions import Expressions
from lab.emulation.appsync.values import plain_map, typed_map

if TYPE_CHECKING:
    from collections.abc import Callable

Source = dict[str, Any]
Asked = dict[str, Any]


class SourceError(Exception):
    """A source refused or failed: what the resolver gets as ``ctx.error``, and perhaps as ``ctx.result``."""

    def __init__(self, message: str, kind: str, result: Any = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.result = result


def ask(source: Source, asked: Asked) -> Any:
    """Make the request that a resolver's code wrote.

    :raises SourceError: when the source refuses it, or does not have such an operation.
    """
    kind, operation = source["type"], str(asked.get("operation"))
    if kind == "NONE":
        return asked.get("payload")
    found = _OPERATIONS.get(kind, {}).get("statements" if "statements" in asked else operation)
    if found is None:
        raise SourceError(f"Unsupported operation {operation} of a source of the type {kind}", "MappingTemplate")
    try:
        return found(source, asked)
    except ClientError as error:
        said = error.response["Error"]
        raise SourceError(said["Message"], f"{_PREFIX[kind]}:{said['Code']}") from error
    except BotoCoreError as error:
        raise SourceError(str(error), f"{_PREFIX[kind]}:SdkClientException") from error


def invoke(source: Source, payload: Any) -> Any:
    """Invoke a source's function, with one request or with a batch of them."""
    answer = client("lambda", source["serviceRoleArn"]).invoke(
        FunctionName=source["lambdaConfig"]["lambdaFunctionArn"], Payload=json.dumps(payload)
    )
    result = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        raise SourceError(result.get("errorMessage", ""), f"Lambda:{answer['FunctionError']}")
    return result


def _invoke(source: Source, asked: Asked) -> Any:
    return invoke(source, asked.get("payload"))


def _get_item(source: Source, asked: Asked) -> Any:
    answer = _dynamodb(source).get_item(**_key(source, asked), ConsistentRead=bool(asked.get("consistentRead")))
    return plain_map(answer["Item"]) if "Item" in answer else None


def _put_item(source: Source, asked: Asked) -> Any:
    item = typed_map({**(asked.get("attributeValues") or {}), **asked["key"]})
    _conditionally(source, asked, Expressions(), "put_item", Item=item)
    return plain_map(item)


def _update_item(source: Source, asked: Asked) -> Any:
    expressions = Expressions()
    update = {"UpdateExpression": expressions.update(asked["update"])} if asked.get("update") else {}
    key = {"Key": typed_map(asked["key"]), "ReturnValues": "ALL_NEW"}
    return _conditionally(source, asked, expressions, "update_item", **key, **update)


def _delete_item(source: Source, asked: Asked) -> Any:
    key = {"Key": typed_map(asked["key"]), "ReturnValues": "ALL_OLD"}
    return _conditionally(source, asked, Expressions(), "delete_item", **key)


def _conditionally(
    source: Source, asked: Asked, expressions: Expressions, operation: str, **parameters: Any
) -> dict[str, Any] | None:
    """Write; where the condition does not hold, the resolver gets the item that is there."""
    if asked.get("condition"):
        parameters["ConditionExpression"] = expressions.condition(asked["condition"])
        parameters["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    table = source["dynamodbConfig"]["tableName"]
    try:
        answer = getattr(_dynamodb(source), operation)(TableName=table, **parameters, **expressions.parameters)
    except ClientError as error:
        said = error.response["Error"]
        if said["Code"] != "ConditionalCheckFailedException":
            raise
        there: Any = error.response.get("Item")
        raise SourceError(said["Message"], f"DynamoDB:{said['Code']}", plain_map(there) if there else None) from error
    return plain_map(answer["Attributes"]) if answer.get("Attributes") else None


def _query(source: Source, asked: Asked) -> Any:
    expressions = Expressions()
    parameters: dict[str, Any] = {"KeyConditionExpression": expressions.condition(asked["query"])}
    if asked.get("scanIndexForward") is not None:
        parameters["ScanIndexForward"] = asked["scanIndexForward"]
    return _page("query", source, asked, expressions, parameters)


def _scan(source: Source, asked: Asked) -> Any:
    return _page("scan", source, asked, Expressions(), {})


def _page(
    operation: str, source: Source, asked: Asked, expressions: Expressions, parameters: dict[str, Any]
) -> dict[str, Any]:
    if asked.get("filter"):
        parameters["FilterExpression"] = expressions.condition(asked["filter"])
    if asked.get("index"):
        parameters["IndexName"] = asked["index"]
    if asked.get("limit"):
        parameters["Limit"] = int(asked["limit"])
    if asked.get("consistentRead"):
        parameters["ConsistentRead"] = True
    if asked.get("nextToken"):
        parameters["ExclusiveStartKey"] = _start(asked["nextToken"])
    table = source["dynamodbConfig"]["tableName"]
    answer = getattr(_dynamodb(source), operation)(TableName=table, **parameters, **expressions.parameters)
    last = answer.get("LastEvaluatedKey")
    return {
        "items": [plain_map(item) for item in answer["Items"]],
        "nextToken": json.dumps(last).encode().hex() if last else None,
        "scannedCount": answer["ScannedCount"],
    }


def _start(token: str) -> dict[str, Any]:
    try:
        start: dict[str, Any] = json.loads(bytes.fromhex(token))
    except ValueError:
        raise SourceError("Invalid pagination token given.", "DynamoDB:InvalidPaginationTokenException") from None
    return start


def _batch_get_item(source: Source, asked: Asked) -> Any:
    """Get up to 100 items; the answer has them in the order of their keys, and null for one that is not there."""
    wanted = {table: [typed_map(key) for key in one["keys"]] for table, one in asked["tables"].items()}
    requested = {
        table: {"Keys": keys, "ConsistentRead": bool(asked["tables"][table].get("consistentRead"))}
        for table, keys in wanted.items()
    }
    answer = _dynamodb(source).batch_get_item(RequestItems=requested)
    return {
        "data": {
            table: [_with_key(answer["Responses"].get(table, []), key) for key in keys]
            for table, keys in wanted.items()
        },
        "unprocessedKeys": answer.get("UnprocessedKeys", {}),
    }


def _with_key(items: list[dict[str, Any]], key: dict[str, Any]) -> dict[str, Any] | None:
    found = [item for item in items if all(item.get(name) == value for name, value in key.items())]
    return plain_map(found[0]) if found else None


def _put_events(source: Source, asked: Asked) -> Any:
    bus = source["eventBridgeConfig"]["eventBusArn"]
    entries = [
        {
            "EventBusName": bus,
            "Source": event["source"],
            "DetailType": event["detailType"],
            "Detail": json.dumps(event.get("detail") or {}),
            **({"Resources": event["resources"]} if event.get("resources") else {}),
        }
        for event in asked["events"]
    ]
    answer = client("events", source["serviceRoleArn"]).put_events(Entries=entries)
    return {"Entries": answer["Entries"], "FailedEntryCount": answer["FailedEntryCount"]}


def _dynamodb(source: Source) -> Any:
    return client("dynamodb", source["serviceRoleArn"])


def _key(source: Source, asked: Asked) -> dict[str, Any]:
    return {"TableName": source["dynamodbConfig"]["tableName"], "Key": typed_map(asked["key"])}


def _execute(source: Source, asked: Asked) -> str:
    """Run one or two statements by the RDS Data API; ``toJsonObject`` makes rows of the text that comes of it."""
    endpoint = source["relationalDatabaseConfig"]["rdsHttpEndpointConfig"]
    values = asked.get("variableMap") or {}
    try:
        results = [
            client("rds-data", source["serviceRoleArn"]).execute_statement(
                resourceArn=endpoint["dbClusterIdentifier"],
                secretArn=endpoint["awsSecretStoreArn"],
                database=endpoint["databaseName"],
                sql=statement,
                parameters=[
                    {"name": name.removeprefix(":"), "value": _sql_value(value)}
                    for name, value in values.items()
                    if re.search(rf"{re.escape(name)}\b", statement)
                ],
                includeResultMetadata=True,
            )
            for statement in asked["statements"]
        ]
    except ClientError as error:
        said = json.dumps({"message": error.response["Error"]["Message"]})
        raise SourceError(f"RDSHttp:{said}", "400 Bad Request") from error
    answered = [{key: one.get(key, []) for key in ("records", "columnMetadata")} for one in results]
    return json.dumps({"sqlStatementResults": answered}, default=str)


def _sql_value(value: Any) -> dict[str, Any]:
    if value is None:
        return {"isNull": True}
    kinds = {bool: "booleanValue", int: "longValue", float: "doubleValue"}
    return {kinds.get(type(value), "stringValue"): value}


_OPERATIONS: dict[str, dict[str, Callable[[Source, Asked], Any]]] = {
    "AMAZON_DYNAMODB": {
        "GetItem": _get_item,
        "PutItem": _put_item,
        "UpdateItem": _update_item,
        "DeleteItem": _delete_item,
        "Query": _query,
        "Scan": _scan,
        "BatchGetItem": _batch_get_item,
    },
    "AWS_LAMBDA": {"Invoke": _invoke},
    "AMAZON_EVENTBRIDGE": {"PutEvents": _put_events},
    "RELATIONAL_DATABASE": {"statements": _execute},
}
_PREFIX = {
    "AMAZON_DYNAMODB": "DynamoDB",
    "AMAZON_EVENTBRIDGE": "EventBridge",
    "AWS_LAMBDA": "Lambda",
    "RELATIONAL_DATABASE": "RDSHttp",
}
