"""The RDS Data API: runs SQL on the cluster's PostgreSQL, as the user whom the secret names.

Source: https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import rds_data
from pg8000.exceptions import DatabaseError, InterfaceError

from lab.emulation.rds.program import NoServerError
from lab.emulation.rds.sessions import STATEMENT_SECONDS, Account, Session, Sessions, Transaction
from lab.emulation.rds.values import ParameterError, UnsupportedResultError, field
from lambda_src.statements import UnterminatedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.emulation.rds.clusters import Clusters

Request = dict[str, Any]
Response = tuple[int, dict[str, str], str | bytes]

HOOKS = [
    "ministack.core.responses.error_response_json",
    "ministack.core.responses.json_response",
    "ministack.services.rds_data._cluster_resolution_error(resource_arn, engine)",
    "ministack.services.rds_data._require_secret_credentials(secret_arn)",
    "ministack.services.rds_data._resolve_target(resource_arn)",
    "ministack.services.rds_data._validate_http_endpoint_enabled(cluster, resource_arn)",
]
_LARGEST_REQUEST, _LARGEST_RESPONSE, _LARGEST_ROW = 4 * 1024**2, 1024**2, 64 * 1024
#: Type codes of JDBC, by which columns are described.
_JDBC = {"bool": -7, "int2": 5, "int4": 4, "int8": -5, "float4": 7, "float8": 8, "numeric": 2, "bytea": -2}
_JDBC |= {"date": 91, "time": 92, "timestamp": 93, "timestamptz": 93, "varchar": 12, "text": 12, "bpchar": 1}
_OTHER = 1111
_CONNECTION_REFUSED = {"28P01", "28000"}


#: What else may go wrong, and what the Data API calls it.
_CODES: dict[type[Exception], tuple[str, int]] = {
    ParameterError: ("BadRequestException", 400),
    UnterminatedError: ("BadRequestException", 400),
    UnsupportedResultError: ("UnsupportedResultException", 400),
    NoServerError: ("DatabaseUnavailableException", 504),
    InterfaceError: ("DatabaseUnavailableException", 504),
    OSError: ("DatabaseUnavailableException", 504),
}


class ApiError(Exception):
    """An error of the Data API: its code, its message, and the status of the response."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.response: Response = error_response_json(code, message, status)


class RefusedError(Exception):
    """A refusal that MiniStack words."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class DataApi:
    """Answers the five operations."""

    def __init__(self, clusters: Clusters, sessions: Sessions) -> None:
        self._clusters = clusters
        self._sessions = sessions
        self._operations: dict[str, Callable[[Request], dict[str, Any]]] = {
            "/Execute": self._execute,
            "/BatchExecute": self._execute_batch,
            "/BeginTransaction": self._begin,
            "/CommitTransaction": lambda request: self._end(request, "COMMIT", "Transaction Committed"),
            "/RollbackTransaction": lambda request: self._end(request, "ROLLBACK", "Transaction Rolledback"),
        }

    def answer(self, path: str, body: bytes) -> Response:
        """Answer a request that may be made."""
        try:
            if len(body) > _LARGEST_REQUEST:
                raise ApiError("BadRequestException", "The request is larger than 4 MiB", 413)
            answer: Response = json_response(self._operations[path](json.loads(body)))
            if len(answer[2]) > _LARGEST_RESPONSE:
                raise UnsupportedResultError("Database returned more than the allowed response size limit")
        except (ApiError, RefusedError) as error:
            return error.response
        except DatabaseError as error:
            return _of_database(error.args[0]).response
        except tuple(_CODES) as error:
            [(code, status)] = [known for kind, known in _CODES.items() if isinstance(error, kind)]
            return ApiError(code, str(error), status).response
        return answer

    def _execute(self, request: Request) -> dict[str, Any]:
        options = request.get("resultSetOptions") or {}
        if request.get("formatRecordsAs", "NONE") != "NONE":
            raise ApiError("BadRequestException", "The emulator does not format records as JSON: read `records`")
        seconds = 0 if request.get("continueAfterTimeout") else STATEMENT_SECONDS
        with ExitStack() as stack:
            session = self._session(request, stack)
            [done] = session.run(_sql(request), [request.get("parameters") or []], seconds=seconds)
            oids = [column["type_oid"] for column in done.columns]
            records = [[field(text, oid, options) for text, oid in zip(row, oids, strict=True)] for row in done.rows]
            answer: dict[str, Any] = {"numberOfRecordsUpdated": done.changed, "generatedFields": []}
            if done.columns:
                answer["records"] = records
            if request.get("includeResultMetadata"):
                names = session.names_of(set(oids))
                answer["columnMetadata"] = [_described(column, names) for column in done.columns]
        if any(len(json.dumps(record)) > _LARGEST_ROW for record in records):
            raise UnsupportedResultError("The result contains a row of more than 64 KB")
        return answer

    def _execute_batch(self, request: Request) -> dict[str, Any]:
        with ExitStack() as stack:
            session = self._session(request, stack)
            done = session.run(_sql(request), request.get("parameterSets") or [[]])
        return {"updateResults": [{"generatedFields": []} for _ in done]}

    def _begin(self, request: Request) -> dict[str, Any]:
        return {"transactionId": self._sessions.begin(self._account(request), request["resourceArn"])}

    def _end(self, request: Request, command: str, status: str) -> dict[str, Any]:
        self._account(request)
        identifier = request.get("transactionId", "")
        self._transaction(identifier, request["resourceArn"])
        self._sessions.end(identifier, command)
        return {"transactionStatus": status}

    def _session(self, request: Request, stack: ExitStack) -> Session:
        account, identifier = self._account(request), request.get("transactionId")
        if not identifier:
            return stack.enter_context(self._sessions.borrowed(account))
        transaction = self._transaction(identifier, request["resourceArn"])
        begun = transaction.session.account
        if account != (begun if request.get("database") else replace(begun, database=account.database)):
            raise ApiError("BadRequestException", "Database name or secret is not the same as that of the transaction")
        return stack.enter_context(transaction.alone())

    def _transaction(self, identifier: str, cluster: str) -> Transaction:
        """Find a transaction that is neither ended nor timed out.

        Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.troubleshooting.html
        """
        found = self._sessions.transaction(identifier, cluster)
        if found is None:
            raise ApiError("TransactionNotFoundException", f"Transaction {identifier} is not found", 404)
        return found

    def _account(self, request: Request) -> Account:
        """Find the cluster, and who wants to use it."""
        for name in ("resourceArn", "secretArn"):
            if not request.get(name):
                raise ApiError("BadRequestException", f"{name} is required")
        arn = request["resourceArn"]
        instance, engine, cluster = rds_data._resolve_target(arn)
        for refusal in (
            rds_data._validate_http_endpoint_enabled(cluster, arn),
            None if instance and cluster else rds_data._cluster_resolution_error(arn, engine),
        ):
            if refusal:
                raise RefusedError(refusal)
        if engine != "aurora-postgresql":
            raise ApiError("BadRequestException", f"The emulator runs no {engine}: only aurora-postgresql has a server")
        user, password, refusal = rds_data._require_secret_credentials(request["secretArn"])
        if refusal:
            raise RefusedError(refusal)
        server = self._clusters.server_of(cluster)
        return Account(server, user, password, request.get("database") or cluster.get("DatabaseName") or "postgres")


def _sql(request: Request) -> str:
    sql: str = request.get("sql") or ""
    if not sql:
        raise ApiError("BadRequestException", "sql is required")
    return sql


def _described(column: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    kind = names[column["type_oid"]]
    return {"name": column["name"], "label": column["name"], "typeName": kind, "type": _JDBC.get(kind, _OTHER)}


def _of_database(error: dict[str, str]) -> ApiError:
    """Word what PostgreSQL answers as AWS does."""
    state = error["C"]
    said = f"{error['S']}: {error['M']}"
    for name, label in (("D", "Detail"), ("H", "Hint"), ("P", "Position")):
        if name in error:
            said += f"\n  {label}: {error[name]}"
    if state == "57014":
        return ApiError("StatementTimeoutException", said)
    if state in _CONNECTION_REFUSED:
        return ApiError("BadRequestException", f"{said}; SQLState: {state}")
    return ApiError("DatabaseErrorException", f"{said}; SQLState: {state}")
