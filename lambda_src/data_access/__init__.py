"""Access to a database of Aurora PostgreSQL by the RDS Data API: SQL over HTTPS, with no connection to keep.

A function that is made with ``shared_code=[..., data_access.RUNTIME / "data_access"]`` has the package beside its own:

```python
from data_access import ConstraintViolatedError, Database

database = Database.of_environment()


def handler(event, context):
    with database.transaction() as transaction:
        transaction.execute("INSERT INTO author (id, name) VALUES (:id, :name)", event["author"])
        transaction.execute_batch("INSERT INTO book (isbn, author) VALUES (:isbn, :author)", event["books"])
    return database.query("SELECT count(*) AS books FROM book WHERE author = :id", {"id": event["author"]["id"]})
```

- ``query`` returns rows as dictionaries, or as what ``into`` makes of them, with the types that the columns have: a
  ``UUID``, a ``Decimal``, a ``datetime`` in UTC, what JSON holds, a list, ``None``. Parameters go the same way.
- ``transaction`` commits at the end of its block, and rolls back when an exception leaves it.
- ``execute_batch`` sends up to 1,000 rows and 4 MiB in a request, all of them in one transaction.
- ``pages`` reads what is larger than the 1 MiB of a response, page by page, as of one moment.
- A cluster that is paused resumes within about 15 s, and 30 s or more after a day: whatever is called waits for it. A
  call is repeated only if the first surely did nothing; the SDK's own repetition is off, which would not ask that.
- ``DatabaseError`` has PostgreSQL's ``sqlstate`` and a message without data; ``ConstraintViolatedError`` the
  name of the constraint too.

Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html
"""

from pathlib import Path

#: Holds the package that bundles have beside a handler's own.
RUNTIME = Path(__file__).parent / "runtime"
