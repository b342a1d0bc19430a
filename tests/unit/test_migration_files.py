"""A folder of migrations that cannot be right is refused before anything is deployed, with what to do."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from lab_stacks.aurora import MIGRATIONS
from lambda_src.schema_migrations import files

if TYPE_CHECKING:
    from pathlib import Path


def folder(path: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (path / f"{name.removeprefix('n')}.sql").write_text(text)
    return path


def seal(path: Path) -> None:
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(path.glob("*.sql"))]
    (path / files.SEAL).write_text("".join(lines))


def test_a_file_that_was_edited_after_it_was_sealed_is_refused_with_what_to_do(tmp_path: Path) -> None:
    seal(folder(tmp_path, n0001_one="CREATE TABLE one (id int);", n0002_two="CREATE TABLE two (id int);"))
    folder(tmp_path, n0001_one="CREATE TABLE one (id bigint);")

    [problem] = files.read(tmp_path).problems
    assert problem.startswith("0001_one.sql is not what SHA256SUMS says, so it was edited after it ran")
    assert "put its old text back, and write the change into a new file" in problem


def test_a_sealed_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    seal(folder(tmp_path, n0001_one="SELECT 1;", n0002_two="SELECT 2;"))
    (tmp_path / "0002_two.sql").unlink()

    [problem] = files.read(tmp_path).problems
    assert problem.startswith("0002_two.sql is in SHA256SUMS and gone: put it back")


def test_a_new_file_needs_no_seal_yet(tmp_path: Path) -> None:
    seal(folder(tmp_path, n0001_one="SELECT 1;"))
    folder(tmp_path, n0002_two="SELECT 2;")

    assert files.read(tmp_path).problems == []


def test_a_checkout_with_other_line_ends_is_no_edit(tmp_path: Path) -> None:
    seal(folder(tmp_path, n0001_one="SELECT 1;\nSELECT 2;\n"))
    (tmp_path / "0001_one.sql").write_bytes(b"SELECT 1;\r\nSELECT 2;\r\n")

    assert files.read(tmp_path).problems == []


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["n0001_one", "n0003_three"], "0003_three.sql comes after 0001: there is no 0002"),
        (["n0002_two"], "0002_two.sql comes after 0000: there is no 0001"),
        (["n0001_one", "n0001_other"], "0001_other.sql has the number of 0001_one.sql: give the newer one the next"),
        (["n1_one"], "1_one.sql: four digits, _, and lower case letters, digits and _, such as 0001_create_tables.sql"),
        (["n0001_One"], "0001_One.sql: four digits, _, and lower case letters"),
    ],
)
def test_numbers_with_gaps_or_twice_are_refused(tmp_path: Path, names: list[str], problem: str) -> None:
    folder(tmp_path, **dict.fromkeys(names, "SELECT 1;"))

    [said] = files.read(tmp_path).problems
    assert said.startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "0001_one.sql: has no statement"),
        ("-- to be written\n", "0001_one.sql: has no statement"),
        ("SELECT 1;\nSELECT 'open", "0001_one.sql, line 2: what begins with ' does not end"),
        ("BEGIN; SELECT 1;", "0001_one.sql: `BEGIN`: each file runs in a transaction of its own already; leave it out"),
        ("SELECT 1; COMMIT", "0001_one.sql: `COMMIT`: each file runs in a transaction of its own already"),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", "0001_one.sql: `CREATE UNIQUE INDEX CONCURRENTLY I ON T"),
        ("/* now */ vacuum t", "0001_one.sql: `VACUUM T` runs in no transaction"),
        ("CREATE DATABASE other", "0001_one.sql: `CREATE DATABASE OTHER` runs in no transaction"),
    ],
)
def test_what_cannot_run_in_a_transaction_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    [said, *more] = files.read(folder(tmp_path, n0001_one=text)).problems

    assert said.startswith(problem)
    assert not more


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert files.read(tmp_path).problems == [f"{tmp_path} has no file such as 0001_create_tables.sql: write one"]


def test_words_inside_a_function_end_no_transaction(tmp_path: Path) -> None:
    text = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$;"

    assert files.read(folder(tmp_path, n0001_one=text)).problems == []


def test_a_body_of_standard_sql_is_one_statement_with_its_function(tmp_path: Path) -> None:
    text = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;\nSELECT f();"
    read = files.read(folder(tmp_path, n0001_one=text))

    assert read.problems == []
    assert read.migrations[0].statements == [
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
        "SELECT f()",
    ]


def test_the_sections_own_are_sealed() -> None:
    read = files.read(MIGRATIONS)
    sealed = (MIGRATIONS / files.SEAL).read_text()

    assert read.problems == []
    assert [one.name for one in read.migrations if one.name not in sealed] == []
