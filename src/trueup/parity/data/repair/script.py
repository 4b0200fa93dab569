"""The text of a file that repairs rows, or undoes that. Does no I/O."""

from collections.abc import Iterator, Sequence

from psycopg import sql

from trueup.db.snapshots import PINNED
from trueup.parity.data.beyond.foreign_keys import ForeignKey
from trueup.parity.data.repair.model import Change, Repair
from trueup.parity.data.repair.order import steps
from trueup.parity.data.repair.statements import NOTED, Tables, statement

NOT_PINNED = frozenset({"enable_sort", "jit", "lock_timeout", "quote_all_identifiers", "search_path"})
"""What plans alone need, and what triggers may rely on."""
LOCK_TIMEOUT = "5s"
NOTING = sql.SQL('create temporary table {} ("table" text, change text, key text[]) on commit drop;').format(NOTED)
LISTED = sql.SQL('select "table" as "left alone in", change, key from {} order by 1, 2, 3;').format(NOTED)


def there(repair: Repair, foreign_keys: Sequence[ForeignKey], tables: Tables, *, sides: str, back: str) -> str:
    """Return the file that makes the target like the source."""
    said = (
        f"Makes rows of the target like those of the source: {sides}",
        *_warning(),
        f"The way back is {back}",
        repair.summary,
        *(f"NOT REPAIRED {each.object}: {each.reason}" for each in repair.refused),
        *(f"FIRES trigger {each}" for each in repair.triggers),
    )
    return _file(said, repair.there, foreign_keys, tables)


def back(repair: Repair, foreign_keys: Sequence[ForeignKey], tables: Tables, *, sides: str, there: str) -> str:
    """Return the file that undoes the other one."""
    said = (f"Undoes {there}, in the target: {sides}", *_warning())
    return _file(said, repair.back, foreign_keys, tables)


def _warning() -> Iterator[str]:
    yield "IT HOLDS VALUES OF ROWS: who may not read the databases may not read this file."
    yield "Nothing has run it. One transaction: all of it, or nothing. Run it with: psql -X -v ON_ERROR_STOP=1 -f FILE"
    yield "A row that is no longer what it was is left alone, and listed at the end."


def _file(said: Sequence[str], changes: Sequence[Change], foreign_keys: Sequence[ForeignKey], tables: Tables) -> str:
    pinned = [(name, text) for name, text in PINNED if name not in NOT_PINNED]
    settings = [
        sql.SQL("set local {} = {};").format(sql.Identifier(name), sql.Literal(text)).as_string()
        for name, text in (*pinned, ("lock_timeout", LOCK_TIMEOUT))
    ]
    return "\n".join(
        [
            *(comment(text) for text in said),
            "",
            "begin;",
            *settings,
            "set constraints all deferred;",
            NOTING.as_string(),
            *(
                "\n" + _titled(groups, statement(groups, foreign_keys, tables))
                for groups in steps(changes, foreign_keys)
            ),
            "",
            LISTED.as_string(),
            "commit;",
            "",
        ]
    )


def _titled(groups: Sequence[Sequence[Change]], text: str) -> str:
    titles = (f"{group[0].kind} {len(group):,} in {group[0].written.name}" for group in groups)
    return f"{comment(', '.join(titles))}\n{text}"


def comment(text: str) -> str:
    """Return a text as comments, whatever lines a hostile name breaks it into."""
    return "\n".join(f"-- {line}" for line in text.splitlines())
