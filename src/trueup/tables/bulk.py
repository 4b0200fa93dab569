"""Writes any number of rows: all of them or none, or all but those that the server refuses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial as bind
from operator import attrgetter
from typing import Any, TypeVar, get_args

from trueup.tables.batches import refuse
from trueup.tables.connections import Connections
from trueup.tables.contract import Table
from trueup.tables.errors import StatementRefused
from trueup.tables.ordering import OnDuplicate, Reject, Rejected, in_order
from trueup.tables.payloads import FIRST_ROWS, chunks
from trueup.tables.splitting import write_what_can_be
from trueup.tables.tenants import Row
from trueup.tables.upserting import check_conflict_key
from trueup.tables.writer import Mode, Writer

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Is what became of the rows of one call."""

    inserted: int
    updated: int
    unchanged: int
    """Stored already as they were given."""
    superseded: int = 0
    """Left out for another row of the call with the same key."""
    rejected: tuple[Rejected, ...] = ()
    """Not written, in the order of the call."""


def bulk_upsert(
    db: Connections,
    table: Table[R],
    tenant: Row,
    rows: Iterable[R | Row],
    *,
    on_duplicate: OnDuplicate,
    partial: bool,
    mode: Mode,
) -> Written:
    """Insert or update rows, each recognised by its conflict key; see `Repository.bulk_upsert`."""
    check_conflict_key(table)
    check_options(table, rows, on_duplicate, mode)
    rejected: list[Rejected] = []
    reject: Reject = rejected.extend if partial else bind(refuse, table)
    given, superseded = in_order(table, list(rows), tenant, on_duplicate, reject)
    writer = Writer(db, table, mode)
    if partial:
        rejected += write_what_can_be(writer, chunks(table, given, tenant, reject))
    else:
        writer.write_all(lambda: chunks(table, given, tenant, reject, first_rows=FIRST_ROWS))
    return Written(
        inserted=writer.inserted,
        updated=writer.updated,
        unchanged=writer.rows - writer.inserted - writer.updated,
        superseded=superseded,
        rejected=tuple(sorted(rejected, key=attrgetter("position"))),
    )


def check_options(table: Table[Any], rows: object, on_duplicate: str, mode: str) -> None:
    """Raise StatementRefused for an option that is none."""
    if on_duplicate not in get_args(OnDuplicate) or mode not in get_args(Mode):
        raise StatementRefused(
            f"{table.name}: on_duplicate is one of {get_args(OnDuplicate)}, mode one of {get_args(Mode)}"
        )
    if isinstance(rows, Mapping | str | bytes) or not isinstance(rows, Iterable):
        raise StatementRefused(f"{table.name}: bulk_upsert takes a collection of rows, not {type(rows).__name__}")
