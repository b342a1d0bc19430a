"""What receives events in a lab: a function that records each of them, and an HTTP endpoint that does too."""

from pathlib import Path

#: The code of both: ``handler.handler`` is invoked with events, ``endpoint.handler`` answers HTTP requests.
RUNTIME = Path(__file__).parent / "runtime"
