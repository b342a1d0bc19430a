"""Works with a database of Aurora PostgreSQL by the RDS Data API: ``from data_access import Database``.

A bundle holds this package beside the handler's own; ``lambda_src/data_access/__init__.py`` says how to use it.
"""

from .database import Database, Statements
from .errors import ConstraintViolatedError, DatabaseError, UnavailableError

__all__ = ["ConstraintViolatedError", "Database", "DatabaseError", "Statements", "UnavailableError"]
