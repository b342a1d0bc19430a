"""Starts the `lab` command, or says why it cannot be started."""

import sys


def main() -> None:
    """Run the command, in a checkout that `make lab` has set up."""
    try:
        from lab import cli  # noqa: PLC0415 - whoever installed the package for its blocks has not what it needs
    except ModuleNotFoundError as error:
        sys.exit(
            "lab: it runs inside a checkout of the project, which `make lab` sets up. An installation of the package "
            f"is for its blocks alone: {error.name} is not there."
        )
    cli.main()


if __name__ == "__main__":
    main()
