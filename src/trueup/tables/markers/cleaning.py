"""The clean-up of test data: exact keys, all tables or none, and no row that a test didn't make.

The rows are locked, the tables that others point to first, before anything is decided: from then on nobody can add a
row that hangs on them. What is deleted is counted twice, by the statements and by the server.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

from psycopg import sql

from trueup.db.block import Block
from trueup.db.database import Database
from trueup.errors import UsageError
from trueup.tables.contract import Table
from trueup.tables.errors import CleanUpRefused, Objection
from trueup.tables.markers.counting import count, naming_hidden_rows, read_marking, rows
from trueup.tables.markers.foreign_keys import ForeignKey, read_foreign_keys
from trueup.tables.markers.graph import in_order
from trueup.tables.markers.marking import Marking, same

MOST_ROWS = 1000
"""How many rows are deleted, unless the caller allows more."""
LOCK_TIMEOUT_S = 5.0
"""How long a clean-up waits for a row that somebody else has locked: it can come back later."""
TURN = 0x7472_7565_7570
"""The advisory lock that makes clean-ups of one database take turns."""

LOCK = sql.SQL(
    "{candidates}select array[{texts}], {marked}, {made}\n"
    "from {table} as t join found on {same}\nwhere {chosen}\n"
    "order by {keys}\nlimit {most}\nfor update of t"
)
HANGING = sql.SQL(
    "select count(*)\nfrom {child} as c\njoin {parent} as p on {joined}\njoin {deleted} on {same}\nwhere {foreign}"
)
FORGET = sql.SQL(
    "with entries as materialized (select ctid as place, key from trueup.made where relation = {relation}),\n"
    "typed as materialized (select place, {typed} from entries)\n"
    "delete from trueup.made as made using typed\n"
    "where made.ctid = typed.place and not exists (select 1 from {table} as t where {same})"
)
ROOTS = """
select given.name, schema.nspname || '.' || root.relname
from unnest(%s::text[], %s::text[]) as given (name, quoted)
join pg_class as root on root.oid = coalesce(pg_partition_root(to_regclass(quoted)), to_regclass(quoted))
join pg_namespace as schema on schema.oid = root.relnamespace
"""
DELETED = """
select schema.nspname || '.' || root.relname, sum(pg_stat_get_xact_tuples_deleted(part.oid))::bigint
from pg_class as part
join pg_class as root on root.oid = coalesce(pg_partition_root(part.oid), part.oid)
join pg_namespace as schema on schema.oid = root.relnamespace
where part.relkind = 'r'
    and schema.nspname not in ('pg_catalog', 'information_schema')
    and pg_stat_get_xact_tuples_deleted(part.oid) > 0
group by 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """Is what was deleted, or in a dry run what would have been."""

    tables: Mapping[str, int]
    """The rows of each table that has a marker, in the order in which they were deleted."""
    seconds: float
    dry_run: bool

    @property
    def rows(self) -> int:
        """All rows together."""
        return sum(self.tables.values())


class Undone(Exception):
    """Carries the result of a dry run out of its transaction, which it rolls back."""

    def __init__(self, deleted: Mapping[str, int]) -> None:
        super().__init__()
        self.deleted = deleted


def clean(
    db: Database,
    tables: Iterable[Table[Any]],
    *,
    dry_run: bool = False,
    max_delete: int = MOST_ROWS,
    run: str | None = None,
) -> Cleaned:
    """Delete the rows that carry the marker of their table and were made by tests, in one transaction.

    `tables` are all contracts of the database; those without a marker are left alone. A dry run does the same, triggers
    and constraints included, and rolls it back. With `run`, only the rows that this run wrote down are deleted, and
    what points to them; what else there is plays no part.

    Raises:
        CleanUpRefused: marker and journal mean different rows, a row that isn't test data hangs on one, there are more
            than `max_delete`, or a trigger or a rule kept or deleted rows; nothing was deleted.
        ContractError: no contract has a marker, or the markers don't fit together.
        RowsHidden: row security would hide rows.
        PermissionMissing, LockTimeout, StatementTimeout, …: the database said no; nothing was deleted.
    """
    if max_delete < 0:
        raise UsageError(f"max_delete must be 0 or more, not {max_delete}")
    work = partial(clean_up, tables=tuple(tables), dry_run=dry_run, max_delete=max_delete, run=run)
    begin = perf_counter()
    with naming_hidden_rows():
        try:
            deleted = db.run(work, isolation="read committed", lock_timeout_s=LOCK_TIMEOUT_S)
        except Undone as undone:
            deleted = undone.deleted
    return Cleaned(tables=deleted, seconds=perf_counter() - begin, dry_run=dry_run)


def clean_up(
    transaction: Block, *, tables: tuple[Table[Any], ...], dry_run: bool, max_delete: int, run: str | None
) -> Mapping[str, int]:
    """Do it in a transaction, and return the rows of each table."""
    transaction.execute("select pg_advisory_xact_lock(%s)", [TURN])
    marking = read_marking(transaction, tables, run)
    if run is None:
        refuse(
            Objection(each.table, each.foreign + each.changed, " and ".join(each.disagreements))
            for each in count(transaction, marking)
            if each.disagreements
        )
    cleaning = Cleaning(transaction, marking, max_delete)
    cleaning.lock()
    refuse(cleaning.hanging())
    deleted = cleaning.delete()
    if dry_run:
        raise Undone(deleted)
    return deleted


def refuse(objections: Iterable[Objection]) -> None:
    """Raise CleanUpRefused if there is any objection."""
    if found := tuple(objections):
        raise CleanUpRefused(*found)


class Cleaning:
    """Is one clean-up under way: which rows it holds, and how the tables depend on each other."""

    def __init__(self, transaction: Block, marking: Marking, max_delete: int) -> None:
        self.transaction = transaction
        self.marking = marking
        self.max_delete = max_delete
        self.keys: dict[str, list[list[str]]] = {}
        """The keys of the rows that are locked, as texts, by table."""
        names = list(marking.by_name)
        quoted = [table.identifier.as_string(None) for table in marking.tables]
        self.roots: dict[str, str] = dict(transaction.execute(ROOTS, [names, quoted]).fetchall())
        """The whole table of each table, if it is a partition; else itself."""
        self.foreign_keys = read_foreign_keys(transaction.connection)
        edges = [(t.name, p.name) for key in self.foreign_keys for t in self.of(key.child) for p in self.of(key.parent)]
        self.groups = in_order(names, [*edges, *marking.edges])

    def of(self, root: str) -> list[Table[Any]]:
        """Return the tables with a marker that are a whole table or partitions of it."""
        return [table for table in self.marking.tables if self.roots.get(table.name) == root]

    def lock(self) -> None:
        """Lock the rows to delete; nobody can point to them or change them from now on.

        Raises:
            CleanUpRefused: they are too many, or have changed since they were counted.
        """
        left = self.max_delete
        for name in (name for group in self.groups for name in group):
            self.keys[name] = self.lock_table(self.marking.by_name[name], left)
            left -= len(self.keys[name])
            if left < 0:
                more = f"more than {rows(self.max_delete)} would be deleted: look at them, then allow so many"
                raise CleanUpRefused(Objection(name, len(self.keys[name]), more))

    def lock_table(self, table: Table[Any], most: int) -> list[list[str]]:
        """Lock the rows of one table, `most` and one more, and return their keys."""
        parts = self.marking.parts(table)
        texts = sql.SQL(", ").join(
            sql.SQL("{}::text").format(sql.Identifier("t", column)) for column in table.primary_key
        )
        statement = LOCK.format(**parts, texts=texts, most=sql.Literal(most + 1))
        found = self.transaction.execute(statement, self.marking.parameters).fetchall()
        changed = sum(is_marked != is_made for _, is_marked, is_made in found)
        if changed:
            reason = f"{rows(changed)} where marker and journal disagree now: look at trueup testdata stats"
            raise CleanUpRefused(Objection(table.name, changed, reason))
        return [key for key, is_marked, _ in found if is_marked]

    def hanging(self) -> Iterator[Objection]:
        """Give every foreign key by which rows that aren't test data hang on rows that would be deleted."""
        for key in self.foreign_keys:
            for table in self.of(key.parent):
                if self.keys[table.name] and (number := self.count_hanging(key, table)):
                    verb = "points" if number == 1 else "point"
                    reason = f"{rows(number)} that {'is' if number == 1 else 'are'} no test data {verb} to test data of"
                    yield Objection(key.child, number, f"{reason} {table.name} ({key.name})")

    def count_hanging(self, key: ForeignKey, table: Table[Any]) -> int:
        """Return how many rows point to rows of a table that are locked, and aren't locked themselves."""
        ours = self.of(key.child)
        foreign = [
            sql.SQL("not exists (select 1 from {} where {})").format(
                self.listed(each, f"own_{number}"), same(each.primary_key, f"own_{number}", "c")
            )
            for number, each in enumerate(ours)
        ]
        statement = HANGING.format(
            child=key.identifier,
            parent=table.identifier,
            joined=key.joined("c", "p"),
            deleted=self.listed(table, "k"),
            same=same(table.primary_key, "k", "p"),
            foreign=sql.SQL(" and ").join(foreign) if foreign else sql.SQL("true"),
        )
        found = self.transaction.execute(statement, self.key_parameters([table, *ours])).fetchone()
        return int(found[0]) if found else 0

    def delete(self) -> dict[str, int]:
        """Delete the locked rows, those that point to others first, and return how many of each table.

        Raises:
            CleanUpRefused: something in the database made other rows go, or these stay.
        """
        before = self.counted()
        deleted: dict[str, int] = {}
        for group in reversed(self.groups):
            deleted |= self.delete_group([self.marking.by_name[name] for name in group])
        self.transaction.execute("set constraints all immediate")
        expected = {root: sum(deleted[table.name] for table in self.of(root)) for root in self.roots.values()}
        refuse(
            Objection(
                root, number, f"a trigger, a rule or an inheriting table lost {rows(number)} that nobody asked for"
            )
            for root, total in self.counted().items()
            if (number := total - before.get(root, 0) - expected.get(root, 0)) > 0
        )
        if self.marking.has_journal:
            for table in self.marking.tables:
                self.forget(table)
        return deleted

    def delete_group(self, group: list[Table[Any]]) -> dict[str, int]:
        """Delete rows of tables that point to each other in one statement: constraints are checked at its end."""
        statements = [
            sql.SQL("delete from {} as t using {} where {}").format(
                table.identifier, self.listed(table, "k"), same(table.primary_key, "k", "t")
            )
            for table in group
        ]
        if len(group) == 1:
            counts = [self.transaction.execute(statements[0], self.key_parameters(group)).rowcount]
        else:
            counts = self.delete_together(statements, group)
        deleted = dict(zip((table.name for table in group), counts, strict=True))
        refuse(
            Objection(name, kept, f"a trigger or a rule kept {rows(kept)}")
            for name, number in deleted.items()
            if (kept := len(self.keys[name]) - number)
        )
        return deleted

    def delete_together(self, statements: list[sql.Composed], group: list[Table[Any]]) -> list[int]:
        """Run several deletions as one statement, and return how many rows each of them took."""
        parts = [
            sql.SQL("deleted_{} as ({} returning 1)").format(sql.Literal(number), statement)
            for number, statement in enumerate(statements)
        ]
        counts = [sql.SQL("(select count(*) from deleted_{})").format(sql.Literal(i)) for i in range(len(parts))]
        whole = sql.SQL("with {}\nselect {}").format(sql.SQL(",\n").join(parts), sql.SQL(", ").join(counts))
        found = self.transaction.execute(whole, self.key_parameters(group)).fetchone()
        assert found
        return list(found)

    def counted(self) -> dict[str, int]:
        """Return how many rows of each table this session has deleted, by whatever means, as the server counts."""
        return dict(self.transaction.execute(DELETED).fetchall())

    def forget(self, table: Table[Any]) -> None:
        """Take out of the journal what is no longer there."""
        number = self.marking.number(table)
        columns = [table.column(name) for name in table.primary_key]
        typed = [
            sql.SQL(f"key[{{}}]::{column.type.name} as {{}}").format(sql.Literal(i), column.identifier)
            for i, column in enumerate(columns, 1)
        ]
        statement = FORGET.format(
            relation=sql.Placeholder(f"relation_{number}"),
            typed=sql.SQL(", ").join(typed),
            table=table.identifier,
            same=same(table.primary_key, "typed", "t"),
        )
        self.transaction.execute(statement, self.marking.parameters)

    def listed(self, table: Table[Any], alias: str) -> sql.Composable:
        """Return the keys of the locked rows of a table as a list that can be joined."""
        number = self.marking.number(table)
        arrays = [
            sql.SQL(f"{{}}::text[]::{table.column(name).type.name}[]").format(sql.Placeholder(f"key_{number}_{i}"))
            for i, name in enumerate(table.primary_key)
        ]
        return sql.SQL("unnest({}) as {} ({})").format(
            sql.SQL(", ").join(arrays),
            sql.Identifier(alias),
            sql.SQL(", ").join(map(sql.Identifier, table.primary_key)),
        )

    def key_parameters(self, tables: Iterable[Table[Any]]) -> dict[str, object]:
        """Return the values that `listed` refers to."""
        return {
            f"key_{self.marking.number(table)}_{i}": [key[i] for key in self.keys[table.name]]
            for table in tables
            for i in range(len(table.primary_key))
        }
