"""The one connection that takes baselines of a database and rewinds it."""

from types import MappingProxyType

from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect
from trueup.errors import ConnectionFailed, PermissionMissing

APPLICATION_NAME = "trueup rewind"
STATISTICS_SINCE = 150_000
"""The version that keeps statistics in shared memory, where they are written before a session is gone."""

SETTINGS = MappingProxyType(
    {
        # From birth: to set it later would throw away every plan of the session, which costs more than a rewind.
        "session_replication_role": "replica",
        "plan_cache_mode": "force_generic_plan",
        "jit": "off",
        "max_parallel_workers_per_gather": "0",
        "search_path": "pg_catalog",
        "row_security": "off",
        "synchronous_commit": "off",
        "default_transaction_isolation": "read\\ committed",
        "default_transaction_read_only": "off",
        "default_transaction_deferrable": "off",
        "statement_timeout": "60s",
        "lock_timeout": "2s",
        "idle_session_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
        "client_min_messages": "error",
        "client_encoding": "UTF8",
        "timezone": "UTC",
        "datestyle": "ISO",
        "intervalstyle": "postgres",
        "extra_float_digits": "1",
        "bytea_output": "hex",
        "array_nulls": "on",
        "xmloption": "content",
        "xmlbinary": "base64",
    }
)
"""In the login they go before what ALTER DATABASE and ALTER ROLE say. As `replica` the session fires neither foreign
keys nor the user's triggers and rules, so rows may come and go in any order and nothing else follows."""


def open_session(conninfo: ConnInfo) -> Connection:
    """Connect as the one who may put everything back.

    Raises:
        PermissionMissing: the role is no superuser.
        ConnectionFailed: the database can't be reached.
    """
    pinned = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
    options = f"{conninfo.parameters.get('options', '')} {pinned}".strip()
    try:
        session = connect(conninfo.with_parameters(options=options, application_name=APPLICATION_NAME))
    except ConnectionFailed as error:
        if "session_replication_role" in str(error):
            raise not_allowed(conninfo) from None
        raise
    session.prepare_threshold = None
    row = session.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    if row != (True,):
        session.close()
        raise not_allowed(conninfo)
    if session.info.server_version >= 170000:
        session.execute("set transaction_timeout = 0")
    return session


def stop_counting(session: Connection) -> bool:
    """Let this session count nothing into the statistics; say whether those can be relied on for the others."""
    if session.info.server_version < STATISTICS_SINCE:
        return False
    usual = session.execute("select reset_val from pg_settings where name = 'track_counts'").fetchone()
    session.execute("set track_counts = off")
    return usual == ("on",)


def not_allowed(conninfo: ConnInfo) -> PermissionMissing:
    """Return the error for a role that can't rewind."""
    return PermissionMissing(
        f"the role can't rewind {conninfo}: it takes a superuser to put rows back without firing triggers, and to see"
        " every catalog; use one, or take a new clone for every test"
    )
