"""One block of a migration, run so that it is recorded exactly when it was done."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import errors, generators
from psycopg.pq import ExecStatus, TransactionStatus

from trueup.db.connection import Connection
from trueup.errors import Disconnected, MigrationFailed, Outcome
from trueup.migrations.failure import describe_error, describe_failure
from trueup.migrations.files import Block

FRESH_SESSION: tuple[LiteralString, ...] = (
    "reset session authorization",
    "reset role",
    "reset all",
    "set client_encoding = 'UTF8'",
)
"""What a file sets with SET must not reach the next one: how files are grouped into runs would change what they do.

`reset role` is for servers on which resetting the session authorization leaves the role as it is.
"""

AFTER_LOSS = {
    Outcome.ROLLED_BACK: "nothing of this file was kept: run it again",
    Outcome.UNKNOWN: "whether it was committed is not known: see the status before you run it again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Is a block to run and what to note once it has."""

    connection: Connection
    file: Path
    block: Block
    record: Callable[[], None]


def run(task: Task) -> None:
    """Run a block and record it: in one transaction, or statement by statement where the block wants none.

    Raises:
        MigrationFailed: with file, line, statement, SQLSTATE, what was kept, and what to do.
        Disconnected: with what was kept, as far as it can be known.
    """
    if task.block.in_transaction:
        run_in_transaction(task)
    else:
        run_singly(task)


def run_in_transaction(task: Task) -> None:
    """Send the whole block at once, as its file has it, and record it in the same transaction."""
    outcome = Outcome.ROLLED_BACK
    try:
        with task.connection.transaction():
            send(task, task.block.sql, offset=0, first=0, kept="Nothing of this file was kept")
            record(task)
            outcome = Outcome.UNKNOWN
    except psycopg.Error as error:
        if task.connection.closed:
            raise lost(task, error, outcome, AFTER_LOSS[outcome]) from None
        raise MigrationFailed(
            f"{task.file}: its SQL ran, but could not be committed and recorded: {describe_error(error)}."
            " Nothing of this file was kept"
        ) from error


def run_singly(task: Task) -> None:
    """Send the statements one by one, each its own transaction unless the file opens one, and then record them."""
    statements = task.block.statements
    done = 0
    try:
        for index, statement in enumerate(statements):
            kept = f"{done} of its {len(statements)} statements were done and stay; it is not recorded as applied"
            send(task, statement.text, offset=statement.offset, first=index, kept=kept)
            if is_idle(task.connection):
                done = index + 1
        if not is_idle(task.connection):
            raise MigrationFailed(
                f"{task.file}:{task.block.line}: the block leaves a transaction open: end it with commit. {done} of"
                f" its {len(statements)} statements were done and stay; it is not recorded as applied"
            )
        record(task)
    except psycopg.Error as error:
        if task.connection.closed:
            kept = f"{done} of its {len(statements)} statements were done and stay, the next one may have been"
            raise lost(task, error, Outcome.UNKNOWN, f"{kept}: look before you run it again") from None
        raise MigrationFailed(
            f"{task.file}: its SQL ran and stays, but could not be recorded: {describe_error(error)}"
        ) from error
    finally:
        if not task.connection.closed and not is_idle(task.connection):
            task.connection.rollback()


def send(task: Task, text: str, *, offset: int, first: int, kept: str) -> None:
    """Send SQL that begins at `offset` of the block, with its statement number `first`."""
    if not text.strip():
        return
    task.connection.pgconn.send_query(text.encode())
    results = task.connection.wait(generators.execute(task.connection.pgconn))
    failed = next((result for result in results if result.status == ExecStatus.FATAL_ERROR), None)
    if failed is None:
        return
    error = errors.error_from_result(failed)
    if task.connection.closed:
        raise error
    raise MigrationFailed(
        describe_failure(task.file, task.block, error, offset=offset, number=first + results.index(failed), kept=kept)
    ) from error


def record(task: Task) -> None:
    """Make the session as it was, and note that the block has run."""
    for command in FRESH_SESSION:
        task.connection.execute(command)
    task.record()


def is_idle(connection: Connection) -> bool:
    """Whether no transaction is open."""
    return bool(connection.info.transaction_status == TransactionStatus.IDLE)


def lost(task: Task, error: psycopg.Error, outcome: Outcome, advice: str) -> Disconnected:
    """Return the error for a connection that went away while the block ran."""
    reason = re.split(r"[\r\n]", str(error), maxsplit=1)[0]
    message = f"the connection was lost while {task.file} ran ({reason}); {advice}"
    return Disconnected(message, sqlstate=error.sqlstate, outcome=outcome)
