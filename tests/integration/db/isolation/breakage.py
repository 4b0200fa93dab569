"""What breaks while transactions run: backends are ended, the wire is cut, the server is restarted."""

import random
import threading
from collections import Counter
from typing import Self

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.servers import EmbeddedServer
from trueup.testing.faults import Action, Proxy

PLACES = (b"begin", b"select items", b"insert into", b"update lists", b"savepoint", b"commit", b"commit", b"rollback")
"""The bytes at which the wire is cut."""
ACTIONS: tuple[Action, ...] = ("cut before", "cut behind")
TERMINATE = (
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where application_name like 'svc:%' and datname = current_database() order by random() limit 1"
)


class Breakage:
    """Breaks something every few milliseconds, as long as its block lasts, and counts what."""

    def __init__(
        self,
        target: ConnInfo,
        wire: Proxy,
        *,
        seed: int,
        pause_s: float = 0.04,
        server: EmbeddedServer | None = None,
        restart_every_s: float = 5.0,
    ) -> None:
        self.target, self.wire, self.server = target, wire, server
        self.dice = random.Random(seed)
        self.pause_s, self.restart_every_s = pause_s, restart_every_s
        self.done: Counter[str] = Counter()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.work)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.over.set()
        self.thread.join()
        self.wire.forget()

    def work(self) -> None:
        while not self.over.is_set():
            with connect(self.target, application_name="breakage") as connection:
                for _ in range(round(self.restart_every_s / self.pause_s)):
                    if self.over.wait(self.pause_s):
                        return
                    if self.dice.random() < 0.3:
                        self.done["terminated"] += len(connection.execute(TERMINATE).fetchall())
                    elif not self.wire.pending:
                        self.wire.on(self.dice.choice(PLACES), self.dice.choice(ACTIONS))
                        self.done["cuts"] += 1
            if self.server is not None:
                self.server.restart(self.dice.choice(("fast", "immediate")))
                self.done["restarts"] += 1
