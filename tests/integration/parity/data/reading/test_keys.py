"""Rows are told apart by keys of any type and any order."""

from typing import Any

import pytest
from psycopg import sql

from trueup.parity.data.hashing import grid
from trueup.parity.data.reading import survey, tablepass
from trueup.parity.data.reading.differences import Differences
from trueup.report.model import Verdict

UUIDS = [f"{number:08x}-0000-4000-8000-{number:012x}" for number in (0, 1, 2, 2**31, 2**32 - 1)]
KEYS: dict[str, list[str]] = {
    "int2": ["-32768", "-1", "0", "1", "32767"],
    "int4": ["-2147483648", "-5", "0", "7", "2147483647"],
    "int8": ["-9223372036854775808", "-4294967296", "0", "4294967296", "9223372036854775807"],
    "numeric": ["-1.5", "0", "0.10", "1e20", "NaN"],
    "numeric(12,2)": ["-1.50", "0.00", "0.10", "99.00", "1000.00"],
    "float8": ["-Infinity", "-0.1", "0.1", "1e300", "NaN"],
    "text": ["", " ", "a", "B", "\u00e9"],
    'text collate "C"': ["Z", "a", "%s", "o'clock", '"q"'],
    "varchar(30)": ["b", "B", "ä", "\\", "{,}"],
    "char(3)": ["", "a", "b", "ab", "abc"],
    "bytea": ["\\x", "\\x00", "\\x0000", "\\xff", "\\x27"],
    "uuid": UUIDS,
    "date": ["-infinity", "0044-03-15 BC", "2024-02-29", "2024-03-01", "infinity"],
    "timestamp": ["-infinity", "0044-03-15 00:00 BC", "2024-02-29 00:00", "2024-02-29 00:00:00.000001", "infinity"],
    "timestamptz": ["-infinity", "0044-03-15 00:00+00 BC", "2024-02-29 00:00+00", "2024-02-29 00:00+03", "infinity"],
    "time": ["00:00", "00:00:00.000001", "12:00", "23:59:59", "24:00"],
    "interval": ["-1 mon", "1 day", "25:00", "1 mon", "1 year"],
    "bool": ["false", "true"],
    "inet": ["10.0.0.1", "10.0.0.1/8", "::1", "::1/64", "10.0.0.2"],
    "money": ["-1.00", "0", "1.00", "2.00", "3.00"],
    "bit(3)": ["000", "001", "010", "100", "111"],
    "jsonb": ["1", '"1"', "[]", "{}", "null"],
    "int4[]": ["{}", "{1}", "{1,2}", "{NULL}", "{2}"],
    "int4range": ["empty", "[1,2)", "[1,3)", "(,1)", "(,)"],
    "color": ["red", "green", "blue"],
    "positive": ["1", "2", "3"],
    "spot": ["(1,a)", "(1,b)", "(2,a)", "(2,)", "(,)"],
}
KEY_TEXTS = {"-$1.00": "-1.00", "$3.00": "3.00"}
"""Of money: without the sign of a currency, which is the server's."""


def test_a_key_of_every_type_finds_its_rows(databases: Any) -> None:
    databases.both(
        "create type color as enum ('red', 'green', 'blue')",
        "create domain positive as bigint check (value > 0)",
        "create type spot as (x int, label text)",
    )
    expected = {}
    for type_, keys in KEYS.items():
        table, texts = (
            sql.Identifier(f"by {type_}"),
            [sql.SQL("{}::{}").format(sql.Literal(k), sql.SQL(type_)) for k in keys],
        )
        rows = sql.SQL(", ").join(sql.SQL("({}, 'same')").format(text) for text in texts)
        databases.both(
            sql.SQL("create table {} (key {} primary key, note text)").format(table, sql.SQL(type_)),
            sql.SQL("insert into {} values {}").format(table, rows),
        )
        databases.source.execute(sql.SQL("delete from {} where key = {}").format(table, texts[0]))
        databases.target.execute(sql.SQL("update {} set note = 'other' where key = {}").format(table, texts[-1]))
        shown = sql.SQL("select ({})::text, ({})::text").format(texts[0], texts[-1])
        expected[type_] = tuple(KEY_TEXTS.get(text, text) for text in databases.source.execute(shown).fetchone())

    found = {one.table.removeprefix('public."by ')[:-1].replace('""', '"'): one for one in databases.compare()}

    assert {type_: (one.missing, one.extra) for type_, one in found.items()} == {
        type_: ((), ((lost,),)) for type_, (lost, _) in expected.items()
    }
    assert {type_: [(row.key, row.columns) for row in one.changed] for type_, one in found.items()} == {
        type_: [((changed,), ("note",))] for type_, (_, changed) in expected.items()
    }


def test_a_composite_key_is_shown_in_its_own_order(databases: Any) -> None:
    databases.both(
        "create table t (note text, a int, b text, c uuid, primary key (b, c, a))",
        f"insert into t select 'n', i, 'k' || i % 3, '{UUIDS[1]}' from generate_series(1, 50) i",
    )
    databases.target.execute("update t set note = null where a = 7")
    databases.target.execute("delete from t where a = 9")
    databases.target.execute("update t set a = 90 where a = 10")

    found = databases.compare_one()

    assert found.key == ("b", "c", "a")
    assert found.missing == (("k0", UUIDS[1], "9"), ("k1", UUIDS[1], "10"))
    assert found.extra == (("k1", UUIDS[1], "90"),)
    assert [(row.key, row.columns) for row in found.changed] == [(("k1", UUIDS[1], "7"), ("note",))]


def test_a_key_alone_is_a_row(databases: Any) -> None:
    databases.both("create table t (a int, b int, primary key (a, b))")
    databases.source.execute("insert into t values (1, 2), (3, 4)")
    databases.target.execute("insert into t values (1, 4), (3, 2)")

    found = databases.compare_one()

    assert (found.missing, found.extra, found.changed) == ((("1", "2"), ("3", "4")), (("1", "4"), ("3", "2")), ())


@pytest.mark.parametrize("keys", [(1, 2), (0, -1), (2**63 - 1, -(2**63)), (10, 5_000_000_000)])
def test_rows_that_are_null_but_for_their_keys_are_not_confused(databases: Any, keys: tuple[int, int]) -> None:
    """A NULL has the hash 0 whatever the seed: the key itself must be in the hash."""
    databases.both("create table t (id bigint primary key, a int, b text)")
    databases.source.execute("insert into t (id) values (%s)", [keys[0]])
    databases.target.execute("insert into t (id) values (%s)", [keys[1]])

    found = databases.compare_one()

    assert (found.missing, found.extra) == (((str(keys[0]),),), ((str(keys[1]),),))


@pytest.fixture
def one_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all rows be in one bucket."""
    monkeypatch.setattr(grid, "FEWEST", 1)
    monkeypatch.setattr(survey, "even_grid", lambda *_, **__: grid.StepGrid(62, 0, 9))


@pytest.mark.usefixtures("one_bucket")
@pytest.mark.parametrize("key", ["bigint primary key", "text primary key", "bigint"])
def test_values_that_changed_places_are_found(databases: Any, key: str) -> None:
    """The sum of unseeded hashes would be the same, where both rows are in one bucket."""
    databases.both(f"create table t (id {key}, name text, phone text)")
    databases.source.execute("insert into t values (1, 'a', 'x'), (2, 'b', 'y')")
    databases.target.execute("insert into t values (1, 'b', 'x'), (2, 'a', 'y')")

    found = databases.compare_one()

    if key == "bigint":
        assert (found.missing_count, found.extra_count) == (2, 2)
    else:
        assert [(row.key, row.columns) for row in found.changed] == [(("1",), ("name",)), (("2",), ("name",))]


MOVED = {
    "between columns": ([(1, "a", "b")], [(1, "b", "a")]),
    "between columns and rows": ([(1, "a", "b"), (2, "c", "d")], [(1, "d", "b"), (2, "c", "a")]),
    "null and nothing, in a row": ([(1, None, "")], [(1, "", None)]),
    "null and nothing, between rows": ([(1, None, "x"), (2, "", "x")], [(1, "", "x"), (2, None, "x")]),
    "columns that are alike": ([(1, "a", "a"), (2, "b", "b")], [(1, "b", "b"), (2, "a", "a")]),
}


@pytest.mark.usefixtures("one_bucket")
@pytest.mark.parametrize("name", MOVED)
def test_texts_that_changed_places_are_found(databases: Any, name: str) -> None:
    """Each is hashed on its own: with one seed for all columns, two that are alike would cancel."""
    databases.both("create table t (id int primary key, name text, note text)")
    for side, rows in zip((databases.source, databases.target), MOVED[name], strict=True):
        for row in rows:
            side.execute("insert into t values (%s, %s, %s)", row)

    found = databases.compare_one()

    assert [row.key for row in found.changed] == [(str(row[0]),) for row in MOVED[name][0]]


def test_a_full_bucket_is_cut_again(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One far key makes all others fall into one bucket; memory must not grow with it."""
    monkeypatch.setattr(tablepass, "MOST_ROWS_HELD", 20)
    held: list[int] = []
    add = Differences.add
    monkeypatch.setattr(Differences, "add", lambda to, *rows: held.append(max(map(len, rows)) // 16) or add(to, *rows))
    databases.both(
        "create table t (id bigint primary key, note text)",
        "insert into t select i, 'n' from generate_series(-3000, 3000) i",
        "insert into t values (9223372036854775807, 'far'), (-9223372036854775808, 'far')",
    )
    databases.target.execute("update t set note = 'm' where id in (-3000, 0, 1, 1500, 9223372036854775807)")
    databases.target.execute("delete from t where id in (-1, 2, -9223372036854775808)")

    found = databases.compare_one()

    assert [int(row.key[0] or 0) for row in found.changed] == [-3000, 0, 1, 1500, 2**63 - 1]
    assert [int(key[0] or 0) for key in found.missing] == [-(2**63), -1, 2]
    assert found.extra_count == 0
    assert max(held) <= 20


def test_the_padding_of_a_key_is_no_part_of_it(databases: Any) -> None:
    databases.both("create table t (id bpchar primary key, note text)")
    databases.source.execute("insert into t values ('a', 'x'), ('b', 'y')")
    databases.target.execute("insert into t values ('a  ', 'x'), ('b ', 'z')")

    found = databases.compare_one()

    assert [(row.key, row.columns, row.representation) for row in found.changed] == [
        (("a",), ("id",), True),
        (("b",), ("id", "note"), False),
    ]


def test_a_unique_key_serves_where_there_is_no_primary_key(databases: Any) -> None:
    databases.both("create table t (a int, code text not null unique, b int unique)")
    databases.both("insert into t values (1, 'x', null), (2, 'y', 5)")
    databases.target.execute("update t set a = 3 where code = 'y'")

    found = databases.compare_one()

    assert found.key == ("code",)
    assert [(row.key, row.columns) for row in found.changed] == [(("y",), ("a",))]


def test_a_key_that_only_the_source_enforces_still_names_the_rows(databases: Any) -> None:
    databases.source.execute("create table t (id int primary key, note text)")
    databases.target.execute("create table t (id int, note text)")
    databases.source.execute("insert into t values (1, 'a'), (2, 'b'), (3, 'c')")
    databases.target.execute("insert into t values (1, 'a'), (1, 'a'), (2, 'x'), (null, 'n')")

    found = databases.compare_one()

    assert found.extra == ((None,), ("1",))
    assert found.missing == (("3",),)
    assert [(row.key, row.columns) for row in found.changed] == [(("2",), ("note",))]


def test_equal_rows_without_a_key_are_counted(databases: Any) -> None:
    """A sum or an xor of all rows can't tell (1, 2, 2) from (1, 3, 3)."""
    databases.both("create table t (n int)")
    databases.source.execute("insert into t values (1), (2), (2), (null)")
    databases.target.execute("insert into t values (1), (3), (3), (null)")

    found = databases.compare_one()

    assert (found.missing_count, found.extra_count, found.key) == (2, 2, ())
    assert len(set(found.missing)) == 1
    assert found.verdict is Verdict.FAILED
