"""What a driver's exception is called, by its SQLSTATE alone: texts are translated and hold values of rows.

Source: PostgreSQL manual, "PostgreSQL Error Codes".
"""

import re
from typing import Any

import psycopg

from trueup import errors
from trueup.errors import DatabaseError, Outcome

BY_STATE: dict[str, type[DatabaseError]] = {
    "08001": errors.ConnectionFailed,
    "08004": errors.ConnectionFailed,
    "21000": errors.InvalidData,
    "23502": errors.NullNotAllowed,
    "23503": errors.ForeignKeyMissing,
    "23505": errors.Duplicate,
    "23514": errors.CheckFailed,
    "23P01": errors.ExclusionConflict,
    "25P02": errors.TransactionAborted,
    "25P03": errors.Disconnected,
    "25P04": errors.Disconnected,
    "3D000": errors.ConnectionFailed,
    "3F000": errors.SchemaMismatch,
    "40001": errors.Conflict,
    "40P01": errors.Conflict,
    "42501": errors.PermissionMissing,
    "53300": errors.TooManyConnections,
    "55P03": errors.LockTimeout,
    "57014": errors.Cancelled,
    "57P01": errors.Disconnected,
    "57P02": errors.Disconnected,
    "57P03": errors.ConnectionFailed,
    "57P04": errors.Disconnected,
    "57P05": errors.Disconnected,
}
BY_CLASS: dict[str, type[DatabaseError]] = {
    "08": errors.Disconnected,
    "22": errors.InvalidData,
    "28": errors.ConnectionFailed,
    "42": errors.SchemaMismatch,
}

SPEAKING = frozenset({"25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57"})
"""Classes whose primary message names objects and reasons, never a value."""
SILENT = frozenset({"42601"})
"""A syntax error quotes the SQL, which may hold a value where somebody pasted one in."""

RAISED = "exec_stmt_raise"
"""The function of the server that RAISE goes through (src/pl/plpgsql/src/pl_exec.c): its words are a program's own."""
KEYED = frozenset({"23503", "23505", "23P01"})
"""The states whose detail begins with the columns of a key; that of another quotes a whole row."""

ADVICE: dict[type[DatabaseError], str] = {
    errors.Duplicate: "a row with this key exists already: upsert it, or choose another key",
    errors.ForeignKeyMissing: "the row it points to does not exist, or the row is still pointed to",
    errors.NullNotAllowed: "give the column a value",
    errors.CheckFailed: "the row breaks the constraint",
    errors.ExclusionConflict: "the row overlaps with an existing one",
    errors.InvalidData: "a value does not fit the type of its column or cast",
    errors.Conflict: "run the whole transaction again",
    errors.LockTimeout: "another transaction holds the lock: try later, or look for it in pg_locks",
    errors.StatementTimeout: "allow more time, or make the statement cheaper",
    errors.PermissionMissing: "grant it to the role",
    errors.SchemaMismatch: "compare the contract with the database: trueup contracts",
    errors.TransactionAborted: "an earlier statement failed: nothing of this transaction is stored",
}
ADVICE_BY_STATE = {
    "22012": "the statement divides by zero: nullif(…, 0) makes that NULL",
    "42601": "the statement is no SQL",
}
REASONS = {
    "25P03": "the transaction was idle longer than idle_in_transaction_session_timeout",
    "25P04": "the transaction took longer than transaction_timeout",
}
UNSENT = re.compile("server login has been failing|query_wait_timeout")
"""What a pooler says, in the state of a broken protocol (08P01), when it had no server to give a statement to."""


def named(
    error: psycopg.Error, *, lost: Outcome = Outcome.UNKNOWN, timed_out: bool = False
) -> DatabaseError | psycopg.Error:
    """Return the error of `trueup.errors` for a driver's exception; the exception itself when it blames its caller.

    `lost` is what became of the work if the connection is gone; `timed_out` tells a statement timeout from a
    cancellation, which share one SQLSTATE.
    """
    state = error.sqlstate
    kind = kind_of(error, state, timed_out=timed_out)
    if kind is None:
        return error
    diag = error.diag
    table = ".".join(filter(None, (diag.schema_name, diag.table_name))) or None
    keyed = key_columns(diag.message_detail) if state in KEYED and diag.source_function != RAISED else ()
    columns = (diag.column_name,) if diag.column_name else keyed
    facts: dict[str, Any] = {"sqlstate": state, "table": table, "constraint": diag.constraint_name, "columns": columns}
    outcome = lost if issubclass(kind, errors.Disconnected) else None
    outcome = Outcome.NOT_SENT if is_unsent(error) else outcome
    return kind(describe(kind, error, **facts), **facts, outcome=outcome)


def is_unsent(error: psycopg.Error) -> bool:
    """Return whether a pooler says that no server was asked."""
    return error.sqlstate == "08P01" and bool(UNSENT.search(error.diag.message_primary or str(error)))


def kind_of(error: psycopg.Error, state: str | None, *, timed_out: bool) -> type[DatabaseError] | None:
    """Return the class for an exception; None: the driver complains about its caller."""
    if state == "57014" and timed_out:
        return errors.StatementTimeout
    if state:
        return BY_STATE.get(state) or BY_CLASS.get(state[:2]) or DatabaseError
    if isinstance(error, psycopg.DataError):
        return errors.InvalidData
    return errors.Disconnected if isinstance(error, psycopg.OperationalError) else None


def key_columns(detail: str | None) -> tuple[str, ...]:
    """Return the columns of `Key (a, b)=(…)`; what follows them holds the row's values and is left alone."""
    found = re.match(r"[^(]*\((.+?)\)=\(", detail or "")
    return tuple(found[1].split(", ")) if found else ()


def describe(
    kind: type[DatabaseError],
    error: psycopg.Error,
    *,
    sqlstate: str | None,
    table: str | None,
    constraint: str | None,
    columns: tuple[str, ...],
) -> str:
    """Return the message: which object, the server's reason where it can't hold a value, and what to do."""
    objects = [f"table {table}"] if table else []
    objects += [f"constraint {constraint}"] if constraint else []
    objects += [f"column{'s' if len(columns) > 1 else ''} {', '.join(columns)}"] if columns else []
    reason = REASONS.get(sqlstate or "") or spoken(error)
    said = "; ".join(filter(None, (reason, ADVICE_BY_STATE.get(sqlstate or "") or ADVICE.get(kind))))
    where = f" on {', '.join(objects)}" if objects else ""
    return f"{kind.__name__}{where} ({sqlstate or 'no SQLSTATE'})" + (f": {said}" if said else "")


def spoken(error: psycopg.Error) -> str | None:
    """Return the server's own words, if errors of this kind never hold a value of a row or a password."""
    state = error.sqlstate
    if state is None:
        return "the server closed the connection" if isinstance(error, psycopg.OperationalError) else None
    if error.diag.source_function == RAISED:
        return None
    if state in SILENT or state[:2] not in SPEAKING:
        position = error.diag.statement_position
        return f"at character {position} of the statement" if state in SILENT and position else None
    return error.diag.message_primary
