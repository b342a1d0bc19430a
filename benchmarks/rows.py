"""Rows inserted by ``data_access`` in batches, against one statement a row: rows a second."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from benchmarks.comparison import AtLeast, Comparison, Side
from benchmarks.workbench import measured

if TYPE_CHECKING:
    from benchmarks.workbench import Workbench

_ROWS = 5000
#: Fewer, as each takes longer.
_ROWS_ONE_BY_ONE = 300


def comparisons(bench: Workbench) -> list[Comparison]:
    """Compare both in a process of its own, on one database of the emulator, each with an empty table."""
    database = _Database(bench)
    return [
        Comparison(
            title="rows inserted by the Data API",
            ours=Side("data_access, execute_batch", partial(database.insert, "our_rows.py", _ROWS)),
            alternative=Side(
                "execute_statement, a row each", partial(database.insert, "plain_rows.py", _ROWS_ONE_BY_ONE)
            ),
            unit="rows/s",
            target=AtLeast(10),
        )
    ]


class _Database:
    """A cluster, made when it is first used."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def insert(self, script: str, rows: int) -> float:
        """Measure one of the scripts."""
        return measured(script, *self._names, str(rows), environment=self._bench.lab.environment)

    @cached_property
    def _names(self) -> tuple[str, str]:
        """Make the cluster with an instance; return the ARNs of the cluster and of its secret."""
        client = self._bench.lab.client("rds")
        cluster = client.create_db_cluster(
            DBClusterIdentifier="measured",
            Engine="aurora-postgresql",
            MasterUsername="master",
            ManageMasterUserPassword=True,
            DatabaseName="app",
            EnableHttpEndpoint=True,
        )["DBCluster"]
        client.create_db_instance(
            DBInstanceIdentifier="measured-1",
            DBClusterIdentifier="measured",
            Engine="aurora-postgresql",
            DBInstanceClass="db.serverless",
        )
        client.get_waiter("db_instance_available").wait(
            DBInstanceIdentifier="measured-1", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        return cluster["DBClusterArn"], cluster["MasterUserSecret"]["SecretArn"]
