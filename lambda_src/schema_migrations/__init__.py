"""Brings a database's schema up to date, from plain numbered SQL files."""

from pathlib import Path

#: The package that the function runs.
RUNTIME = Path(__file__).with_name("runtime")
