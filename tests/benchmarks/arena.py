"""Where contenders meet: a server of their own with the table, and an observer that puts it back to where it was."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from clients import GIVEN, SCHEMA, Client
from psycopg.types.json import Jsonb

from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect
from trueup.servers import EmbeddedServer
from trueup.settings import Settings

COLUMNS = ", ".join(GIVEN)


@contextmanager
def arena(version: int, *, tcp: bool = False) -> Iterator[tuple[ConnInfo, Connection]]:
    """Hold a server of that version; give the way to its database and an observer there."""
    with EmbeddedServer(version, cache_folder=Settings.load().cache_folder, tcp=tcp) as server:
        conninfo = server.create_database("race")
        observer = connect(conninfo, application_name="observer")
        observer.execute(SCHEMA)
        yield conninfo, observer
        observer.close()


def keep(observer: Connection, rows: Sequence[Client], name: str, *, in_order: bool = True) -> None:
    """Store rows in a table of that name, in the order of their keys unless told otherwise, to `restore` them from."""
    observer.execute(f"drop table if exists {name}; create table {name} as select {COLUMNS} from clients where false")
    with observer.cursor().copy(f"copy {name} ({COLUMNS}) from stdin") as copy:
        for row in sorted(rows, key=lambda row: (row.company_id, row.phone)) if in_order else rows:
            copy.write_row([Jsonb(value) if column == "prefs" else value for column, value in named(row)])
    observer.execute(f"vacuum analyze {name}")


def restore(observer: Connection, name: str) -> None:
    """Make kept rows the whole content of the table, and let the planner know."""
    observer.execute("truncate clients")
    observer.execute(f"insert into clients ({COLUMNS}) select {COLUMNS} from {name}")
    observer.execute("vacuum analyze clients")


def fill(observer: Connection, rows: Sequence[Client]) -> None:
    """Make rows the whole content of the table."""
    keep(observer, rows, "kept")
    restore(observer, "kept")


def named(row: Client) -> list[tuple[str, object]]:
    """Return the columns that a writer sets, with their values."""
    return [(name, getattr(row, name)) for name in GIVEN]


def content(observer: Connection) -> str:
    """Return a text that is equal for equal contents of the columns that a writer sets."""
    query = f"select count(*) || md5(string_agg(row({COLUMNS})::text, ' ' order by company_id, phone)) from clients"
    ((text,),) = observer.execute(query).fetchall()
    return str(text)
