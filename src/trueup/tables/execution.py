"""Sends statements and reads their rows: prepared where that pays, binary results, no cursor in between.

A psycopg cursor costs more than the rest of a short query. This uses what lies beneath it: `Connection.wait` and
`pgconn`, `Transformer`, and the generator that they are made for (`psycopg.generators.execute`).
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import msgspec
import psycopg
from psycopg import generators, pq
from psycopg.abc import Buffer, PQGen
from psycopg.adapt import AdaptersMap, Loader, Transformer
from psycopg.errors import error_from_result
from psycopg.pq.abc import PGconn, PGresult

from trueup.db.connection import Connection
from trueup.errors import InvalidData, UsageError
from trueup.tables.arrays import Context
from trueup.tables.contract import Table
from trueup.tables.statements import Flag, Statement

T = TypeVar("T")

KEPT_STATEMENTS = 256
"""How many statements one connection keeps prepared, or counts the uses of."""
GOOD = frozenset({pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK})
STALE = frozenset({"26000", "0A000"})
"""A prepared statement that the server dropped, or whose tables have changed since."""
OLD_SINCE = 180000
"""The version that lets RETURNING see the old row."""
IDLE = pq.TransactionStatus.IDLE
BINARY = pq.Format.BINARY


class JsonLoader(Loader):
    """Reads json with msgspec: numbers of any size exactly as far as int and float go."""

    format = pq.Format.BINARY

    def load(self, data: Buffer) -> Any:
        """Return the value."""
        return msgspec.json.decode(data)


class JsonbLoader(Loader):
    """Reads jsonb, whose binary form is a version byte and the text."""

    format = pq.Format.BINARY

    def load(self, data: Buffer) -> Any:
        """Return the value."""
        return msgspec.json.decode(memoryview(data)[1:])


def adapters() -> AdaptersMap:
    """Return the types as psycopg reads them, json with msgspec."""
    adapters = AdaptersMap(psycopg.adapters)
    adapters.register_loader("json", JsonLoader)
    adapters.register_loader("jsonb", JsonbLoader)
    return adapters


CONTEXT = Context(adapters())


@dataclass(slots=True, eq=False)
class Prepared:
    """Is a statement that the server has prepared. Its columns never change, so neither does what reads them."""

    name: bytes
    transformer: Any
    is_read: bool = False
    """Whether the transformer knows the columns."""


@dataclass(slots=True, eq=False)
class Memory:
    """Is what is known of one connection: what it has prepared, and what reads the rows of other statements."""

    transformer: Any
    """A psycopg Transformer, which mypy knows as a variable."""
    statements: OrderedDict[bytes, int | Prepared] = field(default_factory=OrderedDict)
    """By text: how often it ran, then what it is prepared as."""
    flags: dict[str, Flag | None] = field(default_factory=dict)
    """By table: how the server tells an insert from an update in it."""
    named: int = 0


MEMORIES: WeakKeyDictionary[Any, Memory] = WeakKeyDictionary()


def memory_of(connection: Connection) -> Memory:
    """Return what is known of a connection.

    Raises:
        UsageError: it doesn't speak UTF-8.
    """
    try:
        return MEMORIES[connection]
    except KeyError:
        encoding = connection.info.encoding
        if encoding != "utf-8":
            raise UsageError(
                f"the connection's client_encoding is {encoding}, not UTF8: set client_encoding=utf8"
            ) from None
        memory = MEMORIES[connection] = Memory(Transformer(CONTEXT))
        return memory


def fetch(
    connection: Connection,
    statement: Statement,
    parameters: Sequence[Buffer | None],
    make: Callable[[tuple[Any, ...]], T],
) -> list[T]:
    """Return the rows of a statement, each made by `make` from its values.

    Raises:
        psycopg.Error: the server refused it.
        InvalidData: a value exists in PostgreSQL but not in Python: a date at infinity or beyond the year 9999.
    """
    memory = memory_of(connection)
    result = run(connection, memory, statement, parameters)
    transformer = reader_of(memory, statement, result)
    try:
        rows: list[T] = transformer.load_rows(0, result.ntuples, make)
    except (psycopg.DataError, msgspec.MsgspecError) as error:
        raise InvalidData(
            "a row holds what Python can't: a date or time at infinity or outside the years 1 to 9999, or a number in"
            " jsonb beyond float; exclude such rows by a condition"
        ) from error
    finally:
        transformer.set_pgresult(None, set_loaders=False)
    return rows


def reader_of(memory: Memory, statement: Statement, result: PGresult) -> Any:
    """Return the transformer that reads a result of a statement."""
    known = memory.statements.get(statement.text)
    if type(known) is not Prepared:
        memory.transformer.set_pgresult(result)
        return memory.transformer
    known.transformer.set_pgresult(result, set_loaders=not known.is_read)
    known.is_read = True
    return known.transformer


def execute(connection: Connection, statement: Statement, parameters: Sequence[Buffer | None]) -> int:
    """Run a statement and return how many rows it touched."""
    return run(connection, memory_of(connection), statement, parameters).command_tuples or 0


def run(connection: Connection, memory: Memory, statement: Statement, parameters: Sequence[Buffer | None]) -> PGresult:
    """Run a statement once; again if its plan was stale and no transaction had begun."""
    with connection.lock:
        try:
            return send(connection, memory, statement, parameters)
        except psycopg.Error as error:
            if (
                error.sqlstate not in STALE
                or not isinstance(memory.statements.pop(statement.text, None), Prepared)
                or connection.pgconn.transaction_status != IDLE
            ):
                raise
        return send(connection, memory, statement, parameters)


def send(connection: Connection, memory: Memory, statement: Statement, parameters: Sequence[Buffer | None]) -> PGresult:
    """Send a statement, prepared if it has run often enough on this connection, and return its result."""
    pgconn = connection.pgconn
    if pgconn.pipeline_status:
        raise UsageError("the connection is in pipeline mode: leave it before a repository uses the connection")
    name = name_of(connection, memory, statement.text) if statement.is_lasting else None
    formats = [BINARY] * len(parameters) if statement.is_binary else None
    if name:
        pgconn.send_query_prepared(name, parameters, formats, BINARY)
    else:
        pgconn.send_query_params(statement.text, parameters, None, formats, BINARY)
    return connection.wait(answer(pgconn))


def answer(pgconn: PGconn) -> PQGen[PGresult]:
    """Wait for the answer to what was sent; a psycopg.Error is raised here, where `wait` can see it."""
    results = yield from generators.execute(pgconn)
    result: PGresult = results[-1]
    if result.status not in GOOD:
        raise error_from_result(result, encoding="utf-8")
    return result


def name_of(connection: Connection, memory: Memory, text: bytes) -> bytes | None:
    """Return the name that a statement is prepared under; prepare it when it has run `prepare_threshold` times."""
    known = memory.statements.get(text, 0)
    if isinstance(known, Prepared):
        memory.statements.move_to_end(text)
        return known.name
    if connection.prepare_threshold is None:
        return None
    if known < connection.prepare_threshold:
        remember(connection, memory, text, known + 1)
        return None
    memory.named += 1
    name = b"trueup_%d" % memory.named
    connection.pgconn.send_prepare(name, text)
    connection.wait(answer(connection.pgconn))
    remember(connection, memory, text, Prepared(name, Transformer(CONTEXT)))
    return name


def remember(connection: Connection, memory: Memory, text: bytes, known: int | Prepared) -> None:
    """Note how often a statement ran, or what it is prepared as; let go of the one that was not used for longest."""
    memory.statements[text] = known
    if len(memory.statements) > KEPT_STATEMENTS:
        _, oldest = memory.statements.popitem(last=False)
        if isinstance(oldest, Prepared):
            connection.pgconn.send_query(b"deallocate " + oldest.name)
            connection.wait(answer(connection.pgconn))


PARTITIONED = Statement(b"select relkind = 'p' from pg_class where oid = $1::text::regclass", is_lasting=False)


def flag_for(connection: Connection, table: Table[Any]) -> Flag | None:
    """Return how this server tells an insert from an update in the table, None if it can't; asks once a connection."""
    known = memory_of(connection).flags
    if table.name not in known:
        known[table.name] = find_flag(connection, table)
    return known[table.name]


def find_flag(connection: Connection, table: Table[Any]) -> Flag | None:
    """Ask the server how it tells an insert from an update in the table."""
    if connection.info.server_version >= OLD_SINCE:
        return "old"
    name = table.identifier.as_bytes(None)
    return None if fetch(connection, PARTITIONED, [name], bool_of)[0] else "xmax"


def bool_of(values: tuple[Any, ...]) -> bool:
    """Return the only value of a row."""
    return bool(values[0])
