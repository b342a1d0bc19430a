"""The client that sends messages to a queue, on an EC2 instance or at a prompt."""

from pathlib import Path

#: The client's code: a library, and the command ``send_message``.
RUNTIME = Path(__file__).parent / "runtime"
