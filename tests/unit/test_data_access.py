"""Access to a database by the Data API: what is repeated, what is not, what a request holds, what an error says."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from data_access import ConstraintViolatedError, Database, DatabaseError, UnavailableError, batches, patience
from data_access.errors import TooLargeError

RESUMING = ("DatabaseResumingException", "The Aurora DB instance is resuming after being auto-paused.")
AWAY = ("DatabaseUnavailableException", "The writer is not available.")
DUPLICATE = (
    "DatabaseErrorException",
    'ERROR: duplicate key value violates unique constraint "one_email_each"\n'
    "  Detail: Key (email)=(secret@example.com) already exists.; SQLState: 23505",
)
RESULT = {"columnMetadata": [{"label": "n", "typeName": "int4"}], "records": [[{"longValue": 1}]]}


def refusal(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "ExecuteStatement")


class DataApi:
    """Answers what it was given, in that order, and then RESULT; keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> dict[str, Any]:
            self.asked.append((operation, request))
            answer = self.answers.pop(0) if self.answers else {**RESULT, "transactionId": "t"}
            if isinstance(answer, Exception):
                raise answer
            return dict(answer)

        return call

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.asked]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let time pass only by sleeping; return the pauses."""
    pauses: list[float] = []
    monkeypatch.setattr(patience.time, "monotonic", lambda: sum(pauses))
    monkeypatch.setattr(patience.time, "sleep", pauses.append)
    return pauses


def database(api: DataApi, seconds: float = 45) -> Database:
    return Database("cluster", "secret", "app", client=api, patience=seconds)


def test_a_database_that_never_resumes_is_given_up_in_time(clock: list[float]) -> None:
    api = DataApi(*itertools.repeat(refusal(*RESUMING), 100))

    with pytest.raises(UnavailableError, match="is resuming"):
        database(api, seconds=45).query("SELECT 1")
    assert 35 < sum(clock) <= 45
    assert len(api.asked) < 25


def test_a_statement_waits_while_the_database_resumes(clock: list[float]) -> None:
    api = DataApi(*itertools.repeat(refusal(*RESUMING), 6))

    assert database(api).query("SELECT 1 AS n") == [{"n": 1}]
    assert sum(clock) > 8
    assert len(set(clock)) == len(clock), "everybody would ask again at the same times"


@pytest.mark.parametrize("error", [refusal(*AWAY), refusal("InternalServerErrorException", "no reason")])
def test_a_statement_that_may_have_run_is_not_repeated(clock: list[float], error: ClientError) -> None:
    api = DataApi(error)

    with pytest.raises(DatabaseError):
        database(api).execute("INSERT INTO account VALUES (1)")
    assert len(api.asked) == 1
    assert clock == []


def test_a_statement_that_never_left_is_repeated(clock: list[float]) -> None:
    api = DataApi(EndpointConnectionError(endpoint_url="https://example.com"))

    assert database(api).query("SELECT 1 AS n") == [{"n": 1}]
    assert len(clock) == 1


def test_beginning_a_transaction_is_repeated_since_it_does_no_harm(clock: list[float]) -> None:
    api = DataApi(refusal(*AWAY))

    with database(api).transaction():
        pass
    assert api.operations == ["begin_transaction", "begin_transaction", "commit_transaction"]
    assert len(clock) == 1


def test_an_exception_rolls_back_and_goes_on() -> None:
    api = DataApi()

    def fail() -> None:
        with database(api).transaction() as transaction:
            transaction.execute("DELETE FROM account")
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fail()
    assert api.operations == ["begin_transaction", "execute_statement", "rollback_transaction"]
    assert api.asked[1][1]["transactionId"] == api.asked[2][1]["transactionId"] == "t"


def test_a_rollback_that_fails_does_not_hide_what_went_wrong() -> None:
    over = refusal("TransactionNotFoundException", "Transaction t is not found")
    api = DataApi({"transactionId": "t"}, refusal(*DUPLICATE), over)

    with pytest.raises(ConstraintViolatedError), database(api).transaction() as transaction:
        transaction.execute("INSERT ...")
    assert api.operations[-1] == "rollback_transaction"


def test_a_commit_that_fails_is_no_success() -> None:
    api = DataApi({"transactionId": "t"}, refusal(*AWAY))

    with pytest.raises(UnavailableError), database(api).transaction():
        pass


def test_a_violated_constraint_is_named_and_shows_no_data() -> None:
    with pytest.raises(ConstraintViolatedError) as refused:
        database(DataApi(refusal(*DUPLICATE))).execute("INSERT ...")
    assert (refused.value.constraint, refused.value.sqlstate) == ("one_email_each", "23505")
    assert "secret@example.com" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_missing_right_of_iam_stays_what_it_is() -> None:
    with pytest.raises(ClientError, match="AccessDeniedException"):
        database(DataApi(refusal("AccessDeniedException", "not authorized"))).query("SELECT 1")


@pytest.mark.parametrize(
    "error",
    [
        ("UnsupportedResultException", "The result is too large"),
        ("BadRequestException", "Database returned more than the allowed response size limit"),
    ],
)
def test_a_result_that_is_too_large_is_told_apart(error: tuple[str, str]) -> None:
    with pytest.raises(TooLargeError):
        database(DataApi(refusal(*error))).query("SELECT * FROM account")


def test_a_page_that_is_too_large_is_halved_and_read_again_from_where_it_began() -> None:
    too_large = refusal("UnsupportedResultException", "The result is too large")
    api = DataApi({"transactionId": "t"}, RESULT, RESULT, too_large, RESULT, RESULT, {"records": []})

    pages = [*database(api).pages("SELECT n FROM account WHERE n > :n", {"n": 0}, size=100)]

    assert pages == [[{"n": 1}], [{"n": 1}]]
    assert [request["sql"] for _, request in api.asked if "sql" in request] == [
        "DECLARE pages SCROLL CURSOR FOR SELECT n FROM account WHERE n > :n",
        "FETCH FORWARD 100 FROM pages",
        "FETCH FORWARD 100 FROM pages",
        "MOVE ABSOLUTE 1 IN pages",
        "FETCH FORWARD 50 FROM pages",
        "FETCH FORWARD 50 FROM pages",
        "CLOSE pages",
    ]


def test_a_row_that_alone_is_too_large_is_an_error() -> None:
    too_large = refusal("UnsupportedResultException", "The result is too large")
    api = DataApi({"transactionId": "t"}, RESULT, too_large)

    with pytest.raises(TooLargeError):
        [*database(api).pages("SELECT n FROM account", size=1)]
    assert api.operations[-1] == "rollback_transaction"


def test_a_row_that_no_request_can_hold_is_refused_by_its_number_and_nothing_is_kept() -> None:
    api = DataApi()

    with pytest.raises(ValueError, match="Row 2 has "):
        database(api).execute_batch("INSERT ...", [{"text": "x"}, {"text": "x" * 4_000_000}])
    assert api.operations == ["begin_transaction", "rollback_transaction"]


def test_batches_are_as_large_as_a_request_can_be() -> None:
    api = DataApi()

    count = database(api).execute_batch("INSERT ...", ({"id": number} for number in range(2500)))

    sizes = [
        len(request["parameterSets"]) for operation, request in api.asked if operation == "batch_execute_statement"
    ]
    assert (count, sizes) == (2500, [1000, 1000, 500])
    assert api.operations[0] == "begin_transaction"
    assert api.operations[-1] == "commit_transaction"


def test_a_batch_holds_no_more_than_a_request_may_have() -> None:
    rows = [{"text": "é" * 100_000, "blob": b"\0" * 300_000}] * 20

    made = [*batches.batches(rows, statement="INSERT ...")]

    assert sum(map(len, made)) == 20
    assert len(made) > 1
    for batch in made:
        assert len(json.dumps(batch, default=lambda blob: "x" * (4 * len(blob) // 3))) < 4 * 1024**2


def test_the_statement_takes_room_too() -> None:
    [first, *_] = batches.batches([{"text": "x" * 1_000_000}] * 4, statement="-" * 2_000_000)

    assert len(first) == 1


def test_rows_become_what_they_are_asked_to() -> None:
    assert database(DataApi()).query("SELECT 1 AS n", into=lambda n: n + 1) == [2]


def test_the_environment_names_the_database_and_the_sdk_repeats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"CLUSTER_ARN": "c", "SECRET_ARN": "s", "DATABASE_NAME": "d"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    made = Database.of_environment()
    assert made._client.meta.config.retries["total_max_attempts"] == 1

    api = DataApi()
    monkeypatch.setattr(made, "_client", api)
    made.execute("SELECT 1")

    [(_, request)] = api.asked
    assert (request["resourceArn"], request["secretArn"], request["database"]) == ("c", "s", "d")
