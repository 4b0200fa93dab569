"""How the statements of a failed test are shown."""

import pytest
from psycopg import sql

from trueup.testing.failures.record import WIDTH, Ran, told


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("select 'Ann', 42", "select '…', …"),
        ("select e'a\\'b', 'it''s'", "select '…', '…'"),
        ("select $$Ann$$, $tag$Ben $$ $tag$", "select '…', '…'"),
        ("where phone = 79990001122 and n > -1.5e3", "where phone = … and n > -…"),
        ("where a1 = $1 and %s = %(b2)s", "where a1 = $1 and %s = %(b2)s"),
        ('select "col 7" from t_8', 'select "col …" from t_8'),
        ("select\n   n\tfrom  t", "select n from t"),
        (b"select 'Ann'", "select '…'"),
        (b"\xff", "\N{REPLACEMENT CHARACTER}"),
        (sql.SQL("select {} from {}").format(sql.Literal("Ann"), sql.Identifier("t")), "select '…' from \"t\""),
        ("select 'Ünï', $1", "select '…', $1"),
        ("", ""),
        ("'never closed", "'never closed"),
    ],
)
def test_literals_are_left_out(text: object, shown: str) -> None:
    assert told(text, shows_values=False) == shown


def test_values_are_shown_when_asked_for() -> None:
    assert told("select 'Ann', 42", shows_values=True) == "select 'Ann', 42"


def test_long_statement_is_clipped() -> None:
    assert told("x" * 1000, shows_values=True) == "x" * WIDTH + "…"


@pytest.mark.parametrize(
    ("ran", "line"),
    [
        (Ran("select n", None, 0.0012, 3, ""), "     1.20 ms     3 rows  select n"),
        (Ran("begin", None, 0.5, None, ""), "   500.00 ms             begin"),
        (Ran("begin", None, 0.5, -1, ""), "   500.00 ms             begin"),
        (
            Ran("select n", None, 0.1, None, "55P03", ("process 1",)),
            "   100.00 ms      55P03  select n\n      held up by process 1",
        ),
        (Ran("select %s", [7], 0.001, 1, ""), "     1.00 ms     1 rows  select %s  [7]"),
    ],
)
def test_line_has_time_rows_and_text(ran: Ran, line: str) -> None:
    assert ran.line(shows_values=True) == line
