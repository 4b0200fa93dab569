"""What keeps rows beside plain tables, and fails in its own way: partitions, stored views, unlogged tables, blobs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from trueup.errors import Disconnected, Unverifiable
from trueup.parity.data import Side
from trueup.parity.data.sides.lockstep import savepoint, unverifiable
from trueup.parity.schema import Catalog, QualifiedName
from trueup.report.model import Finding, Section, Severity, Verdict, failure, left_open
from trueup.verify.check import Announce
from trueup.verify.subject import Subject

LARGE_OBJECT = "large object"
PARTITIONS: LiteralString = """
    select n.nspname::text, c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod),
        (
            select array[dn.nspname, d.relname]::text[]
            from pg_class d join pg_namespace dn on dn.oid = d.relnamespace
            where d.oid = p.partdefid
        ),
        coalesce(array_agg(pg_get_partition_constraintdef(i.inhrelid)) filter (where i.inhrelid <> p.partdefid), '{}')
    from pg_partitioned_table p
    join pg_class c on c.oid = p.partrelid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum = p.partattrs[0]
    left join pg_inherits i on i.inhparent = c.oid
    where p.partstrat = 'r' and p.partnatts = 1
      and a.atttypid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
      and not c.relispartition
    group by 1, 2, 3, 4, 5
    order by 1, 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """Is a table that is cut into ranges of one time."""

    table: QualifiedName
    column: str
    type: str
    default: QualifiedName | None
    """Where rows go that have no partition of their own."""
    conditions: tuple[str, ...]
    """What holds for the rows of each partition, as SQL."""


def look_at_storage(subject: Subject, announce: Announce) -> Section:
    """See whether rows of today have a partition, stored views are fresh, and both sides have as many large objects."""
    findings: list[Finding] = []
    compared: Counter[str] = Counter()
    for role, side in subject.sides.items():
        announce(f"looking at partitions and stored views of the {role}")
        for each in read_ranges(side):
            findings += partition_findings(role, side, each)
        for name in stored(side.catalog):
            findings += view_findings(role, side, name)
        findings += unlogged_findings(role, side.catalog)
        compared.update(amounts(side.catalog))
    return Section(
        check="storage", title="Storage", compared=dict(compared), findings=(*findings, *blob_findings(subject))
    )


def lacks_storage(subject: Subject) -> str:
    """Say that no side has anything of this kind; empty where one does."""
    has_any = any(amounts(side.catalog) for side in subject.sides.values())
    return "" if has_any else "no side has a partitioned or unlogged table, a materialized view or a large object"


def amounts(catalog: Catalog) -> dict[str, int]:
    """Return how much of each kind there is, without the kinds of which there is nothing."""
    numbers = {
        "partitioned tables": sum(bool(table.partition_key) for table in catalog.tables.values()),
        "materialized views": len(stored(catalog)),
        "unlogged tables": len(unlogged(catalog)),
        "large objects": blobs(catalog),
    }
    return {name: number for name, number in numbers.items() if number}


def stored(catalog: Catalog) -> list[QualifiedName]:
    """Return the materialized views."""
    return [name for name, view in catalog.views.items() if view.kind == "materialized view"]


def unlogged(catalog: Catalog) -> list[QualifiedName]:
    """Return the tables that are empty after a crash."""
    return [name for name, table in catalog.tables.items() if table.persistence == "unlogged"]


def blobs(catalog: Catalog) -> int:
    """Return the number of large objects."""
    return catalog.not_compared.get(LARGE_OBJECT, 0)


def read_ranges(side: Side) -> Iterator[Ranges]:
    """Yield the tables that are cut into ranges of one time."""
    for schema, name, column, type_, default, conditions in side.snapshot.rows(PARTITIONS):
        if QualifiedName(schema, name) in side.catalog.tables:
            yield Ranges(
                table=QualifiedName(schema, name),
                column=column,
                type=type_,
                default=QualifiedName(*default) if default else None,
                conditions=tuple(conditions),
            )


def partition_findings(role: str, side: Side, ranges: Ranges) -> Iterator[Finding]:
    """Yield whether a row of this moment has no partition of its own: an empty default one may be meant for it."""
    name = ranges.table
    try:
        with savepoint(side.snapshot), unverifiable(side.snapshot):
            [(is_covered,)] = side.snapshot.rows(covering(ranges))
            is_in_use = not is_covered and ranges.default and side.snapshot.rows(any_row(ranges.default))
    except Disconnected:
        raise
    except Unverifiable as error:
        yield left_open("storage", str(name), f"its partitions could not be asked for in the {role}: {error}")
        return
    if is_in_use:
        yield failure(
            "storage",
            str(name),
            f"in the {role} no partition is for rows of today: they fall into the default one",
            "The default partition grows, and a new partition can't be added without moving its rows.",
            "add the partition that covers now, and the next one",
            severity=Severity.BEHAVIOURAL,
        )
    elif not is_covered and not ranges.default:
        yield failure(
            "storage",
            str(name),
            f"in the {role} no partition is for rows of today",
            "Inserts of today fail (23514).",
            "add the partition that covers now, and the next one",
        )


def covering(ranges: Ranges) -> sql.Composed:
    """Return the query that says whether a partition is for rows of now."""
    return sql.SQL("select {} from (select now()::{} as {}) as row_of_now").format(
        sql.SQL(" or ").join(sql.SQL("({})").format(sql.SQL(each)) for each in (*ranges.conditions, "false")),
        sql.SQL(ranges.type),
        sql.Identifier(ranges.column),
    )


def any_row(table: QualifiedName) -> sql.Composed:
    """Return the query that gives a row where a table has one."""
    return sql.SQL("select from {} limit 1").format(sql.Identifier(*table))


def view_findings(role: str, side: Side, name: QualifiedName) -> Iterator[Finding]:
    """Yield whether a materialized view holds other rows than its query gives now, or none at all."""
    query = side.catalog.views[name].definition.rstrip().removesuffix(";")
    stored_rows, rows_now = (
        sql.SQL("select count(*), sum(hashtextextended(row(v.*)::text, 0)) from {} as v").format(each)
        for each in (sql.Identifier(*name), sql.SQL("({})").format(sql.SQL(query)))
    )
    try:
        with savepoint(side.snapshot), unverifiable(side.snapshot):
            [(is_filled,)] = side.snapshot.rows(
                "select relispopulated from pg_class where oid = %s::regclass", [str(name)]
            )
            is_fresh = is_filled and side.snapshot.rows(stored_rows) == side.snapshot.rows(rows_now)
    except Disconnected:
        raise
    except Unverifiable as error:
        yield left_open("storage", str(name), f"the materialized view of the {role} could not be read: {error}")
        return
    if not is_filled:
        yield failure(
            "storage",
            str(name),
            f"the materialized view of the {role} was never filled",
            "Reading it fails (55000).",
            f"refresh materialized view {name}",
        )
    elif not is_fresh:
        yield failure(
            "storage",
            str(name),
            f"the materialized view of the {role} shows other rows than its query gives now",
            "Its readers see the rows of its last refresh.",
            f"refresh materialized view {name}",
            severity=Severity.BEHAVIOURAL,
        )


def unlogged_findings(role: str, catalog: Catalog) -> Iterator[Finding]:
    """Yield a remark on each table that is empty after a crash."""
    for name in unlogged(catalog):
        yield Finding(
            check="storage",
            verdict=Verdict.PASSED,
            severity=Severity.BEHAVIOURAL,
            object=str(name),
            message=f"the table of the {role} is unlogged",
            meaning="It is empty after a crash, and replicas and base backups don't have its rows.",
        )


def blob_findings(subject: Subject) -> Iterator[Finding]:
    """Yield whether one side has more large objects than the other."""
    numbers = {role: blobs(side.catalog) for role, side in subject.sides.items()}
    if len(set(numbers.values())) > 1:
        yield failure(
            "storage",
            "both databases",
            f"{numbers['source']:,} large objects in the source, {numbers['target']:,} in the target",
            "Columns that hold their oids lead nowhere; logical replication doesn't carry them.",
            "copy them with pg_dump --large-objects",
            severity=Severity.LOSSY,
        )
