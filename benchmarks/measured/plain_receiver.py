"""A receiver of segments as one writes it first: receive, read the JSON, insert, commit.

``plain_receiver.py FOLDER``.
"""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
from pathlib import Path


def main(folder: Path) -> None:
    database = sqlite3.connect(folder / "traces.sqlite")
    # As durable as the local X-Ray.
    database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
    database.execute("CREATE TABLE documents (trace_id TEXT, id TEXT, text TEXT, PRIMARY KEY (trace_id, id))")
    receiving = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiving.bind(("127.0.0.1", 0))
    (folder / "process.json").write_text(json.dumps({"udp_port": receiving.getsockname()[1]}))
    while True:
        datagram, _ = receiving.recvfrom(65536)
        _, _, document = datagram.partition(b"\n")
        segment = json.loads(document)
        database.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (segment["trace_id"], segment["id"], document.decode())
        )
        database.commit()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
