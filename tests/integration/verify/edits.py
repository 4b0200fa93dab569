"""Edits of rows, planned at random."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st
from psycopg import sql
from tests.integration.verify.tables import Changed, Column, Row, Table, Value
from tests.integration.verify.values import AWKWARD, NUDGES, RESPELLED, nudges_of, values_of

from trueup.db.connection import Connection

ROW_NUMBERS = st.integers(0, 30_000)


@dataclass(frozen=True, slots=True)
class Edit:
    kind: str
    table: str
    row: int
    """Counted among the rows that are left, from the start again when there are fewer."""
    values: Mapping[str, Value] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    away: int = 0
    """How many rows further the other row of a swap is; neighbours share a bucket."""


def plans(tables: Iterable[Table], respellable: Sequence[Edit], *, size: int) -> st.SearchStrategy[list[Edit]]:
    """Return lists of edits, each of one table, over all columns alike."""
    weighted = [edits for table in tables for edits in [edits_of(table)] * len(table.columns)]
    one = st.sampled_from(weighted).flatmap(lambda edits: edits)
    return st.lists(st.one_of(*[one] * 6, st.sampled_from(respellable)), min_size=size, max_size=size)


def edits_of(table: Table) -> st.SearchStrategy[Edit]:
    columns = table.written
    key = [column for column in columns if column.name in table.key]
    unique = [column for column in columns if column.is_identifying and column not in key]
    rest = [column for column in columns if column not in key]
    movable = [column.name for column in columns if not column.is_identifying] or [column.name for column in columns]

    def planned(kind: str, values: st.SearchStrategy[dict[str, Value]]) -> st.SearchStrategy[Edit]:
        return st.builds(Edit, st.just(kind), st.just(table.name), ROW_NUMBERS, values)

    names = st.lists(st.sampled_from(movable), min_size=1, max_size=3, unique=True)
    swapped = st.builds(
        Edit,
        st.just("swap"),
        st.just(table.name),
        ROW_NUMBERS,
        columns=names.map(tuple),
        away=st.integers(1, 3) | ROW_NUMBERS,
    )
    kept = st.builds(Edit, st.sampled_from(["keep", "reinsert"]), st.just(table.name), ROW_NUMBERS)
    changes = assignments(rest or key, at_least=1)
    nudged = st.sampled_from([column for column in rest or columns if column.plain_type in NUDGES])
    nudges = nudged.flatmap(lambda column: st.fixed_dictionaries({column.name: nudges_of(column)}))
    fresh = st.tuples(assignments(key, at_least=1), assignments(unique, at_least=len(unique)))
    return st.one_of(
        kept,
        planned("update", changes),
        planned("replace", changes),
        planned("nudge", nudges),
        planned("nudge", nudges),
        swapped,
        st.builds(Edit, st.just("delete"), st.just(table.name), ROW_NUMBERS),
        planned("insert", fresh.map(lambda two: two[0] | two[1])),
        planned("rekey", assignments(key, at_least=1)) if key else kept,
    )


def assignments(columns: Sequence[Column], *, at_least: int) -> st.SearchStrategy[dict[str, Value]]:
    """Return values for some of the columns; for none where there are none."""
    if not columns:
        return st.just({})
    some = st.lists(st.sampled_from(columns), min_size=at_least, max_size=max(3, at_least), unique=True)
    return some.flatmap(lambda chosen: st.fixed_dictionaries({one.name: values_of(one) for one in chosen}))


def respellings(connection: Connection, tables: Iterable[Table], rows: Mapping[str, Sequence[Row]]) -> list[Edit]:
    """Return edits that give a value another spelling: equal for the type's `=`, yet not the same."""
    found = []
    for table in tables:
        numbers = {ctid: number for number, (ctid, _) in enumerate(rows[table.name])}
        for column in table.written:
            for spellings in RESPELLED.get(column.plain_type, ()):
                query = sql.SQL("select ctid::text from {} where {} = {}::{} order by ctid limit 3").format(
                    table.relation, sql.Identifier(column.name), sql.Literal(spellings[0]), sql.SQL(column.type)
                )
                found += [
                    Edit("respell", table.name, numbers[ctid], {column.name: spelling})
                    for (ctid,) in connection.execute(query)
                    for spelling in spellings
                ]
    return found


def every_update(column: Column, *, rows: int, first: int = 0) -> Iterator[tuple[int, Edit]]:
    """Yield updates that bring each awkward value and each nudge to a column, and their round.

    No round gives a row two of them.
    """
    nudges = [Changed(template) for template in NUDGES.get(column.plain_type, ())]
    for number, value in enumerate([*([None] if column.is_nullable else []), *AWKWARD[column.plain_type], *nudges]):
        yield number // rows, Edit("update", column.table, (first + number) % rows, {column.name: value})
