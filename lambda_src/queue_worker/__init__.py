"""A queue, its dead-letter queue, and the function that consumes it."""

from pathlib import Path

#: The consumer's code: validates every message and writes it to a DynamoDB table.
RUNTIME = Path(__file__).parent / "runtime"
