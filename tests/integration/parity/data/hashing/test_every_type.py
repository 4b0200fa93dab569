"""Edits planted in a table of every built-in type are found exactly, and nothing else is."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import connect, snapshot
from trueup.db.connection import Connection
from trueup.parity.data import (
    Bounds,
    ChangedRow,
    Rules,
    Side,
    TableComparison,
    compare,
    compare_table,
    lockstep,
    pair_tables,
)
from trueup.parity.data.hashing import references
from trueup.parity.data.repair import back, repair, there
from trueup.parity.schema import row_catalog
from trueup.report.model import Verdict

ROTATED = ["[" + ",".join(map(str, numbers)) + "]" for numbers in (range(33), (32, *range(1, 32), 0))]

VALUES: dict[str, list[list[str]]] = {
    # Each inner list holds different values that are equal for the type's `=`.
    "bool": [["true"], ["false"]],
    "int2": [["-32768"], ["0"], ["32767"]],
    "int4": [["-1"], ["0"], ["2147483647"]],
    "int8": [["1"], ["4294967296"], ["-1"], ["4294967295"], ["-9223372036854775808"], ["9223372036854775807"]],
    "oid": [["0"], ["4294967295"]],
    "numeric": [["1.0", "1.00", "1"], ["1.3"], ["1.49"], ["NaN"], ["Infinity"], ["-Infinity"], ["1e300"],
                ["0", "0.00"]],
    "numeric(9,2)": [["1.00"], ["1.01"], ["-1.00"]],
    "float4": [["0", "-0"], ["1e-14"], ["NaN"], ["Infinity"], ["-Infinity"], ["3.4028235e38"], ["0.1"]],
    "float8": [["0", "-0"], ["1e-300"], ["NaN"], ["Infinity"], ["-Infinity"], ["1e300"], ["0.1"],
               ["0.10000000000000002"]],
    "money": [["0"], ["1.00"], ["-1.00"]],
    "text": [[""], [" "], ["a"], ["a "], ["A"], ["\u00e9"], ["e\u0301"], ["NULL"], ["\\x00"], ["\x01"],
             ["%s"], ["'"], ["🦊"]],
    "varchar(20)": [[""], ["a"], ["a "], ["\t"], ["\n"]],
    "char(5)": [["a"], ["b"], [""]],
    "bpchar": [["a", "a ", "a  "], ["", " "]],
    '"char"': [["a"], ["b"]],
    "name": [["a"], ["A"]],
    "bytea": [["\\x"], ["\\x00"], ["\\x0000"], ["\\x5c783030"], ["\\xff"]],
    "date": [["infinity"], ["-infinity"], ["4713-01-01 BC"], ["0044-03-15 BC"], ["2024-02-29"], ["5874897-12-31"]],
    "timestamp": [["infinity"], ["-infinity"], ["0044-03-15 12:00 BC"],
                  ["2024-05-01 10:00:00.000001"], ["2024-05-01 10:00"],
                  ["2000-01-01 00:00:00.000001"], ["2000-01-01 01:11:34.967296"]],
    "timestamptz": [["infinity"], ["0044-03-15 12:00+00 BC"], ["2024-05-01 10:00+00"], ["2024-05-01 10:00+03"],
                    ["2000-01-01 00:00:00.000001+00"], ["2000-01-01 01:11:34.967296+00"]],
    "time": [["00:00"], ["24:00"], ["00:00:00.000001"], ["01:11:34.967296"]],
    "timetz": [["12:00+00"], ["13:00+01"], ["12:00+01"]],
    "interval": [["1 day", "24 hours"], ["1 mon", "30 days"], ["-1 mon", "-30 days", "-720:00"],
                 ["1 year -1 mon", "330 days"],
                 ["0.000001 s"], ["00:00", "1 day -24:00"], ["178000000 years"]],
    "uuid": [["00000000-0000-0000-0000-000000000000"], ["00000000-0000-0000-0000-000000000001"]],
    "inet": [["10.0.0.1"], ["10.0.0.1/8"], ["::1"], ["10.0.0.1/31"]],
    "cidr": [["10.0.0.0/8"], ["10.0.0.0/16"]],
    "macaddr": [["08:00:2b:01:02:03"], ["08:00:2b:01:02:04"]],
    "macaddr8": [["08:00:2b:01:02:03:04:05"], ["08:00:2b:01:02:03:04:06"]],
    "bit(3)": [["101"], ["001"]],
    "varbit": [[""], ["0"], ["00"], ["1"]],
    "json": [["{\"a\":1}"], ["{\"a\": 1}"], ["{\"a\":1,\"a\":2}"], ["null"], ["1.0"], ["1.00"], ["\"1\""], ["1"]],
    "jsonb": [["1", "1.0", "1.00"], ["\"1\""], ["\"1.0\""], ["null"], ["[]"], ["{}"], ["{\"a\": 1}", "{\"a\": 1.0}"],
              ["{\"a\": [10.50]}", "{\"a\": [10.5]}"], [ROTATED[0]], [ROTATED[1]], ["100"], ["10"],
              ["70001234567"], ["\"70001234567\""]],
    "jsonpath": [["$.\"a\""], ["$.\"b\""]],
    "tsvector": [["a"], ["a:1"], ["a:1A"], [""]],
    "tsquery": [["a & b"], ["a | b"]],
    "point": [["(0,0)"], ["(-0,0)"], ["(NaN,1)"], ["(1,Infinity)"]],
    "lseg": [["[(0,0),(1,1)]"], ["[(1,1),(0,0)]"]],
    "box": [["(1,1),(0,0)"], ["(2,0.5),(0,0)"]],
    "path": [["[(0,0),(1,1)]"], ["((0,0),(1,1))"]],
    "polygon": [["((0,0),(1,1),(1,0))"], ["((1,1),(1,0),(0,0))"]],
    "circle": [["<(0,0),1>"], ["<(5,5),1>"]],
    "line": [["{1,0,0}"], ["{2,0,0}"]],
    "pg_lsn": [["0/1"], ["1/0"]],
    "xid8": [["1"], ["4294967296"]],
    "pg_snapshot": [["10:20:10,14"], ["10:20:10,15"]],
    "xid": [["1"], ["4294967295"]],
    "cid": [["1"], ["2"]],
    "tid": [["(0,1)"], ["(1,0)"]],
    "oidvector": [[""], ["1"], ["1 2"], ["2 1"]],
    "int2vector": [["1"], ["-1"], ["1 1"]],
    "refcursor": [[""], ["a"]],
    "txid_snapshot": [["10:20:"], ["10:20:10,15"]],
    "regtype": [["int4"], ["mood"]],
    "regclass": [["pg_class"], ["pg_type"], ["-"]],
    "regprocedure": [["now()"], ["lower(text)"]],
    "regnamespace": [["public"], ["pg_catalog"]],
    "regcollation": [["\"C\""], ["\"POSIX\""]],
    "int4range": [["empty"], ["[1,2)"], ["(,5)"], ["[1,)"], ["(,)"]],
    "numrange": [["[1.0,2)", "[1.00,2)"], ["(1.0,2)"], ["[1,3)"], ["empty"]],
    "tstzrange": [["[2024-01-01 00:00+00,infinity)"], ["[2024-01-01 00:00+00,)"]],
    "int8range": [["[1,2)"], ["[1,4294967297)"]],
    "daterange": [["[0044-03-15 BC,2024-02-29)"], ["(,infinity)"], ["(,)"]],
    "tsrange": [["[2024-01-01,2024-01-01]"], ["[2024-01-01,2024-01-02)"], ["[2024-01-01,2024-01-02]"]],
    "int4multirange": [["{}"], ["{[1,2),[3,4)}"], ["{[1,4)}"]],
    "nummultirange": [["{[1.0,2)}", "{[1.00,2)}"], ["{[1.0,2]}"], ["{}"]],
    "datemultirange": [["{(,2024-02-29)}"], ["{[2024-02-29,)}"]],
    "tsmultirange": [["{[2024-01-01,infinity)}"], ["{[2024-01-01,)}"]],
    "tstzmultirange": [["{[2024-01-01 00:00+00,2024-01-01 01:00+00)}"], ["{[2024-01-01 00:00+00,)}"]],
    "int8multirange": [["{}"], ["{[1,2)}"], ["{[1,4294967297)}"]],
    "int4[]": [["{}"], ["{NULL}"], ["{1,2}"], ["{2,1}"], ["[0:1]={1,2}"], ["{{1,2},{3,4}}"], ["{1,2,3,4}"]],
    "int8[]": [["{1}"], ["{4294967296}"]],
    "text[]": [["{}"], ["{NULL}"], ["{\"NULL\"}"], ["{\"\"}"], ["{\"a,b\"}"], ["{a,b}"], ["{a,\"{}\"}"]],
    "numeric[]": [["{1.0}", "{1.00}"], ["[0:0]={1.0}"], ["{1.0,NULL}", "{1,NULL}"], ["{}"]],
    "float8[]": [["{0}", "{-0}"], ["{NaN}"], ["{1}"]],
    "bpchar[]": [["{a}", "{\"a \"}"], ["{b}"]],
    "money[]": [["{1.00}"], ["{2.00}"]],
    "jsonb[]": [["{1}", "{1.0}"], ["{\"\\\"1\\\"\"}"], ["[0:0]={1}"]],
    "interval[]": [["{1 day}", "{24:00}"], ["{NULL}"]],
    "numrange[]": [["{\"[1.0,2)\"}", "{\"[1,2)\"}"], ["{empty}"]],
    "bytea[]": [["{\"\\\\x00\"}"], ["{\"\\\\x0000\"}"], ["{\"\"}"]],
    "date[]": [["{\"0044-03-15 BC\"}"], ["{infinity}"]],
    "uuid[]": [["{00000000-0000-0000-0000-000000000001}"], ["{}"]],
    "timestamptz[]": [["{2024-05-01 10:00+00}"], ["{infinity}"]],
    "mood": [["sad"], ["ok"], ["it's \"fine\""]],
    "mood[]": [["{sad}"], ["{ok}"], ["{sad,ok}"]],
    "pair": [["(1,a)"], ["(,)"], ["(1,)"], ["(1,\"\")"], ["(1,\"(2,b)\")"]],
    "nested": [["(\"{1,2}\",\"(1,a)\",1.0)"], ["(\"{2,1}\",\"(1,a)\",1.0)"], ["(\"{1,2}\",\"(1,)\",1.0)"], ["(,,)"]],
    "pair[]": [["{\"(1,a)\"}"], ["{\"(1,b)\"}"]],
    "small": [["1"], ["2"]],
    "label": [["a"], ["a "], [""]],
    "price": [["1.0", "1.00"], ["2"]],
    "scores": [["{1,2}"], ["{2,1}"]],
    "opening": [["[1.0,2)", "[1,2)"], ["[1,3)"]],
    "moods": [["{sad}"], ["{NULL}"]],
    "prices": [["{1.0}", "{1.00}"], ["{2}"]],
}  # fmt: skip

TYPES = (
    "create type mood as enum ('sad', 'ok', 'it''s \"fine\"')",
    "create type pair as (n int, t text)",
    "create domain small as int2 check (value > 0)",
    "create domain label as text",
    "create domain price as numeric",
    "create domain scores as int[]",
    "create domain opening as numrange",
    "create domain moods as mood[]",
    "create domain prices as numeric[]",
    "create type nested as (many int[], one pair, price numeric)",
)

COLUMNS = {f"c{number:02}": type_ for number, type_ in enumerate(VALUES)}
ROWS = 8

Cell = tuple[int, int] | None
"""Which of the values of the column's type: a class of equal ones, and one of it; None is NULL."""
Model = dict[int, dict[str, Cell]]
Edit = tuple[Any, ...]


def flat(type_: str) -> list[tuple[int, int]]:
    return [(number, one) for number, equal in enumerate(VALUES[type_]) for one in range(len(equal))]


cells = {type_: st.none() | st.sampled_from(flat(type_)) for type_ in VALUES}
row_numbers = st.integers(0, ROWS - 1)
edits = st.lists(
    st.one_of(
        st.sampled_from(sorted(COLUMNS)).flatmap(
            lambda column: st.tuples(
                st.just("update"), st.integers(0, ROWS - 1), st.just(column), cells[COLUMNS[column]]
            )
        ),
        st.tuples(st.just("swap"), row_numbers, st.sampled_from(sorted(COLUMNS)), row_numbers),
        st.tuples(st.just("delete"), st.integers(0, ROWS - 1), st.none(), st.none()),
        st.tuples(st.just("insert"), st.integers(ROWS, ROWS + 3), st.none(), st.none()),
    ),
    max_size=8,
)


def first_rows() -> Model:
    """Return rows that together hold every value of short lists, many of long ones, and NULL."""

    def cell(row: int, type_: str) -> Cell:
        values = flat(type_)
        return None if row == ROWS - 1 else values[row % len(values)]

    return {row: {column: cell(row, type_) for column, type_ in COLUMNS.items()} for row in range(ROWS)}


def edited(model: Model, planned: list[Edit]) -> Model:
    """Return the model after the edits; an edit of a row that is gone, or of one that is there, does nothing."""
    rows = {row: dict(values) for row, values in model.items()}
    for kind, row, column, value in planned:
        if kind == "update" and row in rows:
            rows[row][column] = value
        elif kind == "swap" and row in rows and value in rows:
            rows[row][column], rows[value][column] = rows[value][column], rows[row][column]
        elif kind == "delete":
            rows.pop(row, None)
        elif kind == "insert" and row not in rows:
            rows[row] = dict(model[0])
    return rows


def expected_change(row: int, source: dict[str, Cell], target: dict[str, Cell]) -> ChangedRow:
    columns = tuple(column for column in COLUMNS if source[column] != target[column])
    same = [(source[c] or (None,))[0] == (target[c] or (None,))[0] for c in columns]
    return ChangedRow(key=(str(row),), columns=columns, representation=all(same))


def literal(column: str, cell: Cell) -> sql.Composable:
    if cell is None:
        return sql.SQL("null")
    return sql.SQL("{}::{}").format(sql.Literal(VALUES[COLUMNS[column]][cell[0]][cell[1]]), sql.SQL(COLUMNS[column]))


def store(connection: Connection, model: Model) -> None:
    """Make the table hold the rows of the model."""
    connection.execute("delete from t")
    filled = {row: tuple(column for column, cell in values.items() if cell) for row, values in model.items()}
    for columns, rows in itertools.groupby(sorted(model, key=lambda row: filled[row]), key=lambda row: filled[row]):
        values = (
            sql.SQL("({})").format(
                sql.SQL(", ").join([sql.Literal(row), *(literal(column, model[row][column]) for column in columns)])
            )
            for row in rows
        )
        names = sql.SQL(", ").join(map(sql.Identifier, ("id", *columns)))
        connection.execute(sql.SQL("insert into t ({}) values {}").format(names, sql.SQL(", ").join(values)))


class Pair:
    """Is a table on two servers, compared again and again."""

    def __init__(self, source: Connection, target: Connection, places: tuple[ConnInfo, ConnInfo]) -> None:
        self.source, self.target, self.places = source, target, places
        self.held: Model | None = None
        with snapshot(places[0]) as one, snapshot(places[1]) as other:
            self.catalogs = row_catalog(one), row_catalog(other)

    def hold(self, source: Model, target: Model) -> None:
        """Make the tables hold these rows; a source that holds them already is left alone."""
        if source != self.held:
            store(self.source, source)
        self.held = source
        store(self.target, target)

    def compare(self, **options: Any) -> TableComparison:
        with snapshot(self.places[0]) as one, snapshot(self.places[1]) as other:
            source = Side(snapshot=one, catalog=self.catalogs[0])
            [found] = compare(source, Side(snapshot=other, catalog=self.catalogs[1]), **options)
        return found

    def repair(self) -> tuple[str, str]:
        """Return what makes the target like the source, and what undoes it."""
        found = self.compare(bounds=Bounds(max_rows=10_000))
        with snapshot(self.places[0]) as one, snapshot(self.places[1]) as other:
            source, target = (
                Side(snapshot=side, catalog=known) for side, known in zip((one, other), self.catalogs, strict=True)
            )
            planned, tables = repair(source, target, [found]), target.catalog.tables
        assert planned.refused == ()
        return (
            there(planned, (), tables, sides="source, target", back="back.sql"),
            back(planned, (), tables, sides="source, target", there="repair.sql"),
        )

    def compare_by(self, rules: Rules, max_rows: int) -> TableComparison:
        with snapshot(self.places[0]) as one, snapshot(self.places[1]) as other, lockstep(one, other) as both:
            [found] = pair_tables(*self.catalogs, rules=rules)
            return compare_table(both, found, max_rows=max_rows)


@pytest.fixture(scope="module")
def connections(places: tuple[ConnInfo, ConnInfo]) -> Iterator[tuple[Connection, Connection]]:
    with connect(places[0]) as source, connect(places[1]) as target:
        # The same labels and types get other oids.
        target.execute("create type pushes_oids_along as enum ('a', 'b', 'c')")
        for connection in (source, target):
            for statement in TYPES:
                connection.execute(statement)
        yield source, target


@pytest.fixture
def pair(
    request: pytest.FixtureRequest, connections: tuple[Connection, Connection], places: tuple[ConnInfo, ConnInfo]
) -> Iterator[Pair]:
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(type_)) for column, type_ in COLUMNS.items()
    )
    key = sql.SQL(getattr(request, "param", "int primary key"))
    for connection in connections:
        connection.execute(sql.SQL("create table t (id {}, {})").format(key, columns))
    yield Pair(*connections, places)
    for connection in connections:
        connection.execute("drop table t")


def all_pairs() -> tuple[Model, Model]:
    """Return one row for every value of every type, held against each other one and NULL; all else is NULL."""
    return paired(lambda values: itertools.permutations(values, r=2))


def neighbours() -> tuple[Model, Model]:
    """Return one row for every value of every type, held against the next one."""
    return paired(lambda values: zip(values, [*values[1:], values[0]], strict=True))


def paired(pairs_of: Callable[[list[Cell]], Iterable[tuple[Cell, Cell]]]) -> tuple[Model, Model]:
    """Return a row for each pair of values that is made of those of a type and NULL."""
    nothing: dict[str, Cell] = dict.fromkeys(COLUMNS)
    pairs = [(column, pair) for column, type_ in COLUMNS.items() for pair in pairs_of([None, *flat(type_)])]
    source = {row: {**nothing, column: one} for row, (column, (one, _)) in enumerate(pairs)}
    target = {row: {**nothing, column: other} for row, (column, (_, other)) in enumerate(pairs)}
    return source, target


def test_every_value_differs_from_every_other_of_its_type(pair: Pair) -> None:
    """Differences of representation alone are told apart; M-23: the jsonb string of digits is not the number."""
    source, target = all_pairs()
    pair.hold(source, target)

    found = pair.compare(bounds=Bounds(max_rows=len(source)))

    assert list(found.changed) == [expected_change(row, source[row], target[row]) for row in source]
    assert (found.missing_count, found.extra_count) == (0, 0)
    assert any(row.representation for row in found.changed)


MODES = {
    "paranoid": Rules(hashing="both"),
    "md5": Rules(hashing="text"),
    "text": Rules(as_text=frozenset(references.VALUES)),
    "utf8": Rules(to_utf8=True),
}


def test_every_value_differs_however_it_is_hashed(pair: Pair) -> None:
    source, target = neighbours()
    pair.hold(source, target)
    expected = [expected_change(row, source[row], target[row]) for row in source]

    found = {mode: pair.compare_by(rules, len(source)).changed for mode, rules in MODES.items()}

    for mode, rows in found.items():
        assert [(row.key, row.columns) for row in rows] == [(row.key, row.columns) for row in expected], mode
    assert [mode for mode, rows in found.items() if list(rows) != expected] == ["md5"], "tells no representation apart"


def test_equal_values_agree_however_they_are_hashed(pair: Pair) -> None:
    source, _ = neighbours()
    pair.hold(source, source)

    found = {mode: pair.compare_by(rules, 10).verdict for mode, rules in MODES.items()}

    assert found == dict.fromkeys(MODES, Verdict.PASSED)


def test_equal_values_of_every_type_agree(pair: Pair) -> None:
    source, _ = neighbours()
    pair.hold(source, dict(reversed(source.items())))

    found = pair.compare()

    assert (found.verdict, found.source_rows, found.target_rows) == (Verdict.PASSED, len(source), len(source))


@pytest.mark.parametrize("places", ["18to16"], indirect=True)
def test_every_value_is_repaired_exactly_and_taken_back(pair: Pair) -> None:
    """In a session whose settings write and read values otherwise."""
    source, target = neighbours()
    for number, row in enumerate(tuple(source)):
        for side, turn in ((source, 0), (target, 1)):
            if number % 3 == turn:
                del side[row]
    pair.hold(source, target)
    start = pair.target.execute("select t::text from t order by id").fetchall()
    text, way_back = pair.repair()
    for setting in (
        "timezone = 'Asia/Tokyo'",
        "datestyle = 'German'",
        "extra_float_digits = -15",
        "bytea_output = escape",
    ):
        pair.target.execute(f"set {setting}")

    pair.target.execute(text.encode())
    repaired = pair.compare()
    pair.target.execute(way_back.encode())
    pair.target.execute("reset all")

    assert repaired.verdict is Verdict.PASSED
    assert pair.target.execute("select t::text from t order by id").fetchall() == start


BOUNDED = settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@BOUNDED
@given(planned=edits)
def test_planted_edits_are_found_exactly(pair: Pair, planned: list[Edit]) -> None:
    source = first_rows()
    target = edited(source, planned)
    pair.hold(source, target)

    found = pair.compare()

    assert found.missing == tuple((str(row),) for row in sorted(source.keys() - target.keys()))
    assert found.extra == tuple((str(row),) for row in sorted(target.keys() - source.keys()))
    common = sorted(source.keys() & target.keys())
    assert list(found.changed) == [
        expected_change(row, source[row], target[row]) for row in common if source[row] != target[row]
    ]
    differs = found.missing or found.extra or found.changed
    assert found.verdict is (Verdict.FAILED if differs else Verdict.PASSED)


@pytest.mark.parametrize("pair", ["int"], indirect=True, ids=["no_key"])
@BOUNDED
@given(planned=edits, doubled=st.integers(0, ROWS - 1), lost=st.booleans())
def test_rows_without_a_key_are_compared_as_a_multiset(
    pair: Pair, planned: list[Edit], doubled: int, *, lost: bool
) -> None:
    source = first_rows()
    target = edited(source, planned)
    pair.hold(source, target)
    pair.held = None
    pair.source.execute("insert into t select * from t where id = %s", [doubled])
    if not lost:
        pair.target.execute("insert into t select * from t where id = %s", [doubled])

    found = pair.compare()

    here, there = counted(source), counted(target)
    here += Counter(dict.fromkeys(counted({doubled: source[doubled]}), 1))
    if not lost and doubled in target:
        there += counted({doubled: target[doubled]})
    assert found.missing_count == (here - there).total()
    assert found.extra_count == (there - here).total()
    assert found.changed_count == 0
    assert len(found.missing) == found.missing_count
    assert found.key == ()


def counted(model: Model) -> Counter[tuple[object, ...]]:
    return Counter((row, *values.items()) for row, values in model.items())
