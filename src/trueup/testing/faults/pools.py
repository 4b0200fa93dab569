"""A pool whose connections are all in use."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager

from trueup.db import Database


@contextmanager
def full_pool(db: Database) -> Iterator[None]:
    """Keep every connection of a pool in use as long as the block lasts.

    Raises:
        PoolTimeout: others hold one and did not give it back in time.
    """
    with hold(db.connection, db.settings.max_connections):
        yield


@contextmanager
def hold(checkout: Callable[[], AbstractContextManager[object]], count: int) -> Iterator[None]:
    """Hold `count` connections of any pool, each in a thread of its own, as long as the block lasts.

    Raises what `checkout` raises.
    """
    is_over = threading.Event()

    def keep(taken: Future[None]) -> None:
        with checkout():
            taken.set_result(None)
            is_over.wait()

    with ThreadPoolExecutor(count, thread_name_prefix="trueup full pool") as threads:
        try:
            for _ in range(count):
                taken: Future[None] = Future()
                keeper = threads.submit(keep, taken)
                wait((taken, keeper), return_when=FIRST_COMPLETED)
                if not taken.done():
                    keeper.result()
            yield
        finally:
            is_over.set()
