"""The rule that every migration can be undone, and done again."""

from collections.abc import Callable, Iterator
from difflib import unified_diff
from functools import partial
from itertools import islice, takewhile

from trueup.db import Connection
from trueup.errors import MigrationFailed
from trueup.migrations import Migration, Migrations, migrate_down, migrate_up
from trueup.report.model import Finding, Severity, Verdict

MOST_LINES = 20
"""Of a difference: more don't say more about its cause."""
MEANING = "A release that goes wrong can't be taken back by its migrations."
UNDO = "let `-- migrate:down` undo exactly what `-- migrate:up` does"
NOTHING_TO_UNDO = (
    "write what undoes it below `-- migrate:down`: `select;` where there is nothing to undo; or declare above"
    " `-- migrate:up` why nothing can: -- trueup:irreversible REASON"
)


def find_irreversible_migrations(
    connection: Connection, migrations: Migrations, structure: Callable[[], str]
) -> tuple[Finding, ...]:
    """Apply every migration, undo each from the last to the first, and apply all again, in an empty database.

    `structure` tells what the database is like at the moment. Returns every migration that has nothing to undo it and
    doesn't declare so, or else the first step that did not lead back. Rows are not compared; nothing is undone below a
    migration that is declared irreversible.

    Raises:
        MigrationFailed: a migration can't even be applied the first time.
    """
    one_way = [each for each in migrations.files if each.down is None and not each.declares.irreversible]
    if one_way:
        return tuple(finding(each, "nothing undoes it", remedy=NOTHING_TO_UNDO) for each in one_way)
    return tuple(islice(walk(connection, migrations, structure), 1))


def walk(connection: Connection, migrations: Migrations, structure: Callable[[], str]) -> Iterator[Finding]:
    """Go up step by step, down step by step, and up again; give each step that did not lead back."""

    def up(migration: Migration) -> str:
        migrate_up(connection, migrations, to=migration.version)
        return structure()

    def down() -> str:
        migrate_down(connection, migrations)
        return structure()

    states = [structure(), *map(up, migrations.files)]
    newest_first = zip(migrations.files[::-1], states[-2::-1], states[:0:-1], strict=True)
    undoable = list(takewhile(lambda each: not each[0].declares.irreversible, newest_first))
    for migration, before, _ in undoable:
        yield from step(migration, "undone", down, before)
    for migration, _, after in undoable[::-1]:
        yield from step(migration, "applied again", partial(up, migration), after)


def step(migration: Migration, done: str, go: Callable[[], str], wanted: str) -> Iterator[Finding]:
    """Take one step, and give what is wrong with where it led."""
    try:
        found = go()
    except MigrationFailed as error:
        yield finding(migration, f"it can't be {done}", details=tuple(str(error).splitlines()))
        return
    if found != wanted:
        lines = unified_diff(wanted.splitlines(), found.splitlines(), "as it was", done, n=1, lineterm="")
        message = f"when it is {done}, the structure is not as it was"
        yield finding(migration, message, details=tuple(islice(lines, MOST_LINES)))


def finding(migration: Migration, message: str, *, remedy: str = UNDO, details: tuple[str, ...] = ()) -> Finding:
    """Return what is wrong with a migration."""
    return Finding(
        check="migrations",
        verdict=Verdict.FAILED,
        severity=Severity.BREAKING,
        object=migration.file.name,
        message=message,
        meaning=MEANING,
        remedy=remedy,
        details=details,
    )
