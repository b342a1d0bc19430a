"""On AWS the cluster's own logs are read for passwords too, as the emulator's cluster writes none."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from lab.runbooks import aurora
from lab.target import TargetName

PASSWORD = "Xk3-not-for-you"  # noqa: S105 - of nobody
FAILED = "ERROR: no such role\nSTATEMENT: ALTER ROLE nobody PASSWORD '{}'"


def on_aws(monkeypatch: pytest.MonkeyPatch, logged: str) -> Any:
    """A section on AWS that leaves no password anywhere but in what its cluster logged."""
    unused: list[str] = []

    def error(_: object, sql: str) -> str:
        unused.append(sql.split("'")[1])
        return "no such role"

    def paginate(logGroupName: str, **_: object) -> list[dict[str, Any]]:  # noqa: N803
        message = logged.format(unused[0]) if logGroupName == "/aws/rds/cluster/one/postgresql" else ""
        return [{"events": [{"eventId": logGroupName, "timestamp": 1, "message": message}]}]

    monkeypatch.setattr(aurora, "_error", error)
    monkeypatch.setattr(aurora, "_stack_events", lambda _: [])
    secret = {"SecretString": json.dumps({"password": PASSWORD})}
    client = SimpleNamespace(
        get_secret_value=lambda **_: secret, get_paginator=lambda _: SimpleNamespace(paginate=paginate)
    )
    groups = ["of-a-function", "/aws/rds/cluster/one/instance", "/aws/rds/cluster/one/postgresql"]
    return SimpleNamespace(
        client=lambda _: client,
        output=lambda name: {"ClusterIdentifier": "one"}.get(name, name),
        outputs={},
        physical_ids=lambda kind: groups if kind == "AWS::Logs::LogGroup" else [],
        target=SimpleNamespace(name=TargetName.AWS),
        template=dict,
    )


def test_a_password_in_the_logs_of_the_cluster_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="a password is in the logs of the cluster"):
        aurora.passwords_are_nowhere(on_aws(monkeypatch, FAILED.format(PASSWORD)))


def test_a_password_that_opens_nothing_may_be_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = aurora.passwords_are_nowhere(on_aws(monkeypatch, FAILED))
    assert seen.endswith("the logs of the cluster")
