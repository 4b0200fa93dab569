"""Which rows of a scratch database outlive a plan: read before and after, column by column."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.parity.schema.model import Catalog, Column, ObjectKey, Table
from trueup.parity.schema.names import ColumnName, QualifiedName, quote_ident
from trueup.parity.schema.planning.hazards import LOSES
from trueup.parity.schema.planning.stating import Statement

Rows = Mapping[QualifiedName, tuple[object, ...]]
"""Of each table how many rows it has, and then what each of its kept columns holds."""


class Kept(NamedTuple):
    """Is what of a table has to outlive the plan."""

    table: QualifiedName
    same: tuple[str, ...]
    """The columns whose values stay as they are."""
    converted: tuple[str, ...]
    """Those that get another type: each value stays one."""


def kept(start: Catalog, end: Catalog, way: Collection[Statement]) -> tuple[Kept, ...]:
    """Return what has to be the same in both structures after the statements: all, but for what they say they lose.

    Rows are looked for where they are, in partitions and children: whole and parent may get others.
    """
    lost = frozenset(statement.about for statement in way if LOSES in statement.hazards)
    shared = (start.tables[name] for name in sorted(start.tables.keys() & end.tables.keys()))
    return tuple(_kept(table, end.tables[table.name], lost) for table in shared if _has_rows(table, end, lost))


def _has_rows(table: Table, end: Catalog, lost: Collection[ObjectKey]) -> bool:
    kinds = {table.kind, end.tables[table.name].kind}
    return kinds == {"table"} and ObjectKey("table", str(table.name)) not in lost


def _kept(mine: Table, theirs: Table, lost: Collection[ObjectKey]) -> Kept:
    pairs = [(column, theirs.columns[name]) for name, column in mine.columns.items() if name in theirs.columns]
    whole = [pair for pair in pairs if _stays(mine, pair, lost)]
    return Kept(
        table=mine.name,
        same=tuple(one.name for one, other in whole if one.type == other.type),
        converted=tuple(one.name for one, other in whole if one.type != other.type),
    )


def _stays(table: Table, pair: tuple[Column, Column], lost: Collection[ObjectKey]) -> bool:
    if any(column.generated for column in pair):
        return False
    full = ColumnName(*table.name, pair[0].name)
    types = {each for column in pair for each in (column.type, column.type.removesuffix("[]"))}
    return not {ObjectKey("table column", str(full)), *(ObjectKey("type", each) for each in types)} & set(lost)


def rows(conninfo: ConnInfo, wanted: Collection[Kept]) -> Rows:
    """Read what has to outlive a plan."""
    with connect(conninfo) as connection:
        connection.execute("set search_path = ''")
        return {each.table: connection.execute(_query(each)).fetchone() or () for each in wanted}


def _query(each: Kept) -> sql.Composed:
    same = [sql.SQL("array_agg({0}::text order by {0}::text)").format(sql.Identifier(name)) for name in each.same]
    converted = [sql.SQL("count({})").format(sql.Identifier(name)) for name in each.converted]
    listed = sql.SQL(", ").join([sql.SQL("count(*)"), *same, *converted])
    return sql.SQL("select {} from only {}").format(listed, sql.Identifier(*each.table))


def lost_rows(wanted: Collection[Kept], before: Rows, after: Rows) -> Iterator[str]:
    """Yield what did not outlive the plan, without a value of it."""
    for each in wanted:
        mine, theirs = before[each.table], after[each.table]
        if mine[:1] != theirs[:1]:
            yield f"rows of {each.table}"
            continue
        names = (*each.same, *each.converted)
        changed = (name for name, one, other in zip(names, mine[1:], theirs[1:], strict=True) if one != other)
        yield from (f"values of {each.table}.{quote_ident(name)}" for name in changed)
