"""Who holds the locks that a statement waited for in vain: looked for at once, while they are still held."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from trueup.testing.guard.stacks import readable

if TYPE_CHECKING:
    from trueup.testing.guard.gate import Gate

WAITED = frozenset({"55P03", "40P01", "57014"})
"""A lock was not to be had in time, a deadlock, a statement that took too long."""
LOOK_S = 2
HOLDERS = """
    select
        a.pid, a.application_name, a.state,
        round(extract(epoch from clock_timestamp() - a.xact_start)::numeric, 1)::float8,
        string_agg(distinct coalesce(l.relation::regclass::text, l.locktype) || ' (' || l.mode || ')', ', ')
    from pg_catalog.pg_stat_activity a
    join pg_catalog.pg_locks l on l.pid = a.pid and l.granted and l.locktype <> 'virtualxid'
    where a.datname = current_database() and a.pid not in (pg_backend_pid(), %s)
        and (l.relation is null or l.relation >= 16384)
    group by 1, 2, 3, 4 order by 4 desc nulls last limit 5
"""


def blockers(gate: "Gate", connection: Any) -> tuple[str, ...]:
    """Return the sessions with locks in the connection's database, with where this process opened them."""
    import psycopg  # noqa: PLC0415  Loaded: a statement of its connection has just failed.

    login = connection.pgconn
    with suppress(psycopg.Error, UnicodeDecodeError):
        to = {option.keyword.decode(): option.val.decode() for option in login.info if option.val}
        to |= {"connect_timeout": str(LOOK_S), "application_name": "trueup waits", "options": ""}
        with psycopg.connect(**to, autocommit=True) as look:
            look.execute(f"set statement_timeout = '{LOOK_S}s'".encode())
            return tuple(told(gate, *row) for row in look.execute(HOLDERS, [login.backend_pid]))
    return ()


def told(gate: "Gate", *row: Any) -> str:
    """Return one session that holds locks."""
    pid, application, state, age_s, locks = row
    since = f" for {age_s} s" if age_s is not None else ""
    opened = [opening for owner in gate.owners for opening in owner.opened if opening.kind == "connection"]
    own = next((o for o in opened if getattr(getattr(o.thing(), "pgconn", None), "backend_pid", None) == pid), None)
    where = f", opened at\n{readable(own.stack)}" if own else ""
    return f'process {pid} "{application}", {state}{since}, with locks on {locks}{where}'
