"""Where a statement of PostgreSQL ends, and what in it is a parameter: quotes, dollars and comments hide both."""

from __future__ import annotations

import pytest

from lambda_src.statements import UnterminatedError, parameters, statements, tokens


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT 1;\nSELECT 'open", "line 2: what begins with ' does not end"),
        ("SELECT E'open\\'", "line 1: what begins with E' does not end"),
        ('\n\nSELECT "open', 'line 3: what begins with " does not end'),
        ("SELECT $tag$ open $other$", "line 1: what begins with $tag$ does not end"),
        ("SELECT 1 /* open /* closed */", "line 1: what begins with /* does not end"),
        (
            "SELECT 1;\nCREATE FUNCTION f() RETURNS int\nBEGIN ATOMIC\nSELECT CASE WHEN true THEN 1 END;\n",
            "line 3: what begins with BEGIN ATOMIC does not end",
        ),
    ],
)
def test_what_does_not_end_is_named_with_its_line(sql: str, said: str) -> None:
    with pytest.raises(UnterminatedError) as refused:
        statements(sql)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT ';'",
        "SELECT 'it''s; fine'",
        r"SELECT E'it\'s; fine'",
        r"SELECT 'a\'",
        'SELECT 1 AS "a;b"',
        "CREATE FUNCTION f() RETURNS int AS $$ BEGIN; RETURN 1; END $$ LANGUAGE plpgsql",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 ELSE 2 END; END",
        "create or replace procedure p()\nbegin /* a body; */ atomic insert into t values (1); end",
        "CREATE FUNCTION a.f(begin int) RETURNS int BEGIN ATOMIC SELECT begin; END",
        "SELECT $outer$ ; $inner$ ; $inner$ ; $outer$",
        "SELECT 1 -- ; not here",
        "SELECT 1 /* ; /* ; */ ; */ + 1",
        "SELECT price$;"[:-1],
    ],
)
def test_a_semicolon_inside_something_ends_no_statement(statement: str) -> None:
    assert statements(f"{statement}\n;\nSELECT 2;") == [statement, "SELECT 2"]


@pytest.mark.parametrize(
    "statement",
    [
        "BEGIN",
        "SELECT begin atomic FROM t",
        "CREATE VIEW v AS SELECT begin atomic FROM t",
        "CREATE FUNCTION f() RETURNS int AS 'SELECT 1' LANGUAGE sql",
        "SELECT CASE WHEN true THEN 1 END",
    ],
)
def test_what_has_no_body_of_its_own_ends_at_its_semicolon(statement: str) -> None:
    assert statements(f"{statement}; SELECT 2; END;") == [statement, "SELECT 2", "END"]


@pytest.mark.parametrize("nothing", ["", ";", " ;\n; ", "-- nothing\n", "/* nothing; */ ;"])
def test_what_is_nothing_but_comments_is_no_statement(nothing: str) -> None:
    assert statements(nothing) == []


def test_the_pieces_together_are_the_text() -> None:
    sql = "SELECT :a::int, 'x', $t$ :b $t$, \"c\" FROM d -- :e\n WHERE f = $1 AND g[1:2] = /* :h */ :a;"

    assert "".join(text for _, text in tokens(sql)) == sql
    assert parameters(sql) == ["a"]
