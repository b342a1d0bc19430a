"""Writes the typed client of the bookshop's graph, from its schema and its operations: ``lab/bookshop/client/``.

``make docs`` runs it, and a test that what it would write is what is there.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.project import ROOT, python_of
from lambda_src import bookshop
from lambda_src.graphql_api.schema import APPSYNC

CLIENT = ROOT / "lab" / "bookshop" / "client"
_OPERATIONS = CLIENT.with_name("operations.graphql")
_SETTINGS = """
[tool.ariadne-codegen]
schema_path = "schema"
queries_path = "operations.graphql"
target_package_name = "client"
client_name = "BookshopClient"
client_file_name = "bookshop"
async_client = false
convert_to_snake_case = false
include_comments = "none"

[tool.ariadne-codegen.scalars.AWSDateTime]
type = "datetime.datetime"
"""


def write(package: Path) -> None:
    """Write the client to the folder ``package``, in the place of what is there."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "schema").mkdir()
        for schema in (APPSYNC, bookshop.FOLDER / "schema.graphql"):
            shutil.copy(schema, work / "schema")
        shutil.copy(_OPERATIONS, work)
        (work / "settings.toml").write_text(_SETTINGS)
        generator = python_of("codegen").with_name("ariadne-codegen")
        words = [str(generator), "client", "--config", "settings.toml"]
        done = subprocess.run(words, cwd=work, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the client cannot be generated:\n{done.stdout}{done.stderr}")
        shutil.rmtree(package, ignore_errors=True)
        shutil.copytree(work / "client", package)


if __name__ == "__main__":
    write(CLIENT)
