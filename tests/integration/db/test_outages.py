"""Outages that last longer than any timeout: what a caller waits after them doesn't depend on how long they were."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import pytest

from trueup.db import Database
from trueup.errors import DatabaseError
from trueup.servers import EmbeddedServer

OUTAGE_S = 45
CALLERS = 5
BACK_S = 1.5


class Patience:
    """Is a caller who asks again and again, and notes when it was last refused and first served."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.refused = 0
        self.longest_s = 0.0

    def ask(self) -> float:
        """Return the moment of the first answer."""
        while True:
            began = monotonic()
            try:
                with self.db.connection() as connection:
                    connection.execute("select 1")
            except DatabaseError:
                self.refused += 1
                self.longest_s = max(self.longest_s, monotonic() - began)
            else:
                return monotonic()


def pass_outage(db: Database, end: Callable[[], object]) -> tuple[float, list[Patience]]:
    """Return how long the last of several callers waited after `end` brought the service back."""
    callers = [Patience(db) for _ in range(CALLERS)]
    with ThreadPoolExecutor(CALLERS) as threads:
        answers = [threads.submit(caller.ask) for caller in callers]
        threading.Event().wait(OUTAGE_S)
        end()
        back_at = monotonic()
        return max(answer.result(timeout=60) for answer in answers) - back_at, callers


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["stopped", "refused", "dark"])
def test_service_is_back_at_once_after_a_long_outage(
    open_db: Callable[..., Database], own_server: EmbeddedServer, proxy: Any, kind: str
) -> None:
    db = open_db(proxy, checkout_timeout_s=10)
    with db.connection() as connection:
        connection.execute("select 1")
    faults = {"stopped": lambda: own_server.stop("immediate"), "refused": proxy.refuse, "dark": proxy.darken}
    faults[kind]()
    if kind == "refused":
        proxy.cut()

    def end() -> None:
        own_server.start()
        proxy.restore()

    waited_s, callers = pass_outage(db, end)

    print(f"{kind} for {OUTAGE_S} s: the last of {CALLERS} callers was served {waited_s:.3f} s after the end")  # noqa: T201
    assert waited_s <= BACK_S
    assert all(caller.refused >= 3 for caller in callers)
    assert all(caller.longest_s <= 10.1 for caller in callers)
