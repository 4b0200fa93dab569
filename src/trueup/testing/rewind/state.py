"""What a database holds at one moment, as far as it has to be known to come back to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trueup.testing.rewind.copies import LARGEST_BYTES, read_copies
from trueup.testing.rewind.fingerprints import Fingerprint
from trueup.testing.rewind.outcome import Unproven
from trueup.testing.rewind.plans import Change, Plans
from trueup.testing.rewind.statements import HORIZON, OF_DATABASE, OF_SERVER, UNKNOWN, positions
from trueup.testing.rewind.strangers import run_in_quiet
from trueup.testing.rewind.structure import Table
from trueup.testing.rewind.witness import Witness


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Is what a database depends on and no table holds."""

    configuration: str
    """What ALTER SYSTEM has written, and when the server last read its configuration."""
    prepared: str
    """How many transactions wait for the second phase of their commit."""
    slots: str
    """Replication slots of the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Is where a rewind found something to put back: the next test may well have touched the same."""

    tables: tuple[Table, ...] = ()
    sequences: tuple[int, ...] = ()
    """Their numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Is what a database holds at one moment."""

    taken: str
    """The number of the first transaction that was still to come when it was read."""
    horizon: str
    """The same, or a later one, after rows of it were put back."""
    counts: tuple[int, ...]
    """Rows of each table, in the order of the structure."""
    copies: Mapping[int, bytes] = field(repr=False)
    """The rows of those tables, by number, that are neither empty nor too large."""
    positions: tuple[tuple[int, bool], ...]
    """Of each sequence: the last value, and whether it was given."""
    database_rows: int
    """Rows in catalogs: those about the database, those about the server, and all where initdb made many."""
    server_rows: int
    initdb_rows: int
    classes: str
    """A digest of pg_class."""
    surroundings: Surroundings
    written: str
    """How many rows were ever written into the catalogs of initdb."""
    sessions: frozenset[tuple[int, str]]
    """Others that were connected, idle."""
    witness: Witness | None = None
    """What the statistics had counted; None where they can't be relied on."""
    touched: Touched = Touched()
    """What is put back before anybody has asked where something was changed."""
    fingerprint: Fingerprint | None = None
    """Of everything; None where nobody wants to be that sure."""


def read_state(plans: Plans, known: Mapping[int, bytes]) -> State:
    """Read what the database holds; `known` are copies that are right already.

    Raises:
        Unproven: somebody is at work in the database, so that it has no state that lasts.
    """
    sessions, (horizon,) = run_in_quiet(plans, lambda _: True, HORIZON)
    xid = horizon.rows[0][0]
    tables = plans.structure.tables
    seen = read_witness(plans)
    surroundings, written, catalogs, initdb, classes, *counts = plans.run(
        plans.call("surroundings"),
        plans.call("written"),
        plans.call("catalogs", xid, UNKNOWN, UNKNOWN),
        plans.call("initdb", xid, UNKNOWN),
        plans.call("classes", xid),
        *([plans.call("tables", xid, (UNKNOWN,) * len(tables))] if tables else []),
    )
    about, built_in, found = Change.of(catalogs), Change.of(initdb), [each for a in counts for each in Change.of(a)]
    if surroundings.rows[0][1] != "0":
        raise Unproven("a prepared transaction is open: commit it or roll it back first")
    if any(each.is_new for each in (*about, *built_in, *found)):
        raise Unproven("rows seem to come from the future: the server has used up its transaction numbers once")
    rows = {each.number: each.rows for each in found}
    kept = [each for each in tables if rows[each.number] and not each.is_view and each.size_bytes <= LARGEST_BYTES]
    unknown = [each for each in kept if not known.get(each.number)]
    copies = dict(zip((each.number for each in unknown), read_copies(plans.connection, unknown), strict=True))
    of_catalogs = {each.number: each.rows for each in about}
    return State(
        taken=xid,
        horizon=xid,
        counts=tuple(rows[number] for number in range(len(tables))),
        copies={each.number: known.get(each.number) or copies[each.number] for each in kept},
        positions=read_positions(plans),
        database_rows=of_catalogs[OF_DATABASE],
        server_rows=of_catalogs[OF_SERVER],
        initdb_rows=built_in[0].rows,
        classes=classes.rows[0][0],
        surroundings=Surroundings(*surroundings.rows[0]),
        written=written.rows[0][0],
        sessions=frozenset(each.identity for each in sessions),
        witness=seen,
    )


def read_witness(plans: Plans) -> Witness | None:
    """Return what the statistics have counted; None: they can't be relied on."""
    return Witness.of(plans.run(plans.call("witness"))[0]) if plans.is_counted else None


def read_horizon(plans: Plans) -> str:
    """Return the number of the first transaction to come."""
    return plans.run(HORIZON)[0].rows[0][0]


def read_positions(plans: Plans) -> tuple[tuple[int, bool], ...]:
    """Return where every sequence is."""
    if not plans.structure.sequences:
        return ()
    return tuple(plans.connection.execute(positions(plans.structure)).fetchall())
