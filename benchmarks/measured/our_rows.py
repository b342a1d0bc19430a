"""Inserts rows as functions and runbooks do, by ``data_access``, and prints how many a second.

``our_rows.py CLUSTER_ARN SECRET_ARN ROWS``: into a table that is there and empty when the clock starts.
"""

from __future__ import annotations

import sys
import time
import uuid
from decimal import Decimal

from lab.database import Database


def main(cluster: str, secret: str, rows: int) -> float:
    database = Database(cluster, secret, "app")
    database.execute("CREATE TABLE IF NOT EXISTS ours (id uuid PRIMARY KEY, owner text, balance numeric)")
    database.execute("TRUNCATE ours")
    made = [{"id": uuid.uuid4(), "owner": f"owner {number}", "balance": Decimal(number)} for number in range(rows)]
    started = time.perf_counter()
    database.execute_batch("INSERT INTO ours (id, owner, balance) VALUES (:id, :owner, :balance)", made)
    seconds = time.perf_counter() - started
    [stored] = database.query("SELECT count(*) AS rows FROM ours")
    assert stored["rows"] == rows, f"{stored['rows']} of {rows} rows are there"
    return rows / seconds


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
