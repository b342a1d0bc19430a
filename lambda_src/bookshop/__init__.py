"""A bookshop's graph: its schema, its resolvers, and the functions that compute what no database holds."""

from pathlib import Path

#: The folder with ``schema.graphql``, ``resolvers/`` and ``runtime/``.
FOLDER = Path(__file__).parent
