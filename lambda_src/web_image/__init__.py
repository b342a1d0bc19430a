"""A web server in a container image, which says what task answered."""

from pathlib import Path

#: What the image is built from: the ``Dockerfile``, the command that it runs, and the pages.
RUNTIME = Path(__file__).parent / "runtime"
