"""The package ``data_access``, which functions bundle to work with a database by the Data API: ``shared_code``."""

from pathlib import Path

#: The folder that it is imported from; the package itself is inside.
RUNTIME = Path(__file__).with_name("runtime")
