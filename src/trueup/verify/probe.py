"""Whether the database can be written to: a marked row is inserted, updated, upserted and deleted, and rolled back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from secrets import randbelow, token_hex
from typing import Any

from psycopg import sql

from trueup.db import Database
from trueup.db.block import Block
from trueup.errors import DatabaseError, Refused, Unverifiable
from trueup.parity.data import Side
from trueup.report.model import Finding, Section, failure, left_open
from trueup.settings import DatabaseSettings
from trueup.tables import Begins, Ends, Repository, Table
from trueup.tables.declared import declared_tables
from trueup.verify.check import Announce, needs_contracts
from trueup.verify.constraints import read_unique_keys
from trueup.verify.subject import Subject

NUMBERS = 2**31 - 1
LOCK_S = 5.0


class RolledBack(Exception):
    """Ends the transaction of a probe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Is what is written to one table."""

    table: Table[Any]
    row: Mapping[str, Any]
    identity: Mapping[str, Any]
    """The marked column, which tells the row from all others."""


def look_at_probe(subject: Subject, announce: Announce) -> Section:
    """Write a marked row to each table whose contract has a marker of its own, and roll it back."""
    if not subject.may_probe:
        raise Refused("nothing is written without --probe")
    tables = [table for table in declared_tables(subject.settings.contracts) if has_own_marker(table)]
    findings: list[Finding] = []
    written = 0
    limits = DatabaseSettings(
        conninfo=subject.conninfo, service="verify", max_connections=1, statement_timeout_s=subject.deadline_s
    )
    with Database(limits) as db:
        for table in tables:
            announce(f"writing a row to {table.name}, and rolling it back")
            found = tuple(probe_table(db, subject.target, table))
            findings += found
            written += not found
    return Section(
        check="probe",
        title="Write probe",
        compared={"tables": written, "statements": 4 * written},
        findings=tuple(findings),
    )


def lacks_probe(subject: Subject) -> str:
    """Say why nothing may be written, or nothing can be; empty where a row can be."""
    if not subject.may_probe:
        return "nothing is written without --probe"
    if reason := needs_contracts(subject):
        return reason
    has_any = any(map(has_own_marker, declared_tables(subject.settings.contracts)))
    return "" if has_any else "no table contract has a marker of its own"


def has_own_marker(table: Table[Any]) -> bool:
    """Return whether a row of the table is marked by a text of its own, which no other row has."""
    return isinstance(table.marker, Begins | Ends)


def probe_table(db: Database, target: Side, table: Table[Any]) -> Iterator[Finding]:
    """Yield what went wrong when a row was written to a table."""
    try:
        probe = probe_of(db, target, table)
        if probe is None:
            yield left_open("probe", table.name, "it has no row that the probe could be like")
            return
        step = write(db, probe)
        if step:
            yield failed(table, f"{step} did not do what it says", "A trigger or a rule stands between.")
    except Unverifiable as error:
        yield left_open("probe", table.name, str(error))
    except DatabaseError as error:
        message = f"the write failed with SQLSTATE {error.sqlstate}: {error}"
        yield failed(table, message, "Programs fail in the same way.")


def failed(table: Table[Any], message: str, meaning: str) -> Finding:
    """Return the finding for a table that can't be written to as its contract says."""
    return failure("probe", table.name, message, meaning, "hold the contract against the database: trueup contracts")


def probe_of(db: Database, target: Side, table: Table[Any]) -> Probe | None:
    """Return a marked row that is like one of the table and shares no key with any; None: the table is empty."""
    marker = table.marker
    assert isinstance(marker, Begins | Ends)
    with db.transaction(read_only=True) as block:
        values = first_row(block, table)
    if values is None:
        return None
    keys = [key for key in read_unique_keys(target) if str(key.table) == table.name]
    unique = {name for key in keys for name in key.columns if len(key.columns) == 1} | {*table.primary_key}
    row = {name: fresh(table, name) if name in unique else value for name, value in values.items()}
    before, after = marker.around
    row[marker.column] = f"{before}{token_hex(6)}{after}"
    return Probe(table=table, row=row, identity={marker.column: row[marker.column]})


def first_row(block: Block, table: Table[Any]) -> dict[str, Any] | None:
    """Return the values of any row that an insert may write."""
    names = list(table.insertable)
    query = sql.SQL("select {} from {} limit 1").format(
        sql.SQL(", ").join(map(sql.Identifier, names)), table.identifier
    )
    found = block.execute(query).fetchone()
    return None if found is None else dict(zip(names, found, strict=True))


def fresh(table: Table[Any], name: str) -> Any:
    """Return a value for a unique column that no row has, or almost certainly none."""
    column = table.column(name)
    if column.nullable:
        return None
    if column.type.python is int:
        return -randbelow(NUMBERS if column.declared != "smallint" else 2**15 - 1) - 1
    if column.type.python is str:
        return token_hex(6)[: column.most]
    raise Unverifiable(f"{table.name}.{name}: no value of type {column.declared} is known to be new")


def write(db: Database, probe: Probe) -> str:
    """Do all four statements and roll them back; return the name of one that did not do what it says, or nothing."""
    wrong = ""
    try:
        with db.transaction(lock_timeout_s=LOCK_S):
            wrong = next(steps(db, probe), "")
            raise RolledBack
    except RolledBack:
        return wrong


def steps(db: Database, probe: Probe) -> Iterator[str]:
    """Yield the name of each statement that did not do what it says."""
    table = probe.table
    rows = Repository(db, table)
    tenant = {table.tenant: probe.row[table.tenant]} if table.tenant else {}
    stored = rows.insert(probe.row)
    if any(getattr(stored, name) != value for name, value in probe.identity.items()):
        yield "insert"
    here = {**tenant, **probe.identity}
    changes = {name: getattr(stored, name) for name in sorted(table.updatable - probe.identity.keys())[:1]}
    if changes and len(rows.update(changes, here)) != 1:
        yield "update"
    if rows.upsert(stored).status == "inserted":
        yield "upsert"
    if rows.delete(here) != 1:
        yield "delete"
