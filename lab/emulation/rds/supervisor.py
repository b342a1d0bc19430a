"""Runs a PostgreSQL server for as long as its own standard input stays open, however the emulator ends.

``python -I -S supervisor.py COMMAND ...``: the emulator holds the other end of the pipe.
"""

import os
import signal
import subprocess
import sys
import threading

# On Windows there is one way only, after which PostgreSQL recovers at its next start.
_FAST_SHUTDOWN = signal.SIGINT if os.name == "posix" else signal.SIGTERM


def main() -> int:
    """Start the command, end it when nobody holds the pipe any more, and return its status."""
    server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)

    def end_with_the_emulator() -> None:
        sys.stdin.buffer.read()
        server.send_signal(_FAST_SHUTDOWN)

    threading.Thread(target=end_with_the_emulator, daemon=True).start()
    return server.wait()


if __name__ == "__main__":
    sys.exit(main())
