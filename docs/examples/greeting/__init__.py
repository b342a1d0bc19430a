"""The code of the example function."""
