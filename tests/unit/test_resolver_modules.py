"""A resolver and what it imports become one file, as AppSync takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambda_src.graphql_api.modules import LONGEST_CODE, ResolverCodeError, bundled

if TYPE_CHECKING:
    from pathlib import Path

RESOLVER = """import { util } from '@aws-appsync/utils';
import * as ddb from '@aws-appsync/utils/dynamodb';
import { failed } from './errors.js';

export function request(ctx) {
  return ddb.get({ key: { id: util.autoId() } });
}
"""
ERRORS = """import { runtime, util } from '@aws-appsync/utils';

export function failed(error) {
  util.error(error.message);
}
"""


@pytest.fixture
def resolver(tmp_path: Path) -> Path:
    (tmp_path / "errors.js").write_text(ERRORS)
    file = tmp_path / "Query.book.js"
    file.write_text(RESOLVER)
    return file


def test_a_file_that_does_not_exist_is_named_with_who_imports_it(resolver: Path) -> None:
    (resolver.parent / "errors.js").unlink()

    with pytest.raises(ResolverCodeError, match=r"errors\.js does not exist, which Query\.book\.js imports"):
        bundled(resolver)


def test_code_that_is_too_long_is_refused(resolver: Path) -> None:
    (resolver.parent / "errors.js").write_text(ERRORS + "//" + LONGEST_CODE * "x")

    with pytest.raises(ResolverCodeError, match="at most 32,000"):
        bundled(resolver)


def test_imports_are_merged_and_come_first(resolver: Path) -> None:
    lines = bundled(resolver).splitlines()

    assert lines[:2] == [
        "import { runtime, util } from '@aws-appsync/utils';",
        "import * as ddb from '@aws-appsync/utils/dynamodb';",
    ]
    assert not [line for line in lines[2:] if line.startswith("import")]


def test_the_resolver_alone_exports(resolver: Path) -> None:
    exported = [line for line in bundled(resolver).splitlines() if line.startswith("export")]

    assert exported == ["export function request(ctx) {"]


def test_a_file_that_several_import_is_there_once(resolver: Path) -> None:
    (resolver.parent / "books.js").write_text("import { failed } from './errors.js';\n\nexport const one = failed;\n")
    resolver.write_text("import { one } from './books.js';\n" + RESOLVER)

    assert bundled(resolver).count("function failed") == 1
