"""Damage as moves between databases really do it: planted on purpose, each kind once, to be found again."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import LiteralString

from trueup.conninfo import ConnInfo
from trueup.db import connect, named_errors
from trueup.errors import Unverifiable


class Trace(StrEnum):
    """Is what a damage leaves to be seen, from the source's point of view."""

    CHANGED = "changed"
    """The row is on both sides with other values."""
    MISSING = "missing"
    """The row is in the source only."""
    EXTRA = "extra"
    """The row is in the target only."""
    COLUMN = "column"
    CONSTRAINT = "constraint"
    SEQUENCE = "sequence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Is what a comparison has to say about a damage, and all that it may say."""

    trace: Trace
    object: str
    """A table for a row, else the column, the constraint with its table, or the sequence: `chinook.customer.phone`."""
    key: tuple[str, ...] = ()
    """Of the row, as text, in the order of the primary key."""
    columns: tuple[str, ...] = ()
    """That differ in a changed row."""
    change: str = ""
    """What differs in the definition: `type`, `default`, `missing`; `behind` for a sequence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Is one thing done to the target, and what it must be reported as."""

    name: str
    cause: str
    """How it happens in real life."""
    sql: LiteralString
    expected: Expected


DAMAGES: tuple[Damage, ...] = (
    Damage(
        name="changed row",
        cause="A row was edited in one of the databases after it had been copied.",
        sql="update chinook.artist set name = 'Accept (Germany)' where artist_id = 2",
        expected=Expected(trace=Trace.CHANGED, object="chinook.artist", key=("2",), columns=("name",)),
    ),
    Damage(
        name="lost row",
        cause="A batch was rejected, logged and skipped.",
        sql="delete from chinook.playlist_track where playlist_id = 1 and track_id = 3402",
        expected=Expected(trace=Trace.MISSING, object="chinook.playlist_track", key=("1", "3402")),
    ),
    Damage(
        name="extra row",
        cause="A test ran against the live database and didn't clean up.",
        sql="insert into flights.airline (carrier, name) values ('ZZ', 'Test Airline')",
        expected=Expected(trace=Trace.EXTRA, object="flights.airline", key=("ZZ",)),
    ),
    Damage(
        name="NULL turned into ''",
        cause="The copy went through a format without NULL.",
        sql="update chinook.customer set company = '' where customer_id = 3 and company is null",
        expected=Expected(trace=Trace.CHANGED, object="chinook.customer", key=("3",), columns=("company",)),
    ),
    Damage(
        name="timestamp shifted by its offset",
        cause="A local time was read as UTC.",
        sql=(
            "update flights.flight set time_hour = (time_hour at time zone 'America/New_York') at time zone 'UTC'"
            " where flight_date = '2013-01-01' and carrier = 'UA' and flight = 1545 and origin = 'EWR'"
        ),
        expected=Expected(
            trace=Trace.CHANGED,
            object="flights.flight",
            key=("2013-01-01", "UA", "1545", "EWR"),
            columns=("time_hour",),
        ),
    ),
    Damage(
        name="numeric rounded",
        cause="An amount went through a column or a program without decimals.",
        sql="update chinook.invoice set total = round(total) where invoice_id = 3 and total <> round(total)",
        expected=Expected(trace=Trace.CHANGED, object="chinook.invoice", key=("3",), columns=("total",)),
    ),
    Damage(
        name="type narrowed",
        cause="The schema was written anew by hand, with a length that fits today's rows.",
        sql="alter table chinook.album alter column title type varchar(160)",
        expected=Expected(trace=Trace.COLUMN, object="chinook.album.title", change="type"),
    ),
    Damage(
        name="default inverted",
        cause="The schema was written anew by hand, with the flag's meaning the wrong way round.",
        sql="alter table flights.flight alter column cancelled set default true",
        expected=Expected(trace=Trace.COLUMN, object="flights.flight.cancelled", change="default"),
    ),
    Damage(
        name="unique constraint dropped",
        cause="It was in the way of the copy and was never put back.",
        sql="alter table chinook.employee drop constraint employee_email_key",
        expected=Expected(trace=Trace.CONSTRAINT, object="chinook.employee.employee_email_key", change="missing"),
    ),
    Damage(
        name="sequence left behind",
        cause="Rows were copied with their ids, and nobody advanced the sequence: the next insert collides.",
        sql="select setval('chinook.invoice_invoice_id_seq', 1)",
        expected=Expected(trace=Trace.SEQUENCE, object="chinook.invoice_invoice_id_seq", change="behind"),
    ),
)
"""Everything that `--sample drifted` plants. Nothing else differs from the source."""


def plant(conninfo: ConnInfo, damages: Sequence[Damage] = DAMAGES) -> None:
    """Do all the damage, or none.

    Raises:
        Unverifiable: one of them didn't hit exactly one row: the data is not what it was written for.
    """
    with connect(conninfo) as connection, named_errors(conninfo), connection.transaction():
        for damage in damages:
            hit = connection.execute(damage.sql).rowcount
            if hit not in {1, -1}:  # -1: a change of the structure has no rows
                raise Unverifiable(f"damage {damage.name!r} hit {hit} rows of {conninfo}, not 1: is this the sample?")
