"""The runbook of the Serverless Application Repository makes accounts on the emulator, and nowhere else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from unittest.mock import Mock

import pytest

from lab.runbook import NotMadeError
from lab.runbooks import sar_accounts
from lab.target import TargetName

if TYPE_CHECKING:
    from lab.deployment import Deployment


def test_no_account_is_made_on_aws() -> None:
    organizations = Mock()
    organizations.get_paginator.return_value.paginate.return_value = [{"Accounts": []}]
    target = SimpleNamespace(name=TargetName.AWS)
    deployed = cast("Deployment", SimpleNamespace(target=target, client=lambda _: organizations))

    with pytest.raises(NotMadeError, match="makes none on AWS"):
        sar_accounts.member(deployed)

    assert not organizations.create_account.called
