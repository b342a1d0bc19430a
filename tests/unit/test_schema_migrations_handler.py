"""The function that migrates: what it does when, and that no password leaves it."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import os
import sys
from typing import Any
from unittest import mock

import pytest

with mock.patch.dict(os.environ, {"AWS_DEFAULT_REGION": "us-east-1"}):
    handler = importlib.import_module("lambda_src.schema_migrations.runtime.handler")
users = importlib.import_module("lambda_src.schema_migrations.runtime.users")

PASSWORD = "Xk3-not-for-you"  # noqa: S105 - of nobody
ENVIRONMENT = {
    "CLUSTER_ARN": "cluster",
    "SECRET_ARN": "master",
    "DATABASE_NAME": "app",
    "APPLICATION_SECRET_ARN": "application",
    "APPLICATION_RIGHTS": "SELECT,INSERT",
    "AWS_DEFAULT_REGION": "us-east-1",
}
#: By the label of what is asked for.
ANSWERS = {"got": {"booleanValue": True}, "master": {"stringValue": "master"}}


class Secrets:
    def get_secret_value(self, **asked: str) -> dict[str, str]:
        assert asked == {"SecretId": "application"}
        return {"SecretString": json.dumps({"username": 'the "app"', "password": PASSWORD})}


class Api:
    """Answers every statement, and keeps what it was asked."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> dict[str, Any]:
            self.said.append(json.dumps(request))
            asked = [label for label in ANSWERS if f"AS {label}" in request.get("sql", "")]
            return {
                "transactionId": "t",
                "columnMetadata": [{"label": label} for label in asked],
                "records": [[ANSWERS[label] for label in asked]] if asked else [],
            }

        return call


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(handler, "secrets", Secrets())
    database = importlib.import_module("data_access").Database("cluster", "master", "app", client=made)
    monkeypatch.setattr(handler, "Database", mock.Mock(of_environment=lambda: database))
    monkeypatch.setattr(handler, "migrations", list)
    return made


def test_deleting_changes_nothing(api: Api) -> None:
    handler.bring_up_to_date("Delete")

    assert api.said == []


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_no_password_is_sent_in_any_statement(api: Api, kind: str) -> None:
    handler.bring_up_to_date(kind)

    assert PASSWORD not in "".join(api.said)
    [made] = [one for one in api.said if "ALTER ROLE" in one]
    assert "SCRAM-SHA-256$4096:" in made
    assert 'ALTER ROLE \\"the \\"\\"app\\"\\"\\" LOGIN' in made


def test_the_user_and_its_rights_are_there_before_the_migrations_which_may_change_them(api: Api) -> None:
    handler.bring_up_to_date("Create")

    order = [
        next(number for number, one in enumerate(api.said) if text in one)
        for text in ("CREATE ROLE", "GRANT INSERT, SELECT ON ALL TABLES", "migrations.applied")
    ]
    assert order == sorted(order)


def test_a_user_with_tokens_is_made_where_one_is_asked_for_and_has_no_password(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler.bring_up_to_date("Create")
    assert "rds_iam" not in "".join(api.said)

    monkeypatch.setenv("IAM_DATABASE_USER", "with_token")
    handler.bring_up_to_date("Update")
    assert any("INHERIT PASSWORD NULL" in one and "with_token" in one for one in api.said)
    assert 'GRANT \\"the \\"\\"app\\"\\"\\", rds_iam TO \\"with_token\\"' in "".join(api.said)


def test_a_password_is_kept_as_postgresql_keeps_it() -> None:
    # What RFC 7677 has for an example: its stored key and server key follow from salt, count and password.
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")

    scheme, _, rest = users.verifier("pencil", salt).partition("$")
    count_and_salt, _, keys = rest.partition("$")
    stored, _, server = keys.partition(":")

    assert (scheme, count_and_salt) == ("SCRAM-SHA-256", "4096:W22ZaJ0SNY7soEsUEjb6gQ==")
    message = (
        "n=user,r=rOprNGfwEbeRWgbNEkqO,"
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    signature = users.hmac.digest(base64.b64decode(server), message.encode(), "sha256")
    assert base64.b64encode(signature).decode() == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    mask = users.hmac.digest(base64.b64decode(stored), message.encode(), "sha256")
    client_key = bytes(one ^ other for one, other in zip(proof, mask, strict=True))
    assert base64.b64encode(hashlib.sha256(client_key).digest()).decode() == stored


def test_the_bundle_says_which_migrations_there_are(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "migrations"
    package.mkdir()
    (package / "__init__.py").touch()
    one = {"number": 1, "name": "0001_one.sql", "checksum": "c", "statements": ["SELECT 1"]}
    (package / "migrations.json").write_text(json.dumps([one]))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "migrations", raising=False)

    assert [vars(made) for made in handler.migrations()] == [one]
