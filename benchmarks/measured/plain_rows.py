"""Inserts rows with boto3, one ``execute_statement`` each, and prints how many a second.

``plain_rows.py CLUSTER_ARN SECRET_ARN ROWS``: into a table that is there and empty when the clock starts.
"""

from __future__ import annotations

import sys
import time
import uuid

import boto3


def main(cluster: str, secret: str, rows: int) -> float:
    client = boto3.client("rds-data")
    where = {"resourceArn": cluster, "secretArn": secret, "database": "app"}
    table = "CREATE TABLE IF NOT EXISTS plain (id uuid PRIMARY KEY, owner text, balance numeric)"
    for sql in (table, "TRUNCATE plain"):
        client.execute_statement(**where, sql=sql)
    made = [(str(uuid.uuid4()), f"owner {number}", str(number)) for number in range(rows)]
    started = time.perf_counter()
    for key, owner, balance in made:
        client.execute_statement(
            **where,
            sql="INSERT INTO plain (id, owner, balance) VALUES (:id, :owner, :balance)",
            parameters=[
                {"name": "id", "value": {"stringValue": key}, "typeHint": "UUID"},
                {"name": "owner", "value": {"stringValue": owner}},
                {"name": "balance", "value": {"stringValue": balance}, "typeHint": "DECIMAL"},
            ],
        )
    seconds = time.perf_counter() - started
    [[stored]] = client.execute_statement(**where, sql="SELECT count(*) FROM plain")["records"]
    assert stored["longValue"] == rows, f"{stored['longValue']} of {rows} rows are there"
    return rows / seconds


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
