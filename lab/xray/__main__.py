"""``python -m lab.xray FOLDER``: runs the local X-Ray until it is told to end (SIGTERM)."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path
from typing import Any

from lab.xray.api import Api
from lab.xray.receiver import USUAL_PORT, Receiver
from lab.xray.server import Server
from lab.xray.store import Store

# Seconds that a thread keeps the interpreter while another one wants it: the receiving one must not wait for long.
_SWITCH_INTERVAL = 0.0005


def main() -> None:
    """Serve, and say in a file where."""
    options = _options()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    store = _opened(options.folder / "traces.sqlite")
    receiver = Receiver(store, options.udp_port)
    about = {"pid": os.getpid(), "started": time.time()}

    def health() -> dict[str, Any]:
        return {**about, "segments": receiver.counts()}

    server = Server(Api(store), options.port, health)
    receiver.start()
    threading.Thread(target=server.serve_forever, name="xray-api", daemon=True).start()
    _write(options.folder / "process.json", {**about, "port": server.server_port, "udp_port": receiver.port})
    ended.wait()
    server.shutdown()
    receiver.stop()
    store.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab.xray", description="AWS X-Ray on this machine.")
    parser.add_argument("folder", type=Path, help="where traces are kept, and process.json says where the service is")
    parser.add_argument("--port", type=int, default=0, help="of the API; another one if it is taken")
    parser.add_argument("--udp-port", type=int, default=USUAL_PORT, help="of the receiver; another one if it is taken")
    return parser.parse_args()


def _opened(path: Path) -> Store:
    """Open the file of traces; what is damaged is set aside, as traces are no reason not to start."""
    try:
        return Store(path)
    except sqlite3.OperationalError:  # No room, no permission: nothing that a new file would mend.
        raise
    except sqlite3.DatabaseError as error:
        aside = path.with_name(f"traces-broken-{time.strftime('%Y%m%d-%H%M%S')}.sqlite")
        path.rename(aside)
        print(f"The traces are damaged ({error}), and were set aside in {aside}.", file=sys.stderr)
        return Store(path)


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write a file that is whole whenever it is there."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(content))
    new.replace(path)


if __name__ == "__main__":
    main()
