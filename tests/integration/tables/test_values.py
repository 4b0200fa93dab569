"""Every type that a contract can name: what is written comes back equal, one row at a time and in bulk."""

from dataclasses import dataclass, make_dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from math import inf, nan
from typing import Annotated, Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trueup.conninfo import ConnInfo
from trueup.db import Connection, Database
from trueup.settings import DatabaseSettings
from trueup.tables import UNSET, InvalidValue, Repository, Sql, Table, gte
from trueup.tables.sql_types import SCALARS
from trueup.tables.writer import Mode


def adjusted(number: Decimal) -> int:
    return number.adjusted() if number.is_finite() else 0


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
ZONES = st.integers(-86399, 86399).map(lambda s: timezone(timedelta(seconds=s)))
WITHIN = (datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=10,
)
NOT_NULL_JSON = JSON.filter(lambda value: value is not None)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "smallint": st.integers(-(1 << 15), (1 << 15) - 1),
    "integer": st.integers(-(1 << 31), (1 << 31) - 1),
    "bigint": st.integers(-(1 << 63), (1 << 63) - 1),
    "real": st.floats(width=32),
    "double precision": st.floats(),
    "numeric": st.decimals().filter(lambda number: not number.is_snan() and abs(adjusted(number)) < 1000),
    "boolean": st.booleans(),
    "date": st.dates(),
    "time without time zone": st.times(),
    "timestamp without time zone": st.datetimes(),
    "timestamp with time zone": st.datetimes(*WITHIN, timezones=ZONES | st.just(UTC)),
    "interval": st.timedeltas(timedelta(days=-1_000_000), timedelta(days=1_000_000)),
    "uuid": st.uuids(),
    "bytea": st.binary(max_size=20),
    "text": TEXT,
    "character varying": TEXT,
    "json": NOT_NULL_JSON,
    "jsonb": NOT_NULL_JSON,
}
COLUMNS = {
    f"c{i}": (name + array, st.lists(st.none() | values, max_size=4) if array else values)
    for i, (name, array, values) in enumerate(
        (name, array, values) for name, values in VALUES.items() for array in ("", "[]")
    )
}
PYTHON = {name: scalar.python for name, scalar in SCALARS.items()}


def annotation(name: str) -> Any:
    bare = PYTHON[name.removesuffix("[]")]
    return Annotated[list[bare] if name.endswith("[]") else bare, Sql(name)] | None  # type: ignore[valid-type]


Values = make_dataclass(
    "Values",
    [("id", int), *((column, annotation(name), UNSET) for column, (name, _) in COLUMNS.items())],
    frozen=True,
    slots=True,
)
TABLE: Table[Any] = Table("public.values", Values, primary_key=("id",))
ROWS = st.fixed_dictionaries({}, optional={column: st.none() | values for column, (_, values) in COLUMNS.items()})


def same(sent: Any, found: Any) -> bool:
    """Say whether a value came back equal: NaN is itself, and jsonb knows numbers, no floats."""
    if isinstance(sent, list) and isinstance(found, list):
        return len(sent) == len(found) and all(map(same, sent, found))
    if isinstance(sent, dict) and isinstance(found, dict):
        return sent.keys() == found.keys() and all(same(sent[key], found[key]) for key in sent)
    if isinstance(sent, float) and isinstance(found, int):
        return float(found) == sent
    if isinstance(sent, float | Decimal) and sent != sent:
        return bool(found != found)
    return bool(sent == found)


def test_every_type_is_tried():
    assert set(VALUES) == set(SCALARS)


@pytest.fixture
def values(db: Database, observer: Connection) -> Repository[Any]:
    columns = "".join(f", {column} {name}" for column, (name, _) in COLUMNS.items())
    observer.execute(
        f"create table values (id bigint primary key{columns})".replace("table values", 'table "values"').encode()
    )
    return Repository(db, TABLE)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(row=ROWS)
def test_a_row_comes_back_as_it_was_written(values: Repository[Any], row: dict[str, Any]):
    values.delete(id=1)

    done = values.upsert({"id": 1, **row})

    for column, sent in row.items():
        assert same(sent, getattr(done.row, column)), COLUMNS[column][0]
    assert values.upsert({"id": 1, **row}).status == "unchanged"


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(ROWS, min_size=1, max_size=4))
def test_rows_in_bulk_come_back_as_they_were_written(values: Repository[Any], rows: list[dict[str, Any]]):
    with values.db.connection() as connection:
        connection.execute('truncate "values"')

    done = values.bulk_upsert({"id": i, **row} for i, row in enumerate(rows))

    assert done.inserted == len(rows)
    for sent, found in zip(rows, values.find_many(order_by="id"), strict=True):
        for column, value in sent.items():
            assert same(value, getattr(found, column)), COLUMNS[column][0]
    again = values.bulk_upsert(({"id": i, **row} for i, row in enumerate(rows)), mode="sync")
    assert again.unchanged == len(rows)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(words=st.lists(JSON, min_size=1, max_size=5), mode=st.sampled_from(["replace", "sync"]))
def test_json_that_repeats_itself_comes_back_as_it_was_written(values: Repository[Any], words: list[Any], mode: Mode):
    values.delete(id=gte(0))
    one, other = (next(name for name, (kind, _) in COLUMNS.items() if kind == wanted) for wanted in ("json", "jsonb"))
    rows = [{"id": i, one: words[i % len(words)], other: words[-1 - i % len(words)]} for i in range(5 * len(words))]

    done = values.bulk_upsert(rows, mode=mode)

    assert done.inserted == len(rows)
    for sent, found in zip(rows, values.find_many(order_by="id"), strict=True):
        assert same(sent[one], getattr(found, one))
        assert same(sent[other], getattr(found, other))
    assert values.bulk_upsert(rows, mode=mode).unchanged == len(rows)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(row=ROWS)
def test_a_value_finds_its_row(values: Repository[Any], row: dict[str, Any]):
    values.delete(id=1)
    values.upsert({"id": 1, **row})
    comparable = {column: value for column, value in row.items() if COLUMNS[column][0] not in {"json", "json[]"}}

    assert values.exists({"id": 1, **comparable})


EXACT = {
    "jsonb empty list (W-R16)": ("jsonb", []),
    "jsonb list of objects (W-R16)": ("jsonb", [{"date": "2024-01-01", "services": ["a"]}]),
    "jsonb nested lists (W-R16)": ("jsonb", [[1, [2]], []]),
    "jsonb text": ("jsonb", "plain \\u0000 \" '"),
    "jsonb number beyond 64 bits": ("jsonb", {"n": 2**100}),
    "text that separates": ("text", "a\x1f"),
    "text that marks NULL": ("text", "\x1e"),
    "empty text": ("text", ""),
    "text like NULL": ("text", "null"),
    "empty array": ("text[]", []),
    "array of lines": ("text[]", ["a\nb", "\t", "\x1f", "\x1e", "]", "["]),
    "array": ("text[]", ["a,b", 'q"uote', "back\\slash", None, "", "NULL", "{}", " pad "]),
    "bigint": ("bigint", 2**53 + 1),
    "numeric": ("numeric", Decimal("12345678901234567890.12345678901234567890")),
    "numeric scale": ("numeric", Decimal("1.50")),
    "NaN": ("numeric", Decimal("NaN")),
    "infinity": ("double precision", -inf),
    "day": ("date", date(2024, 2, 29)),
    "instant": ("timestamp with time zone", datetime(2024, 3, 31, 2, 30, tzinfo=timezone(timedelta(hours=3)))),
    "midnight": ("time without time zone", time(0, 0)),
    "span": ("interval", timedelta(days=-1, seconds=5)),
    "uuid": ("uuid", UUID(int=5)),
    "bytes": ("bytea", b"\0\\x\xff"),
}


@pytest.mark.parametrize(("kind", "value"), EXACT.values(), ids=EXACT.keys())
def test_value_is_the_same_by_every_method(values: Repository[Any], kind: str, value: Any):
    """W-R16, W-R17: lists become array literals in jsonb columns, and only some methods convert at all."""
    column = next(column for column, (name, _) in COLUMNS.items() if name == kind)
    values.insert({"id": 1, column: value})
    values.upsert({"id": 2, column: value})
    values.insert({"id": 3})
    values.update({column: value}, id=3)
    values.bulk_upsert([{"id": 4, column: value}])

    found = [getattr(row, column) for row in values.find_many(order_by="id")]

    assert all(same(value, each) for each in found)
    assert len(found) == 4
    assert {repr(each) for each in found} == {repr(found[0])}


BAD = {
    "NUL in text": ("text", "a\0b", "22P05"),
    "NUL in an array": ("text[]", ["\0"], "22P05"),
    "NUL in jsonb": ("jsonb", {"a": ["\0"]}, "22P05"),
    "NaN in jsonb": ("jsonb", [nan], "22023"),
    "int too large": ("integer", 1 << 31, "22003"),
}


@pytest.mark.parametrize(("kind", "value", "sqlstate"), BAD.values(), ids=BAD.keys())
def test_value_that_cannot_be_stored_is_refused_by_every_method(
    values: Repository[Any], kind: str, value: Any, sqlstate: str
):
    column = next(column for column, (name, _) in COLUMNS.items() if name == kind)
    before = values.db.statistics()  # type: ignore[attr-defined]

    for call in (
        lambda: values.insert({"id": 1, column: value}),
        lambda: values.upsert({"id": 1, column: value}),
        lambda: values.update({column: value}, id=1),
        lambda: values.bulk_upsert([{"id": 1, column: value}]),
    ):
        with pytest.raises(InvalidValue) as refusal:
            call()
        assert refusal.value.sqlstate == sqlstate
    assert values.db.statistics() == before  # type: ignore[attr-defined]


def test_instants_come_back_in_utc_whatever_the_session(values: Repository[Any], database: ConnInfo):
    """W-R32: dates come back shifted by the process's zone."""
    column = next(column for column, (name, _) in COLUMNS.items() if name == "timestamp with time zone")
    moment = datetime(2024, 7, 1, 12, tzinfo=timezone(timedelta(hours=7)))
    elsewhere = database.with_parameters(options="-c timezone=Asia/Novosibirsk")

    with Database(DatabaseSettings(conninfo=elsewhere)) as db:
        found = getattr(Repository(db, TABLE).upsert({"id": 1, column: moment}).row, column)

    assert found == moment
    assert found.tzinfo is UTC


@dataclass(frozen=True, slots=True)
class Short:
    id: int
    code: Annotated[str, Sql("varchar(3)")]
    cost: Annotated[Decimal, Sql("numeric(4,1)")]


def test_text_that_is_too_long_is_refused_and_not_cut(db: Database, observer: Connection):
    observer.execute("create table short (id bigint primary key, code varchar(3) not null, cost numeric(4,1) not null)")
    short = Repository(db, Table("public.short", Short, primary_key=("id",)))

    for call in (
        lambda: short.insert(Short(1, "four", Decimal(1))),
        lambda: short.upsert(Short(1, "four", Decimal(1))),
        lambda: short.bulk_upsert([Short(1, "four", Decimal(1))]),
        lambda: short.insert(Short(1, "abc", Decimal(1000))),
    ):
        with pytest.raises(Exception, match=r"22001|22003") as refusal:
            call()
        assert isinstance(refusal.value.__cause__, psycopg.DataError)
    assert short.count() == 0
