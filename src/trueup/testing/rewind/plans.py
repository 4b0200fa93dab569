"""The statements of one structure on one session, each prepared when it is first run."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import LiteralString

from psycopg import generators, sql
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn
from psycopg.waiting import wait

from trueup.db import Connection
from trueup.testing.rewind import statements
from trueup.testing.rewind.structure import Structure, Table

Row = tuple[str, ...]
INTERRUPTIBLE_S = 0.1
DONE = frozenset({ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Is what one statement gave."""

    rows: list[Row]
    """Their values as text; NULL is empty."""
    count: int
    """Rows that it returned or changed."""


@dataclass(frozen=True, slots=True)
class Change:
    """Is what a probe says of one table, or of catalogs."""

    number: int
    rows: int
    is_new: bool
    """Whether there are rows that were not there before."""

    @classmethod
    def of(cls, answer: Answer) -> "list[Change]":
        """Return what a probe has answered."""
        return [cls(int(number), int(rows), is_new == "t") for number, rows, is_new in answer.rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """Runs statements on a session; `name` keeps them apart from those of another structure."""

    connection: Connection
    structure: Structure
    name: str
    is_counted: bool = False
    """Whether the statistics tell where something was changed."""
    known: set[str] = field(default_factory=set)
    """What is prepared, or will be when the next ones run."""
    unprepared: list[bytes] = field(default_factory=list)
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

    def glance(self, table: Table, horizon: str) -> bytes:
        """Return the call that counts the rows of one table, and says whether there are new ones."""
        name = f"table {table.number}"
        if name not in self.known:
            self.prepare(name, "(xid)", statements.table_glance(table))
        return statements.execute(f"{name} {self.name}", horizon)

    def rest(self, table: Table) -> bytes:
        """Return the call that counts what is left of one table."""
        name = f"rest {table.number}"
        if name not in self.known:
            self.prepare(name, "", statements.rest(table))
        return statements.execute(f"{name} {self.name}")

    def set_position(self, number: int, expected: tuple[int, bool]) -> bytes:
        """Return the call that puts one sequence where it is expected, and says whether it was somewhere else."""
        name = f"sequence {number}"
        if name not in self.known:
            self.prepare(name, "(int8, bool)", statements.set_position(self.structure.sequences[number]))
        return statements.execute(f"{name} {self.name}", *expected)

    def prepare(self, name: str, types: LiteralString, statement: sql.Composed) -> None:
        """Have a statement prepared before the next ones run, in one message with others."""
        text = statements.prepare(f"{name} {self.name}", types, statement)
        self.unprepared.append(text.as_bytes(self.connection))
        self.known.add(name)

    def run(self, *calls: bytes) -> list[Answer]:
        """Run statements in one message, which is one transaction, and return what each gave."""
        if self.unprepared:
            message = b";".join(self.unprepared)
            self.unprepared.clear()
            list(answers(self.connection.pgconn, message))
        return list(answers(self.connection.pgconn, b";".join(calls)))


def answers(login: PGconn, message: bytes) -> Iterator[Answer]:
    """Send a message of statements and give what each of them gave, below what a cursor does for its user."""
    login.send_query(message)
    for result in wait(generators.execute(login), login.socket, INTERRUPTIBLE_S):
        if result.status not in DONE:
            raise error_from_result(result)
        rows = [tuple(text(result.get_value(row, n)) for n in range(result.nfields)) for row in range(result.ntuples)]
        yield Answer(rows=rows, count=result.command_tuples or 0)


def text(value: bytes | None) -> str:
    """Return a value as the text that the server sends; NULL is empty."""
    return (value or b"").decode(errors="replace")
