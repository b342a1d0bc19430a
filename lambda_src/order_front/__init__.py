"""The code of an order's way in: the front that takes it, and the service that it asks for a price."""

from pathlib import Path

#: Handlers ``front.handler`` and ``prices.handler``.
RUNTIME = Path(__file__).parent / "runtime"
