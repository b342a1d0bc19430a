"""X-Ray's settings of an account: encryption and Transaction Search."""

from pathlib import Path

#: The handler of the custom resource that sets the encryption.
RUNTIME = Path(__file__).parent / "runtime"
