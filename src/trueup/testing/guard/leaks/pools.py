"""Pools that were opened and not closed, and connections that were taken from a pool and not given back."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from trueup.testing.guard.gate import Opening, Owner
from trueup.testing.guard.leaks.leak import Leak
from trueup.testing.guard.stacks import RawStack, is_own, readable

# Neither library is imported here: what isn't loaded has left nothing.


def runtime_pools() -> list[Any]:
    """Return the pools of trueup.db that are open and in use."""
    house = sys.modules.get("trueup.db.housekeeping")
    return [pool for pool in list(house.LIVING) if is_in_use(pool)] if house and len(house.LIVING) else []


def is_in_use(pool: Any) -> bool:
    """Return whether a pool of trueup.db has anything to close."""
    return not pool.is_closed and bool(pool.idle or pool.held or pool.opening or pool.waiters)


def taken() -> dict[Any, Opening]:
    """Return what was taken from pools of psycopg_pool and not given back."""
    door = sys.modules.get("trueup.testing.guard.doors.pools")
    return {c: opening for c, opening in list(door.TAKEN.items()) if not c.closed} if door and len(door.TAKEN) else {}


def is_pooled(connection: Any) -> bool:
    """Return whether a connection belongs to a pool, which answers for it."""
    if getattr(connection, "_pool", None) is not None or connection in taken():
        return True
    if any(connection in pool.idle or connection in pool.held for pool in runtime_pools()):
        return True
    door = sys.modules.get("trueup.testing.guard.doors.pools")
    return any(connection in pool._pool for pool in list(door.OPENED) if not pool.closed) if door else False  # noqa: SLF001


def left_open(owner: Owner) -> Iterator[Leak]:
    """Yield the pools that are still open, with who holds their connections."""
    for opening in owner.opened:
        pool = opening.thing() if opening.kind == "pool" else None
        if pool is None:
            continue
        if hasattr(pool, "is_closed"):
            if is_in_use(pool):
                holders = [hold.stack for hold in list(pool.held.values())]
                yield leak_of(f"a Database of {pool.settings.conninfo}", opening, holders, partial(pool.close, 0.0))
        elif not pool.closed:
            held = [opening.stack for c, opening in taken().items() if getattr(c, "_pool", None) is pool]
            yield leak_of(f"the {type(pool).__name__} {pool.name!r}", opening, held, partial(close, pool))


def leak_of(name: str, opening: Opening, holders: list[RawStack], end: Any) -> Leak:
    """Return a pool that was left open."""
    held = "".join(f"\n  with a connection taken at\n{readable(stack)}" for stack in holders)
    return Leak(kind="pool", what=f"{name} was never closed{held}", stack=opening.stack, end=end)


def left_taken(owner: Owner) -> Iterator[Leak]:
    """Yield connections that the owner took from pools that live on."""
    own = {id(opening.thing()) for opening in owner.opened if opening.kind == "pool"}
    for pool in runtime_pools():
        for connection, hold in list(pool.held.items()):
            is_of_test = hold.stack and not is_own(hold.stack)
            if id(pool) not in own and hold.taken_at >= owner.started_at and is_of_test:
                yield Leak(
                    kind="checkout",
                    what=f"a connection to {pool.settings.conninfo} was not given back to its pool",
                    stack=hold.stack,
                    end=partial(pool.discard, connection, "its test left it"),
                )
    for connection, opening in taken().items():
        pool = getattr(connection, "_pool", None)
        if opening.owner is owner and pool is not None and not pool.closed and id(pool) not in own:
            yield Leak(
                kind="checkout",
                what=f"a connection was not given back to the pool {pool.name!r}",
                stack=opening.stack,
                end=partial(give_back, pool, connection),
            )


def close(pool: Any) -> None:
    """Close a pool of psycopg_pool with its connections; an asynchronous one, whose loop is gone, by force."""
    for connection, _ in [item for item in taken().items() if getattr(item[0], "_pool", None) is pool]:
        connection.pgconn.finish()
    if not hasattr(pool, "__aenter__"):
        pool.close(timeout=1.0)
        return
    pool._closed = True  # noqa: SLF001
    for connection in list(pool._pool):  # noqa: SLF001
        connection.pgconn.finish()
    pool._pool.clear()  # noqa: SLF001


def give_back(pool: Any, connection: Any) -> None:
    """Give a connection back that its holder forgot: broken, so that the pool makes another."""
    connection.pgconn.finish()
    if not hasattr(pool, "__aenter__"):
        with suppress(Exception):
            pool.putconn(connection)
