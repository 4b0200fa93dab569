"""What only the server knows: sessions of other processes, advisory locks, prepared transactions."""

from collections.abc import Collection, Iterator
from functools import partial
from itertools import chain
from typing import Any

from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect
from trueup.testing.guard.gate import Owner, gate
from trueup.testing.guard.leaks import check, connections, pools
from trueup.testing.guard.leaks.leak import Leak
from trueup.testing.identity import check_owned

END_MS = 2_000
"""How long a session may take to end when it is told to."""
SESSIONS = """
    select
        a.pid, a.application_name, coalesce(a.state, a.backend_type),
        round(extract(epoch from clock_timestamp() - a.xact_start)::numeric, 1)::float8,
        array(
            select (l.classid::int8 << 32) | l.objid::int8 from pg_catalog.pg_locks l
            where l.pid = a.pid and l.locktype = 'advisory' and l.granted order by 1
        )
    from pg_catalog.pg_stat_activity a
    where a.datname = current_database() and a.pid <> pg_backend_pid() and a.backend_type = 'client backend'
        and a.pid <> all (%s)
    order by a.pid
"""
LEFT = (pools.left_open, pools.left_taken, connections.left_open)
"""What somebody can hold a transaction open by."""
MAY_SEE_FILES = "select has_function_privilege('pg_catalog.pg_ls_tmpdir()', 'execute')"
FILES = "select sum(size)::int8 from pg_catalog.pg_ls_tmpdir() where starts_with(name, 'pgsql_tmp' || %s || '.')"
PREPARED = "select gid from pg_catalog.pg_prepared_xacts where database = current_database() order by gid"


def end_opened() -> None:
    """End the connections and pools that who is at work left open in this process; their test fails at its end.

    For the moment when a database is taken back: it can't be put back under somebody's open transaction.
    """
    owner = gate.owner
    found = check.lasting(owner, look)
    check.end(found)
    owner.leaks.extend(found)


def look(owner: Owner) -> Iterator[Leak]:
    """Yield what is held open right now."""
    return chain.from_iterable(left(owner) for left in LEFT)


def end_sessions(conninfo: ConnInfo, *, kept: Collection[int] = ()) -> list[Leak]:
    """End every session in a database that tests own, but for `kept`; whoever is at work answers for them.

    Returns what was found: for sessions with what they hold, for prepared transactions by name.

    Raises:
        Refused: tests don't own the database.
    """
    connection = connect(conninfo.with_parameters(application_name="trueup leaks"))
    try:
        check_owned(connection)
        found = [session_leak(connection, row) for row in connection.execute(SESSIONS, [list(kept)])]
        found += [prepared_leak(connection, gid) for (gid,) in connection.execute(PREPARED)]
        check.end(found)
    finally:
        connection.close()
    gate.owner.leaks.extend(found)
    return found


def session_leak(connection: Connection, row: tuple[Any, ...]) -> Leak:
    """Return a session of another process, or of this one by a way that the gate doesn't see."""
    pid, application, state, age_s, locks = row
    holding = f", holding the advisory locks {', '.join(map(str, locks))}" if locks else ""
    if size := temporary_bytes(connection, pid):
        holding += f", with {size} bytes in temporary files"
    since = f" for {age_s} s" if age_s is not None else ""
    return Leak(
        kind="session",
        what=f'the server still has a session "{application}" (process {pid}), {state}{since}{holding}',
        end=partial(run, connection, "select pg_catalog.pg_terminate_backend(%s, %s)", pid, END_MS),
    )


def temporary_bytes(connection: Connection, pid: int) -> int:
    """Return the size of a session's temporary files; 0 also for who may not see them."""
    if connection.execute(MAY_SEE_FILES).fetchone() != (True,):
        return 0
    ((size,),) = connection.execute(FILES, [str(pid)]).fetchall()
    return size or 0


def prepared_leak(connection: Connection, gid: str) -> Leak:
    """Return a transaction that was prepared and neither committed nor rolled back."""
    statement = sql.SQL("rollback prepared {}").format(sql.Literal(gid))
    return Leak(
        kind="prepared transaction",
        what=f'the prepared transaction "{gid}" was neither committed nor rolled back',
        end=partial(run, connection, statement),
    )


def run(connection: Connection, statement: Any, *values: object) -> None:
    """Run a statement."""
    connection.execute(statement, values or None)
