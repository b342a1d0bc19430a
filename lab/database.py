"""Makes the package ``data_access``, which functions bundle, usable here: runbooks work with a database as they do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from botocore.config import Config

from lambda_src import data_access

# By the name that it has in a bundle.
sys.path.append(str(data_access.RUNTIME))

from data_access import ConstraintViolatedError, Database, DatabaseError

__all__ = ["ConstraintViolatedError", "Database", "DatabaseError", "database"]

if TYPE_CHECKING:
    from lab.deployment import Deployment


def database(deployed: Deployment, secret_output: str) -> Database:
    """Use the database of a deployed section as the user of one of its secrets.

    :param secret_output: the output that names the secret; ``ClusterArn`` and ``DatabaseName`` name the rest.
    """
    # The package's own patience knows what may be repeated.
    client = deployed.client("rds-data", config=Config(retries={"total_max_attempts": 1}))
    names = (deployed.output(name) for name in ("ClusterArn", secret_output, "DatabaseName"))
    return Database(*names, client=client)
