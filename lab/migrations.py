"""Finds migrations that were edited after they ran, from what the deployed stack says ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPE = "Custom::SchemaMigrations"
_NUMBER = slice(4)


def edited(deployed: Mapping[str, Any], synthesized: Mapping[str, Any]) -> list[str]:
    """Name the files of a template that have another text than those of the same number in the deployed one.

    Files that are new or gone are no edits: the deployment of an older checkout leaves what newer ones did alone.

    :param deployed: the template that was deployed, all of whose migrations ran.
    :param synthesized: the one that is about to be.
    """
    ran = {schema: _by_number(migrations) for schema, migrations in _migrations(deployed).items()}
    return [
        name
        for schema, migrations in _migrations(synthesized).items()
        for name, checksum in migrations.items()
        if checksum != ran.get(schema, {}).get(name[_NUMBER], checksum)
    ]


def has_any(template: Mapping[str, Any]) -> bool:
    """Say whether a template has migrations."""
    return any(_migrations(template).values())


def _migrations(template: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Read the checksums of migrations by their names, by what runs them."""
    resources = template["Resources"].items()
    return {name: one["Properties"]["Migrations"] for name, one in resources if one["Type"] == _TYPE}


def _by_number(migrations: Mapping[str, str]) -> dict[str, str]:
    return {name[_NUMBER]: checksum for name, checksum in migrations.items()}
