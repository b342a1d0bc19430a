"""A database, and transactions in it."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

# Not boto3, which would load the transfer manager of Amazon S3 too.
import botocore.session
from botocore.config import Config

from .batches import batches
from .errors import DatabaseError, TooLargeError
from .patience import patiently
from .values import parameters, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Row = dict[str, Any]
Record = TypeVar("Record")

#: A cluster that was paused resumes in about 15 s, and in 30 s or more after a day.
PATIENCE = 45.0
_PAGE = 1000
_NONE: Mapping[str, Any] = {}


class Statements:
    """What can be done in a database, or in one transaction of it."""

    def __init__(self, database: Database, transaction: str | None = None) -> None:
        self._database = database
        self._transaction = {"transactionId": transaction} if transaction else {}

    @overload
    def query(self, sql: str, values: Mapping[str, Any] = ...) -> list[Row]: ...
    @overload
    def query(self, sql: str, values: Mapping[str, Any] = ..., *, into: Callable[..., Record]) -> list[Record]: ...
    def query(self, sql: str, values: Mapping[str, Any] = _NONE, *, into: Callable[..., Any] = dict) -> list[Any]:
        """Run a statement that has a result, and return its rows.

        :param sql: one statement, with parameters written ``:name``.
        :param values: the parameters' values, typed as ``values.parameters`` says.
        :param into: makes something of each row, whose columns are its keyword arguments: a dataclass.
        :raises TooLargeError: when the result has more than 1 MiB.
        :raises DatabaseError: for what the database refuses.
        """
        answer = self._call("execute_statement", sql, parameters=parameters(values), includeResultMetadata=True)
        columns = answer.get("columnMetadata", [])
        return [into(**row(record, columns)) for record in answer.get("records", [])]

    def execute(self, sql: str, values: Mapping[str, Any] = _NONE) -> int:
        """Run a statement, and return how many rows it changed.

        :raises DatabaseError: for what the database refuses.
        """
        answer = self._call("execute_statement", sql, parameters=parameters(values))
        return int(answer.get("numberOfRecordsUpdated", 0))

    def _execute_batch(self, sql: str, sets: list[Any]) -> None:
        self._call("batch_execute_statement", sql, parameterSets=sets)

    def _call(self, operation: str, sql: str, **request: Any) -> dict[str, Any]:
        return self._database.run(operation, {"sql": sql, **request, **self._transaction})


class Transaction(Statements):
    """Statements that take effect together, or not at all."""

    def execute_batch(self, sql: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Run a statement once for each row of parameters, in as few requests as possible; return how many.

        :param rows: read as they are needed.
        :raises ValueError: for a row that no request can hold.
        :raises DatabaseError: for what the database refuses.
        """
        count = 0
        for batch in batches(rows, statement=sql):
            self._execute_batch(sql, batch)
            count += len(batch)
        return count

    def pages(self, sql: str, values: Mapping[str, Any] = _NONE, *, size: int = _PAGE) -> Iterator[list[Row]]:
        """Run a query of any size, and read its rows page by page, all of them as of one moment.

        :param size: rows of a page, 1 or more; a page that has more than 1 MiB is halved.
        :raises TooLargeError: when a row alone is too large.
        """
        self.execute(f"DECLARE pages SCROLL CURSOR FOR {sql}", values)
        read = 0
        while True:
            try:
                page = self.query(f"FETCH FORWARD {size:d} FROM pages")
            except TooLargeError:
                if size == 1:
                    raise
                size //= 2
                self.execute(f"MOVE ABSOLUTE {read:d} IN pages")
                continue
            if not page:
                break
            yield page
            read += len(page)
        self.execute("CLOSE pages")


class Database(Statements):
    """A database of a cluster, as the user whom a secret names. Each statement outside a transaction is one of its own.

    :param cluster_arn: of the cluster.
    :param secret_arn: of the database user's name and password, which this never reads: the Data API does.
    :param name: of the database.
    :param client: of ``rds-data``; by default one that repeats nothing, since ``patience`` does.
    :param patience: seconds in which a paused cluster has to resume; a function needs a longer timeout.
    """

    def __init__(
        self, cluster_arn: str, secret_arn: str, name: str, *, client: Any = None, patience: float = PATIENCE
    ) -> None:
        super().__init__(self)
        self._cluster = {"resourceArn": cluster_arn, "secretArn": secret_arn}
        self._name = {"database": name}
        self._client: Any = client or botocore.session.get_session().create_client(
            "rds-data", config=Config(connect_timeout=5, retries={"total_max_attempts": 1})
        )
        self._patience = patience

    @classmethod
    def of_environment(cls) -> Database:
        """Use the database that the function's environment names: CLUSTER_ARN, SECRET_ARN, DATABASE_NAME."""
        return cls(*(os.environ[name] for name in ("CLUSTER_ARN", "SECRET_ARN", "DATABASE_NAME")))

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Begin a transaction; commit it at the end of the block, or roll it back when an exception leaves it.

        A transaction that nobody uses for three minutes ends by itself.
        """
        identifier: str = self.call("begin_transaction", self._name, harmless=True)["transactionId"]
        try:
            yield Transaction(self, identifier)
        except BaseException:
            # It may be over already, as after a statement that took too long: what went wrong first is what matters.
            with suppress(DatabaseError):
                self.call("rollback_transaction", {"transactionId": identifier}, harmless=True)
            raise
        self.call("commit_transaction", {"transactionId": identifier})

    def execute_batch(self, sql: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Run a statement once for each row of parameters, all in one transaction; return how many."""
        with self.transaction() as transaction:
            return transaction.execute_batch(sql, rows)

    def pages(self, sql: str, values: Mapping[str, Any] = _NONE, *, size: int = _PAGE) -> Iterator[list[Row]]:
        """Run a query of any size, and read its rows page by page, all of them as of one moment."""
        with self.transaction() as transaction:
            yield from transaction.pages(sql, values, size=size)

    def run(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Run SQL in this database."""
        return self.call(operation, {**self._name, **request})

    def call(self, operation: str, request: Mapping[str, Any], *, harmless: bool = False) -> dict[str, Any]:
        """Make a call of the Data API about this cluster, with patience."""
        made = partial(getattr(self._client, operation), **self._cluster, **request)
        return patiently(made, seconds=self._patience, harmless=harmless)
