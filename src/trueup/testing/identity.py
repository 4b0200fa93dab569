"""The mark of what tests own, read on the very connection that is about to be used.

A database is the tests' own when its owner is the role `trueup_tests` and its comment names the server and the database
that it was written for, so that a copy of the comment is worth nothing elsewhere. A server that was started for tests
says so once, in the comment of that role, and all its databases are theirs. Nothing else counts: no name, no address,
no variable, no option.

Everything is named with its schema: a `search_path` of the connection string can't put something else in its place.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection
    from psycopg.pq.abc import PGconn

    from trueup.conninfo import ConnInfo

PATIENCE_S = 5
"""How long a login to a server of this process may take."""
OWNER = "trueup_tests"
TUPLES_OK = 2
"""`psycopg.pq.ExecStatus.TUPLES_OK`: this module is imported before the driver is."""
BAD = 1
"""`psycopg.pq.ConnStatus.BAD`."""

PLACE = b"""
    select
        pg_catalog.current_database(), c.system_identifier,
        extract(epoch from pg_catalog.pg_postmaster_start_time())::pg_catalog.text
    from pg_catalog.pg_control_system() c
"""
"""The moment is a number, as text: every session and every driver tells the same."""
WHOSE = """
    select
        d.datname, d.oid, pg_catalog.pg_get_userbyid(d.datdba), c.system_identifier, of_database.description,
        of_role.description
    from pg_catalog.pg_control_system() c
    cross join pg_catalog.pg_database d
    left join pg_catalog.pg_roles r on r.rolname operator(pg_catalog.=) '{owner}'
    left join pg_catalog.pg_shdescription of_database
        on of_database.objoid operator(pg_catalog.=) d.oid and of_database.classoid operator(pg_catalog.=) 1262
    left join pg_catalog.pg_shdescription of_role
        on of_role.objoid operator(pg_catalog.=) r.oid and of_role.classoid operator(pg_catalog.=) 1260
    where d.datname operator(pg_catalog.=) {database}
"""
"""1262 is pg_database and 1260 is pg_authid, in every version: src/include/catalog/."""
THIS = "pg_catalog.current_database()"
WHOSE_IS_THIS = WHOSE.format(owner=OWNER, database=THIS)
ADVICE = (
    "tests only touch servers that trueup started and databases that carry its mark, and no option changes that; use"
    " --trueup-server embedded:18, or let tests own a database as docs/howto/safe-test-databases.md shows"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Is what a server says about one of its databases."""

    database: str
    oid: int
    owner: str
    system_identifier: int
    """The server's own number: every `initdb` makes another, and a copy of the files keeps it."""
    database_comment: str | None
    role_comment: str | None
    """Of the role `trueup_tests`; None too when there is no such role."""

    @property
    def is_on_own_server(self) -> bool:
        """Whether the whole server is the tests' own."""
        return self.role_comment == server_mark(self.system_identifier)

    def objection(self) -> str | None:
        """Return why tests don't own the database; None when they do."""
        if self.is_on_own_server:
            return None
        if self.owner != OWNER:
            return f'its owner is the role "{self.owner}" and not "{OWNER}"'
        if self.database_comment == database_mark(self.system_identifier, self.oid):
            return None
        if (self.database_comment or "").startswith(DATABASE_MARK):
            return "its comment is a mark that was made for another database or on another server"
        return "its comment is not the mark"

    def refusal(self) -> str:
        """Return the message for a database that tests don't own."""
        return f'tests don\'t own the database "{self.database}": {self.objection()}; {ADVICE}'


DATABASE_MARK = "trueup: tests own this database"


def database_mark(system_identifier: int, oid: int) -> str:
    """Return the comment of a database that tests own."""
    return f"{DATABASE_MARK} (server {system_identifier}, database {oid})"


def server_mark(system_identifier: int) -> str:
    """Return the comment of the role `trueup_tests` on a server that was started for tests."""
    return f"trueup: tests own every database of server {system_identifier}"


def check_owned(connection: "Connection[Any]", database: str | None = None) -> Identity:
    """Return whose the connection's database is, or the one of that name on its server: only if tests own it.

    Raises:
        Refused: they don't, or the server wouldn't say.
    """
    found = read_identity(connection.pgconn, database)
    if found.objection():
        raise Refused(found.refusal())
    return found


def read_identity(login: "PGconn", database: str | None = None) -> Identity:
    """Return what the server says of its database; nothing is checked.

    Raises:
        Refused: the server wouldn't say, or has no such database.
    """
    name = THIS if database is None else quoted(login, database)
    rows = ask(login, WHOSE.format(owner=OWNER, database=name).encode())
    if not rows:
        raise Refused(f'there is no database "{database}" on the server, so tests can\'t own it; {ADVICE}')
    return identity_of(rows[0])


def identity_of(row: "Sequence[Any]") -> Identity:
    """Return what a row of `WHOSE` says."""
    database, oid, owner, system_identifier, database_comment, role_comment = row
    return Identity(
        database=database,
        oid=int(oid),
        owner=owner,
        system_identifier=int(system_identifier),
        database_comment=database_comment,
        role_comment=role_comment,
    )


def read_place(login: "PGconn") -> tuple[str | None, ...]:
    """Return database, server and the moment when the server started: nothing else answers like that.

    Takes a tenth of the time of `read_identity`, for it reads no table.
    """
    return ask(login, PLACE)[0]


def place_of(conninfo: "ConnInfo") -> tuple[str | None, ...]:
    """Return what `read_place` does of a database that is logged in to for that; nothing where it can't be."""
    from psycopg import Error, connect  # noqa: PLC0415  The driver is loaded by whoever has a connection.

    with suppress(Error), connect(conninfo.reveal(), connect_timeout=PATIENCE_S) as connection:
        return read_place(connection.pgconn)
    return ()


def ask(login: "PGconn", question: bytes) -> list[tuple[str | None, ...]]:
    """Return the rows of a query, as text; it changes nothing about the connection, a pending transaction included.

    Raises:
        Refused: it failed: who can't say whose a database is gets no answer that could be taken for a yes.
        psycopg.OperationalError: the connection is lost, so there is nothing to let pass.
    """
    result = login.exec_(question)
    if result.status != TUPLES_OK and login.status == BAD:
        from psycopg import OperationalError  # noqa: PLC0415  As above.

        raise OperationalError(login.get_error_message())
    if result.status != TUPLES_OK:
        raise Refused(f"the server does not say whose its database is: {login.get_error_message()}; {ADVICE}")
    return [
        tuple(decoded(result.get_value(row, column)) for column in range(result.nfields))
        for row in range(result.ntuples)
    ]


def decoded(value: bytes | None) -> str | None:
    """Return a value as text, whatever the encoding of the database."""
    return None if value is None else value.decode("utf-8", "surrogateescape")


def quoted(login: "PGconn", text: str) -> str:
    """Return a literal of SQL."""
    from psycopg import pq  # noqa: PLC0415  The driver is loaded by whoever has a connection.

    return pq.Escaping(login).escape_literal(text.encode()).decode()


def mark_server(connection: "Connection[Any]") -> None:
    """Let tests own every database of a server: for servers that were started for them, by who started them."""
    from psycopg import sql  # noqa: PLC0415  As above.

    if not connection.execute("select 1 from pg_catalog.pg_roles where rolname = %s", (OWNER,)).fetchone():
        connection.execute(sql.SQL("create role {}").format(sql.Identifier(OWNER)))
    mark = server_mark(read_identity(connection.pgconn).system_identifier)
    connection.execute(sql.SQL("comment on role {} is {}").format(sql.Identifier(OWNER), sql.Literal(mark)))


def mark_database(connection: "Connection[Any]", database: str) -> None:
    """Write the mark into a database that was just created for tests, with the role `trueup_tests` as its owner."""
    from psycopg import sql  # noqa: PLC0415  As above.

    found = read_identity(connection.pgconn, database)
    mark = database_mark(found.system_identifier, found.oid)
    connection.execute(sql.SQL("comment on database {} is {}").format(sql.Identifier(database), sql.Literal(mark)))
