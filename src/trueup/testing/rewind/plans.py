"""The statements of one structure on one session, each prepared when it is first run."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, LiteralString

from psycopg import sql
from psycopg.pq import ExecStatus

from trueup.db import Connection
from trueup.testing.rewind import statements
from trueup.testing.rewind.structure import Structure, Table

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Is what one statement gave."""

    rows: list[Row]
    count: int
    """Rows that it returned or changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """Runs statements on a session; `name` keeps them apart from those of another structure."""

    connection: Connection
    structure: Structure
    name: str
    known: set[str] = field(default_factory=set)
    dead: Counter[Table] = field(default_factory=Counter)
    """Rows deleted from each table since it was last vacuumed."""

    def call(self, name: str, *values: object) -> bytes:
        """Return the call of a statement of `statements.PREPARED`."""
        if name not in self.known:
            types, build = statements.PREPARED[name]
            self.prepare(name, types, build(self.structure))
        return statements.execute(f"{name} {self.name}", *values)

    def delete_new(self, table: Table, horizon: str) -> bytes:
        """Return the call that deletes a table's rows of transactions at or after the horizon."""
        name = f"delete {table.number}"
        if name not in self.known:
            self.prepare(name, "(xid)", statements.delete_new(table))
        return statements.execute(f"{name} {self.name}", horizon)

    def prepare(self, name: str, types: LiteralString, statement: sql.Composed) -> None:
        """Prepare a statement."""
        self.connection.execute(statements.prepare(f"{name} {self.name}", types, statement))
        self.known.add(name)

    def run(self, *calls: bytes) -> list[Answer]:
        """Run statements in one message, which is one transaction, and return what each gave."""
        return list(answers(self.connection, b";".join(calls)))


def answers(connection: Connection, message: bytes) -> Iterator[Answer]:
    """Send a message of statements and give what each of them gave."""
    with connection.cursor() as cursor:
        cursor.execute(message)
        more: bool | None = True
        while more:
            has_rows = cursor.pgresult and cursor.pgresult.status == ExecStatus.TUPLES_OK
            yield Answer(rows=cursor.fetchall() if has_rows else [], count=cursor.rowcount)
            more = cursor.nextset()
