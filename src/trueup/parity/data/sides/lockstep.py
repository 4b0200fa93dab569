"""Both servers at work at once."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import psycopg

from trueup.db import Snapshot, named_errors
from trueup.db.stopping import cancel, cut
from trueup.errors import Unverifiable
from trueup.parity.schema import Catalog

T = TypeVar("T")
TUNED = (("work_mem", "64MB"), ("enable_sort", "on"))
"""With less memory, hashes that are gathered by bucket would be written to disk, and with them the rows they are of."""
HELD = (("idle_in_transaction_session_timeout", "0"),)
HELD_SINCE_17 = (("transaction_timeout", "0"),)
"""A snapshot is held while other connections work; it has no locks but those of a reader."""
PATIENCE_S = 5.0
"""How long a side may take to give up a statement before its connection is cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Is one of the two databases of a comparison: how it is read, and what it is made of."""

    snapshot: Snapshot
    catalog: Catalog


class Lockstep:
    """Runs work on two snapshots side by side, and stops the one when the other fails."""

    def __init__(self, source: Snapshot, target: Snapshot, pool: ThreadPoolExecutor) -> None:
        self.source, self.target = source, target
        self._sides = (source, target)
        self._pool = pool

    def run(self, on_source: Callable[[Snapshot], T], on_target: Callable[[Snapshot], T]) -> tuple[T, T]:
        """Return both results.

        Raises:
            Unverifiable: a server answered one of them with an error.
        """
        work = zip((on_source, on_target), self._sides, strict=True)
        futures = [self._pool.submit(_named, one, snapshot) for one, snapshot in work]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            failed = next((future for future in futures if future.done() and future.exception()), None)
        finally:
            self._stop(futures)
        source, target = futures if failed is None else (failed, failed)
        return source.result(), target.result()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Hold a savepoint on both sides."""
        with ExitStack() as stack:
            for snapshot in self._sides:
                stack.enter_context(savepoint(snapshot))
            yield

    def _stop(self, futures: list[Future[T]]) -> None:
        for future, snapshot in zip(futures, self._sides, strict=True):
            if not future.done():
                cancel(snapshot.connection)
        # A server that hangs answers no request to cancel either.
        for future in wait(futures, timeout=PATIENCE_S).not_done:
            cut(self._sides[futures.index(future)].connection)
        wait(futures)


@contextmanager
def lockstep(source: Snapshot, target: Snapshot, *, session: Iterable[tuple[str, str]] = ()) -> Iterator[Lockstep]:
    """Hold two threads, one for each side, and set what hashing needs, and `session`, until the snapshots end."""
    tune = partial(_tune, session=tuple(session))
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="trueup-side") as pool:
        both = Lockstep(source, target, pool)
        both.run(tune, tune)
        yield both


def _tune(snapshot: Snapshot, session: tuple[tuple[str, str], ...]) -> None:
    settings = TUNED + HELD + (HELD_SINCE_17 if snapshot.server_version >= 170_000 else ()) + session
    tuned = ", ".join("set_config(%s, %s, true)" for _ in settings)
    snapshot.rows(f"select {tuned}", [text for pair in settings for text in pair])


@contextmanager
def savepoint(snapshot: Snapshot) -> Iterator[None]:
    """Undo an error's effect on the transaction, so that the next table can be read."""
    with named_errors(snapshot.conninfo), snapshot.connection.transaction():
        yield


def _named(work: Callable[[Snapshot], T], snapshot: Snapshot) -> T:
    with unverifiable(snapshot):
        return work(snapshot)


@contextmanager
def unverifiable(snapshot: Snapshot) -> Iterator[None]:
    """Turn what the server could not answer into Unverifiable, whose text quotes no value of a row."""
    try:
        yield
    except psycopg.Error as error:
        # The server's own message may quote one, and so may the driver's exception as the cause.
        reason = f"{snapshot.conninfo} answered with SQLSTATE {error.sqlstate} ({type(error).__name__})"
        if "statement timeout" in (error.diag.message_primary or ""):
            reason += ": a statement took longer than the role's statement_timeout allows; see --statement-timeout"
    except UnicodeDecodeError:
        reason = f"{snapshot.conninfo} holds a key that is not text in its encoding"
    else:
        return
    raise Unverifiable(reason)
