"""A typed client of the bookshop's graph, generated from its schema and the operations in ``operations.graphql``."""
