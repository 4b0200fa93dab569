"""Whether the rows keep what constraints promise: by reading the rows, not by trusting that somebody checked them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import LiteralString

from psycopg import sql

from trueup.errors import Disconnected, Unverifiable
from trueup.parity.data import Side
from trueup.parity.data.beyond.foreign_keys import ForeignKey, read_foreign_keys
from trueup.parity.data.sides.lockstep import savepoint, unverifiable
from trueup.parity.schema import Catalog, QualifiedName
from trueup.report.model import Finding, Section, failure, left_open
from trueup.verify.check import Announce
from trueup.verify.relations import declared_relations, unknown_relations
from trueup.verify.subject import Subject

UNIQUE_KEYS: LiteralString = """
    select
        n.nspname::text, t.relname::text, i.relname::text,
        array(
            select a.attname::text
            from unnest(string_to_array(x.indkey::text, ' ')::int2[]) with ordinality as k (number, place)
            join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.number
            where k.place <= x.indnkeyatts
            order by k.place
        ),
        coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false)
    from pg_index x
    join pg_class i on i.oid = x.indexrelid
    join pg_class t on t.oid = x.indrelid
    join pg_namespace n on n.oid = t.relnamespace
    where x.indisunique and x.indpred is null and x.indexprs is null and t.relkind in ('r', 'p')
      and not exists (select from pg_inherits h where h.inhrelid = i.oid)
      and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
    order by 1, 2, 3
"""
"""Those without a predicate or an expression; an index of a partition is its parent's."""
WITHOUT_INDEXES = (
    "set local enable_indexscan = off; set local enable_indexonlyscan = off; set local enable_bitmapscan = off"
)
"""A damaged index must not be asked whether it is damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueKey:
    """Is what rows of a table promise about each other."""

    table: QualifiedName
    name: str
    columns: tuple[str, ...]
    counts_nulls: bool
    """Whether two NULLs are the same."""

    @property
    def meaning(self) -> tuple[object, ...]:
        """What it promises, whatever it is called."""
        return self.table, frozenset(self.columns), self.counts_nulls

    def fits(self, catalog: Catalog) -> bool:
        """Return whether a database has the table and the columns that it is about."""
        return self.table in catalog.tables and {*self.columns} <= catalog.tables[self.table].columns.keys()


Key = ForeignKey | UniqueKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Is what is to be read on one side."""

    role: str
    side: Side
    keys: tuple[Key, ...]
    own: frozenset[tuple[object, ...]]
    """What this side's own keys promise; the others are the source's."""


def look_at_constraints(subject: Subject, announce: Announce) -> Section:
    """Hold the rows of each side against its own constraints, and those of the target against the source's as well."""
    announce("reading the rows behind constraints")
    known: dict[tuple[object, ...], Key] = {}
    work = []
    for role, side in subject.sides.items():
        found: tuple[Key, ...] = (*read_foreign_keys(side), *read_unique_keys(side))
        declared = declared_relations(subject.settings.relations, side.catalog)
        own = {key.meaning: key for key in chain(declared, found)}
        keys = [key for key in {**known, **own}.values() if key.fits(side.catalog)]
        work.append(Work(role=role, side=side, keys=tuple(keys), own=frozenset(own)))
        known = own
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="trueup-constraints") as pool:
        findings = (*chain.from_iterable(pool.map(broken_promises, work)), *unknown_relations(subject))
    every = [key for each in work for key in each.keys]
    tables = [table for each in work for table in each.side.catalog.tables.values()]
    foreign = sum(isinstance(key, ForeignKey) for key in every)
    compared = {
        "constraints": sum(len(table.constraints) for table in tables),
        "foreign keys": foreign,
        "unique keys": len(every) - foreign,
    }
    return Section(check="constraints", title="Constraints", compared=compared, findings=findings)


def broken_promises(work: Work) -> list[Finding]:
    """Return what the rows of one side don't keep."""
    found = list(not_enforced(work.role, work.side.catalog))
    for key in work.keys:
        found += broken(work.role, work.side, key, is_own=key.meaning in work.own)
    return found


def lacks_constraints(subject: Subject) -> str:
    """Say that no table has a constraint or an index, and no relation is declared; empty where one does."""
    if subject.settings.relations:
        return ""
    tables = [table for side in subject.sides.values() for table in side.catalog.tables.values()]
    return "" if any(table.constraints or table.indexes for table in tables) else "no table has any"


def read_unique_keys(side: Side) -> tuple[UniqueKey, ...]:
    """Return the unique keys of a database, primary ones included."""
    return tuple(
        UniqueKey(table=QualifiedName(schema, table), name=name, columns=tuple(columns), counts_nulls=counts_nulls)
        for schema, table, name, columns, counts_nulls in side.snapshot.rows(UNIQUE_KEYS)
        if QualifiedName(schema, table) in side.catalog.tables
    )


def not_enforced(role: str, catalog: Catalog) -> Iterator[Finding]:
    """Yield the constraints and indexes that a database has and that promise nothing about the rows it holds."""
    for table in catalog.tables.values():
        for constraint in table.constraints:
            if not constraint.valid or constraint.definition.endswith((" NOT VALID", " NOT ENFORCED")):
                yield failure(
                    "constraints",
                    f"{table.name}.{constraint.name}",
                    f"the {constraint.kind} constraint of the {role} is not valid, or nothing enforces it",
                    "Rows may break it, and nobody hears of them.",
                    f'alter table {table.name} validate constraint "{constraint.name}"',
                )
        for index in table.indexes:
            if not index.valid:
                yield failure(
                    "constraints",
                    f"{table.name}.{index.name}",
                    f"the index of the {role} is not valid: its making was interrupted",
                    "No query uses it, and a unique one may not be enforced.",
                    f'reindex index "{table.name.schema}"."{index.name}"',
                )


def broken(role: str, side: Side, key: Key, *, is_own: bool) -> Iterator[Finding]:
    """Yield how many rows break a key, or why they could not be read."""
    place = key.child if isinstance(key, ForeignKey) else key.table
    count: Callable[[Side, sql.Composed], int] = count_plainly if isinstance(key, ForeignKey) else count_without_indexes
    statement = orphans(key, side.catalog) if isinstance(key, ForeignKey) else duplicates(key)
    try:
        number = count(side, statement)
    except Disconnected:
        raise
    except Unverifiable as error:
        yield left_open("constraints", f"{place}.{key.name}", f"not readable in the {role}: {error}")
        return
    if number:
        yield broken_finding(role, key, number, is_own=is_own)


def broken_finding(role: str, key: Key, number: int, *, is_own: bool) -> Finding:
    """Return the finding for rows that break a key."""
    whose = "" if is_own else ", as the source's constraint has it"
    if isinstance(key, ForeignKey):
        rows = "1 row points" if number == 1 else f"{number:,} rows point"
        return failure(
            "constraints",
            f"{key.child}.{key.name}",
            f"{rows} to a row of {key.parent} that is not there in the {role}{whose}",
            "Joins lose these rows, and the constraint can't be made or restored.",
            f"find out what became of the rows of {key.parent}; delete or repair those of {key.child}",
        )
    values = "1 key stands" if number == 1 else f"{number:,} keys stand"
    return failure(
        "constraints",
        f"{key.table}.{key.name}",
        f"{values} in several rows of the {role}{whose}",
        "The unique constraint can't be made or restored; upserts change one of the rows at random.",
        f"merge the rows that share ({', '.join(key.columns)}), then reindex",
    )


def orphans(key: ForeignKey, catalog: Catalog) -> sql.Composed:
    """Return the query that counts the rows that point to nothing; of an array, each element points."""
    child = catalog.tables[key.child].columns
    if len(key.columns) == 1 and child[key.columns[0]].value_type.element:
        return sql.SQL(
            "select count(*) from {child} as c where exists (select from unnest(c.{column}) as e (value)"
            " where e.value is not null and not exists (select from {parent} as p where p.{theirs} = e.value))"
        ).format(
            child=sql.Identifier(*key.child),
            column=sql.Identifier(*key.columns),
            parent=sql.Identifier(*key.parent),
            theirs=sql.Identifier(*key.parent_columns),
        )
    return sql.SQL(
        "select count(*) from {child} as c where {given} and not exists (select from {parent} as p where {same})"
    ).format(
        child=sql.Identifier(*key.child),
        parent=sql.Identifier(*key.parent),
        given=sql.SQL(" and ").join(sql.SQL("c.{} is not null").format(sql.Identifier(name)) for name in key.columns),
        same=sql.SQL(" and ").join(
            sql.SQL("p.{} = c.{}").format(sql.Identifier(theirs), sql.Identifier(mine))
            for mine, theirs in zip(key.columns, key.parent_columns, strict=True)
        ),
    )


def duplicates(key: UniqueKey) -> sql.Composed:
    """Return the query that counts the keys that stand in several rows."""
    columns = [sql.SQL("t.{}").format(sql.Identifier(name)) for name in key.columns]
    given = [sql.SQL("{} is not null").format(column) for column in columns]
    return sql.SQL(
        "select count(*) from (select from {table} as t where {given} group by {columns} having count(*) > 1) as found"
    ).format(
        table=sql.Identifier(*key.table),
        given=sql.SQL("true") if key.counts_nulls else sql.SQL(" and ").join(given),
        columns=sql.SQL(", ").join(columns),
    )


def count_plainly(side: Side, statement: sql.Composed) -> int:
    """Return the number that a query gives."""
    with savepoint(side.snapshot), unverifiable(side.snapshot):
        [(number,)] = side.snapshot.rows(statement)
    return int(number)


def count_without_indexes(side: Side, statement: sql.Composed) -> int:
    """Return the number that a query gives when it reads the table itself."""
    with side.snapshot.connection.transaction(force_rollback=True), unverifiable(side.snapshot):
        side.snapshot.connection.execute(WITHOUT_INDEXES)
        [(number,)] = side.snapshot.rows(statement)
    return int(number)
