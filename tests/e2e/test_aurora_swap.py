"""A cluster is swapped to the other kind of instances and back, and its stack declares what it has, at every end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conftest import Lab


def swap(lab: Lab, to: str, *words: str) -> dict[str, Any]:
    swapped: dict[str, Any] = json.loads(lab("aurora", "swap", "--to", to, "--json", *words).stdout)
    return swapped


def actions(swapped: dict[str, Any]) -> list[str]:
    return [step["action"] for step in swapped["steps"]]


def members(swapped: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(member["kind"], member["writer"]) for member in swapped["members"]]


def test_a_running_cluster_is_swapped_and_a_swap_that_was_interrupted_goes_on(lab: Lab) -> None:
    lab("up", "aurora", "-c", "instances=serverless")

    planned = swap(lab, "provisioned", "--dry-run")
    assert actions(planned) == ["add instances", "wait for instances", "fail over", "remove instances"]
    assert members(planned) == [("serverless", True)]
    assert planned["taken"] is False

    swapped = swap(lab, "provisioned")
    # Here an instance is available as soon as the stack has made it.
    assert actions(swapped) == ["add instances", "fail over", "remove instances"]
    assert members(swapped) == [("provisioned", True)]
    lab("diff", "aurora", "--fail")

    again = swap(lab, "provisioned")
    assert (actions(again), members(again)) == ([], [("provisioned", True)])

    # As if Ctrl-C had ended the next one after its first step; another deployment in between keeps what it did.
    lab("up", "aurora", "-c", "instances=provisioned,serverless")
    lab("up", "aurora")
    resumed = swap(lab, "serverless")
    assert actions(resumed) == ["fail over", "remove instances"]
    assert members(resumed) == [("serverless", True)]
    lab("diff", "aurora", "--fail")


def test_a_swap_before_there_is_a_cluster_says_what_to_do(lab: Lab) -> None:
    lab("reset", "--yes")
    lab("up", "sqs-lambda")

    refused = lab("aurora", "swap", "--to", "serverless", status=1)

    assert "aurora is not deployed: `lab up aurora` does it." in refused.stderr
