"""The faults as fixtures: each works on the test's own database, and ends with the test.

Those that hold something can be used as `with hold_lock("clients"):`, or without `with`: then until the test ends.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from trueup.testing.guard.gate import gate
from trueup.testing.isolation import OPTIONS, told
from trueup.testing.marks import kind_of
from trueup.testing.options import DEFAULT_VERSION, Server

if TYPE_CHECKING:
    from trueup.servers import EmbeddedServer
    from trueup.testing.faults import Clock, Proxy, SmallDisk
    from trueup.testing.faults.servers import Mode

Held = Callable[..., AbstractContextManager[Any]]
# The faults load the driver, so each fixture imports what it needs when a test asks for it.


@pytest.fixture
def proxy(dsn: str) -> Iterator["Proxy"]:
    """Give a wire to the test's database that can be cut, darkened, slowed and refused; it breaks when told to.

    A test whose fault never happened fails: it has proved nothing.
    """
    from trueup.conninfo import ConnInfo  # noqa: PLC0415
    from trueup.testing.faults import Proxy  # noqa: PLC0415

    with Proxy(ConnInfo.parse(dsn)) as wire:
        yield wire
        if wire.pending:
            names = ", ".join(repr(fault.pattern) for fault in wire.pending)
            pytest.fail(
                f"proxy: no client sent {names}, so the fault never happened: connect with proxy.conninfo, and write"
                " the bytes as the driver does (psycopg sends COMMIT, trueup commit)",
                pytrace=False,
            )


@pytest.fixture
def terminate() -> Callable[..., None]:
    """Return a function that ends the server's side of a connection: `terminate(connection)`."""
    from trueup.testing import faults  # noqa: PLC0415

    return faults.terminate


@pytest.fixture
def hold_lock(dsn: str) -> Iterator[Held]:
    """Return a function that lets another session hold a lock: `hold_lock("clients", mode="share")`."""
    from trueup.conninfo import ConnInfo  # noqa: PLC0415
    from trueup.testing import faults  # noqa: PLC0415

    with ExitStack() as held:
        yield lambda target, **mode: keep(held, faults.hold_lock(ConnInfo.parse(dsn), target, **mode))


@pytest.fixture
def deadlock(dsn: str) -> Iterator[Held]:
    """Return a function that lets the next transaction lose a deadlock: `deadlock(holds="bookings", wants="clients")`.

    The transaction locks `clients` first and `bookings` then. When none does, the test fails.
    """
    from trueup.conninfo import ConnInfo  # noqa: PLC0415
    from trueup.testing import faults  # noqa: PLC0415

    with told(), ExitStack() as held:
        yield lambda *, holds, wants: keep(held, faults.deadlock(ConnInfo.parse(dsn), holds=holds, wants=wants))


@pytest.fixture
def full_pool() -> Iterator[Held]:
    """Return a function that keeps every connection of a `Database` in use: `full_pool(db)`."""
    from trueup.testing import faults  # noqa: PLC0415

    with ExitStack() as held:
        yield lambda db: keep(held, faults.full_pool(db))


@pytest.fixture
def restart() -> "Callable[[EmbeddedServer, Mode], None]":
    """Return a function that restarts a server of the test's own: `restart(server, "immediate")`."""
    from trueup.testing import faults  # noqa: PLC0415

    return faults.restart


@pytest.fixture
def pause() -> Iterator[Held]:
    """Return a function that freezes a server of the test's own: `pause(server)`, or `pause(server, connection)`."""
    from trueup.testing import faults  # noqa: PLC0415

    with ExitStack() as held:
        yield lambda server, connection=None: keep(held, faults.pause(server, connection))


@pytest.fixture
def disk_full(request: pytest.FixtureRequest, trueup_server: Server) -> Iterator["SmallDisk"]:
    """Give a server of its own with the project's schema on a small disk: `disk_full.fill()` leaves no room.

    Where the machine doesn't allow it the test is skipped, with the reason.
    """
    from trueup.db import connect  # noqa: PLC0415
    from trueup.errors import Unverifiable  # noqa: PLC0415
    from trueup.settings import Settings  # noqa: PLC0415
    from trueup.testing.faults import small_disk  # noqa: PLC0415
    from trueup.testing.lending.filling import fill  # noqa: PLC0415
    from trueup.testing.lending.recipes import read_recipe  # noqa: PLC0415

    options = request.config.stash[OPTIONS]
    settings = Settings.load(options.folder)
    with ExitStack() as held:
        try:
            version = trueup_server.embedded_version or DEFAULT_VERSION
            disk = held.enter_context(small_disk(version, cache_folder=settings.cache_folder))
        except Unverifiable as refusal:
            pytest.skip(str(refusal))
        disk.conninfo = gate.allow(request.node.nodeid, disk.conninfo, fixture="disk_full")
        kind = kind_of(request.node, options)
        with connect(disk.conninfo) as connection:
            fill(connection, read_recipe(replace(kind, schema=kind.schema or settings.schema)), None)
        yield disk


@pytest.fixture
def clock(dsn: str) -> "Clock":
    """Return a clock that lets time pass for what is stored: `clock.advance(timedelta(days=31))`."""
    from trueup.conninfo import ConnInfo  # noqa: PLC0415
    from trueup.testing.faults import Clock  # noqa: PLC0415

    return Clock(ConnInfo.parse(dsn))


def keep(held: ExitStack, fault: AbstractContextManager[Any]) -> ExitStack:
    """Begin a fault, and return what ends it: its own `with`, or the test's end, whichever comes first."""
    own = held.enter_context(ExitStack())
    own.enter_context(fault)
    return own
