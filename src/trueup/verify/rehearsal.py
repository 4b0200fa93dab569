"""Whether migrations can be applied, undone and applied again while every table holds rows, as a section of a report.

Each file is tried on a scratch server, in the order of its folder: up, down, up. The structure has to be the same at
both ends each time, and what the tables held before has to be there again, but for what the file declares to lose.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from trueup.errors import MigrationFailed
from trueup.migrations import Migration, Migrations
from trueup.parity.schema import Catalog, ColumnName, Difference, QualifiedName, Table, diff
from trueup.parity.schema.planning.survival import Kept, Rows, lost_rows
from trueup.report.model import Finding, Section, Severity, Verdict, left_open
from trueup.verify.stage import Stage

CHECK = "migrations"
MOST_LISTED = 20
MOST_EMPTIED = 5
"""So many tables are tried without rows, one more at a time; then all are."""
NULL_REFUSED = "23502"
BY_VALUES = ("22", "23", "P0001")
"""How the SQLSTATE begins of what the values of rows may be the cause of; the last is a file's own `raise`."""
UNSUPPORTED = "0A000"
ONE_WAY = (
    "write what undoes it below `-- migrate:down` (`select;` where there is nothing to undo), or declare above"
    " `-- migrate:up` why nothing can: -- trueup:irreversible REASON"
)
ELSEWHERE = "try it on a real server: trueup migrate up DB, and down"
UNDO = "let `-- migrate:down` undo exactly what `-- migrate:up` does"
KEEP = (
    "keep what they held, or declare above `-- migrate:up` what is lost: -- trueup:loses SCHEMA.TABLE[.COLUMN] REASON"
)
FILL = "give the column a default, or fill it before it has to be NOT NULL"
ONE_WAY_MEANING = "A release that goes wrong can't be taken back by its migrations."
LOSS_MEANING = "Whoever takes the release back gets the structure back, and not the data."


def rehearse(migrations: Migrations, *, version: int, cache_folder: Path, announce: Callable[[str], None]) -> Section:
    """Try every migration on a scratch server of a version; those behind one that can't be applied are left open.

    Raises:
        ServerUnavailable: no such server can be started.
    """
    with Stage(migrations=migrations, version=version, cache_folder=cache_folder) as stage:
        rehearsal = Rehearsal(stage=stage)
        for number, migration in enumerate(migrations.files, start=1):
            announce(f"{migration.file.name} ({number} of {len(migrations.files)})")
            try:
                rehearsal.there_and_back(migration)
            except MigrationFailed as error:
                rehearsal.findings += unapplied(migration, error, left=len(migrations.files) - number)
                break
    return Section(
        check=CHECK,
        title="Migrations",
        compared={
            "migrations": len(rehearsal.applied),
            "undone and applied again": rehearsal.undone,
            "tables": rehearsal.tables,
            "made-up rows": stage.planted,
        },
        findings=tuple(rehearsal.findings),
        notes=(f"Migrations: tried on PostgreSQL {version}.", *rehearsal.notes),
    )


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """Is how far a rehearsal has come, and what it has found."""

    stage: Stage
    applied: list[Migration] = field(default_factory=list)
    undone: int = 0
    """How many of them led back, and there again."""
    tables: int = 0
    """The most that there were at a time."""
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _bare: set[QualifiedName] = field(default_factory=set)
    _structure: Catalog | None = None
    """What the database is made of before the next migration, where that was read."""

    def there_and_back(self, migration: Migration) -> None:
        """Apply the next migration, undo it, and apply it again.

        Raises:
            MigrationFailed: it can't be applied, not even to empty tables.
        """
        stage, losses = self.stage, migration.declares.losses
        before, held = self.up(migration)
        after = stage.structure()
        self.applied.append(migration)
        self.tables = max(self.tables, len(after.tables))
        self._structure = after
        if migration.declares.irreversible:
            self.notes.append(f"{migration.file.name}: not undone, {migration.declares.irreversible}.")
        elif migration.down is None:
            self.findings.append(broken(migration, "nothing undoes it", remedy=ONE_WAY))
        else:
            made = list(kept(after, before, losses))
            holding = stage.rows(made)
            self.fill(migration, after, after.tables.keys() - before.tables.keys())
            found = self.down(migration, before, held) or self.again(migration, after, (made, holding))
            self.findings += found
            self.undone += not found
            if found:
                stage.rebuild(self.applied)
                self._structure = None

    def up(self, migration: Migration, emptied: AbstractSet[QualifiedName] = frozenset()) -> tuple[Catalog, "Held"]:
        """Apply a migration to tables that hold rows, and again without those that it refuses; returns what was there.

        Raises:
            MigrationFailed: it can't be applied, not even to empty tables.
        """
        before = self._structure = self._structure or self.stage.structure()
        self.fill(migration, before, before.tables.keys() - emptied)
        wanted = list(kept(before, before, migration.declares.losses))
        held = self.stage.rows(wanted)
        try:
            self.stage.up(migration)
        except MigrationFailed as error:
            more = refusing(error, before, emptied)
            if not more:
                raise
            self.stage.rebuild(self.applied)
            done = self.up(migration, emptied | more)
            self.refused(migration, error, more)
            return done
        return before, (wanted, held)

    def refused(self, migration: Migration, error: MigrationFailed, tables: Collection[QualifiedName]) -> None:
        """Note that rows stopped a migration: any row at all, or made-up ones alone."""
        if sqlstate(error) == NULL_REFUSED:
            message = "it can't be applied to a table that holds rows"
            self.findings.append(broken(migration, message, str(error).splitlines(), remedy=FILL))
        else:
            named = listed(map(str, tables))
            self.notes.append(
                f"{migration.file.name}: tried without rows in {named}; it refuses made-up ones ({sqlstate(error)})."
            )

    def fill(self, migration: Migration, found: Catalog, names: Collection[QualifiedName]) -> None:
        """Put rows into tables; notes once which tables refuse what can be made up."""
        refused = self.stage.fill(found, names)
        for table in sorted(refused.keys() - self._bare):
            self.notes.append(f"{migration.file.name}: no row could be made up for {table}: {refused[table]}.")
        self._bare |= refused.keys()

    def down(self, migration: Migration, before: Catalog, held: "Held") -> list[Finding]:
        """Undo a migration; returns what is not as it was before."""
        try:
            self.stage.down()
        except MigrationFailed as error:
            return [broken(migration, "it can't be undone", str(error).splitlines())]
        return list(self.compare(migration, "undone", before, held))

    def again(self, migration: Migration, after: Catalog, held: "Held") -> list[Finding]:
        """Apply a migration again; returns what is not as it was the first time."""
        try:
            self.stage.up(migration)
        except MigrationFailed as error:
            return [broken(migration, "it can't be applied again after it was undone", str(error).splitlines())]
        return list(self.compare(migration, "applied again", after, held))

    def compare(self, migration: Migration, done: str, structure: Catalog, held: "Held") -> Iterator[Finding]:
        """Yield how structure and rows differ from what they were."""
        if found := diff(structure, self.stage.structure()):
            yield broken(migration, f"when it is {done}, the structure is not as it was", map(spelled, found))
        elif lost := list(lost_rows(held[0], held[1], self.stage.rows(held[0]))):
            yield Finding(
                check=CHECK,
                verdict=Verdict.FAILED,
                severity=Severity.LOSSY,
                object=migration.file.name,
                message=f"when it is {done}, tables don't hold what they held",
                meaning=LOSS_MEANING,
                remedy=KEEP,
                details=tuple(lost[:MOST_LISTED]),
            )


Held = tuple[list[Kept], Rows]
"""What was looked at, and what it held."""


def kept(found: Catalog, other: Catalog, losses: Collection[str]) -> Iterator[Kept]:
    """Yield what of each table has to be there again; of what the other structure lacks, the number of rows alone.

    Rows are looked for where they are, in partitions and children.
    """
    for name in sorted(found.tables):
        table = found.tables[name]
        if table.kind == "table" and str(name) not in losses:
            same = shared(table, other.tables.get(name), losses)
            yield Kept(table=name, same=tuple(same), converted=())


def shared(table: Table, other: Table | None, losses: Collection[str]) -> Iterator[str]:
    """Yield the columns that both tables have alike, but for those that are declared to be lost."""
    for name, column in table.columns.items():
        twin = other.columns.get(name) if other else None
        is_alike = twin and twin.type == column.type and not (column.generated or twin.generated)
        if is_alike and str(ColumnName(*table.name, name)) not in losses:
            yield name


def refusing(error: MigrationFailed, found: Catalog, emptied: AbstractSet[QualifiedName]) -> AbstractSet[QualifiedName]:
    """Return the tables whose rows may have stopped a migration: the one that the server names, else all; or none."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error) or not sqlstate(error).startswith(BY_VALUES):
        return frozenset()
    left = found.tables.keys() - emptied
    name = QualifiedName(cause.diag.schema_name or "", cause.diag.table_name or "")
    is_known = name in left and not found.tables[name].partition_bound
    return {name} if is_known and len(emptied) < MOST_EMPTIED else left


def sqlstate(error: MigrationFailed) -> str:
    """Return by which SQLSTATE a migration failed; empty where the server is not the one who said so."""
    return (error.__cause__.sqlstate or "") if isinstance(error.__cause__, psycopg.Error) else ""


def unapplied(migration: Migration, error: MigrationFailed, *, left: int) -> Iterator[Finding]:
    """Yield that a migration can't be applied, or not here, and that those behind it are not known."""
    said = str(error).splitlines()
    if sqlstate(error) == UNSUPPORTED and "extension" in said[0]:
        yield left_open(CHECK, migration.file.name, "scratch servers have no extensions", remedy=ELSEWHERE)
    else:
        yield broken(migration, "it can't be applied", said, remedy="correct the file")
    if left:
        files = "the file" if left == 1 else f"{left} files"
        yield left_open(CHECK, migration.file.name, f"{files} behind it could not be tried")


def broken(migration: Migration, message: str, details: Iterable[str] = (), *, remedy: str = UNDO) -> Finding:
    """Return what is wrong with a migration."""
    return Finding(
        check=CHECK,
        verdict=Verdict.FAILED,
        severity=Severity.BREAKING,
        object=migration.file.name,
        message=message,
        meaning=ONE_WAY_MEANING if remedy in {UNDO, ONE_WAY} else "A deployment stops here.",
        remedy=remedy,
        details=tuple(details)[:MOST_LISTED],
    )


def spelled(found: Difference) -> str:
    """Return a difference in a line."""
    sides = "" if found.change in {"missing", "extra"} else f": {found.source or 'none'} -> {found.target or 'none'}"
    words = {"missing": "is gone", "extra": "is left over"}
    return f"{found.kind} {found.object} {words.get(found.change, found.change)}{sides}"


def listed(names: Iterable[str]) -> str:
    """Return names in a row, the first few of many."""
    found = sorted(names)
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return ", ".join(found[:5]) + more
