"""A source that somebody writes to without a pause, and a target that follows it: by replication, or by a copy."""

import random
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from threading import Condition, Event, Thread
from time import monotonic

from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import connect, snapshot
from trueup.db.connection import Connection
from trueup.parity.data import Recheck, Side, TableComparison, compare
from trueup.parity.schema import Catalog, row_catalog
from trueup.servers import EmbeddedServer

HOT, COLD = 60, 400
"""Rows that are written to all the time, and rows that nobody writes to."""
TABLE = "create table t (id bigint primary key, n bigint, name text)"
ROWS = f"insert into t select i, i, 'name ' || i from generate_series(1, {HOT + COLD}) i"
LOGICAL = {
    "wal_level": "logical",
    "max_wal_senders": "4",
    "max_replication_slots": "4",
    "wal_writer_delay": "10ms",
    "autovacuum": "on",
}

Write = Callable[[Connection], object]


def random_write(choose: random.Random, number: int) -> Write:
    """Return something that changes a hot row, as often as not to what another row was before."""
    key, value = choose.randint(1, HOT), choose.randint(1, 3)
    statements = (
        ("update t set n = %(n)s, name = 'name ' || %(n)s where id = %(id)s", 6),
        ("delete from t where id = %(id)s", 2),
        ("insert into t values (%(id)s, %(n)s, 'again') on conflict do nothing", 3),
        ("update t set n = %(number)s where id between %(id)s and %(id)s + 5 and id <= %(hot)s", 1),
    )
    [(statement, _)] = choose.choices(statements, [weight for _, weight in statements])
    parameters = {"id": key, "n": value, "number": number, "hot": HOT}
    return lambda connection: connection.execute(statement, parameters)


@dataclass(slots=True, kw_only=True)
class Plants:
    """Is what is wrong on the target, and only there: by kind, the keys of cold rows."""

    missing: set[str] = field(default_factory=set)
    extra: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)


@contextmanager
def planted(target: Connection, choose: random.Random) -> Iterator[Plants]:
    """Make a few rows of the target wrong, and right again in the end."""
    keys = choose.sample(range(HOT + 1, HOT + COLD + 1), 6)
    plants = Plants()
    for key in keys[: choose.randint(0, 3)]:
        target.execute("delete from t where id = %s", [key])
        plants.missing.add(str(key))
    for key in keys[3 : choose.randint(3, 6)]:
        target.execute("update t set name = 'planted' where id = %s", [key])
        plants.changed.add(str(key))
    for key in range(10_000, 10_000 + choose.randint(0, 2)):
        target.execute("insert into t values (%s, 1, 'planted')", [key])
        plants.extra.add(str(key))
    yield plants
    target.execute("delete from t where id > %s or id = any(%s)", [HOT + COLD, keys])
    target.execute("insert into t select i, i, 'name ' || i from unnest(%s::int[]) i", [keys])


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """Is a source and the target that follows it."""

    source: ConnInfo
    target: ConnInfo
    catalogs: tuple[Catalog, Catalog]
    quiet: Event
    """Ends the writing when it is set."""

    def compare(self, how: Recheck) -> TableComparison:
        """Compare the rows of the one table there is, as a role that may do nothing but read them."""
        places = (place.with_parameters(user="replica_reader") for place in (self.source, self.target))
        with snapshot(next(places)) as source, snapshot(next(places)) as target:
            here, there = self.catalogs
            [found] = compare(
                Side(snapshot=source, catalog=here),
                Side(snapshot=target, catalog=there),
                tables=["public.t"],
                recheck=how,
            )
        return found


def replica_of(source: ConnInfo, target: ConnInfo, quiet: Event) -> Replica:
    """Return both with what they are made of."""
    with snapshot(source) as here, snapshot(target) as there:
        return Replica(source=source, target=target, catalogs=(row_catalog(here), row_catalog(there)), quiet=quiet)


@contextmanager
def database_of(server: EmbeddedServer, name: str) -> Iterator[ConnInfo]:
    """Give a database with an empty table, of which a role `replica_reader` may see the rows and do nothing else."""
    place = server.create_database(name)
    try:
        with connect(place) as connection:
            connection.execute(TABLE)
            connection.execute("create role replica_reader login")
            connection.execute("grant select on t to replica_reader")
        yield place
        with connect(place) as connection:
            connection.execute("drop owned by replica_reader")
            connection.execute("drop role replica_reader")
    finally:
        server.drop_database(name)


@contextmanager
def replicated(source: EmbeddedServer, target: EmbeddedServer, seed: int) -> Iterator[Replica]:
    """Give a target that subscribes to its source, to which somebody writes."""
    with ExitStack() as stack:
        here, there = (stack.enter_context(database_of(server, "moving")) for server in (source, target))
        publisher, subscriber = stack.enter_context(connect(here)), stack.enter_context(connect(there))
        publisher.execute(ROWS)
        publisher.execute("create publication moving for all tables")
        subscriber.execute(
            sql.SQL("create subscription moving connection {} publication moving").format(sql.Literal(here.reveal()))
        )
        stack.callback(subscriber.execute, "drop subscription moving")
        await_(subscriber, "select bool_and(srsubstate = 'r') from pg_subscription_rel")
        with writing(here, seed, lambda _: nullcontext()) as quiet:
            yield replica_of(here, there, quiet)


def await_(connection: Connection, query: str, *, seconds: float = 60) -> None:
    """Wait until a query gives true."""
    for _ in range(int(seconds / 0.02)):
        if connection.execute(query).fetchone() == (True,):
            return
        Event().wait(0.02)
    raise AssertionError(f"never true: {query}")


class Follower:
    """Does on the target what was done on the source, in the same order and a little later."""

    DELAY_S = 0.005
    MOST_WAITING = 40

    def __init__(self, target: ConnInfo) -> None:
        self._target = target
        self._queue: deque[tuple[float, Write]] = deque()
        self._change = Condition()
        self.sent = self.applied = 0
        self.has_ended = self.has_stopped = False

    @contextmanager
    def sending(self, write: Write) -> Iterator[None]:
        """Hold what is committed on the source and what is waiting for the target together."""
        with self._change:
            self._change.wait_for(lambda: len(self._queue) < self.MOST_WAITING or self.has_stopped)
            yield
            self._queue.append((monotonic(), write))
            self.sent += 1
            self._change.notify_all()

    def follow(self) -> None:
        """Apply what comes until all has come; nobody waits for one that failed."""
        try:
            self._follow()
        finally:
            with self._change:
                self.has_stopped = True
                self._change.notify_all()

    def _follow(self) -> None:
        with connect(self._target) as connection:
            while True:
                with self._change:
                    self._change.wait_for(lambda: self._queue or self.has_ended)
                    if not self._queue:
                        return
                    at, write = self._queue.popleft()
                Event().wait(max(0.0, at + self.DELAY_S - monotonic()))
                write(connection)
                with self._change:
                    self.applied += 1
                    self._change.notify_all()

    def end(self) -> None:
        """Say that nothing more will come."""
        with self._change:
            self.has_ended = True
            self._change.notify_all()

    def catch_up(self, _: float) -> None:
        """Wait until all is applied that has been committed on the source by now: a pause longer than the delay."""
        with self._change:
            mark = self.sent
            self._change.wait_for(lambda: self.applied >= mark or self.has_stopped)


@contextmanager
def copied(source: EmbeddedServer, target: EmbeddedServer, seed: int) -> Iterator[tuple[Replica, Follower]]:
    """Give a target to which each write is applied a little later than to its source, until the end."""
    with ExitStack() as stack:
        here, there = (stack.enter_context(database_of(server, "copied")) for server in (source, target))
        for place in (here, there):
            with connect(place) as connection:
                connection.execute(ROWS)
        follower = Follower(there)
        applying = Thread(target=follower.follow, name="follower")
        applying.start()
        stack.callback(applying.join)
        stack.callback(follower.end)
        with writing(here, seed, follower.sending) as quiet:
            yield replica_of(here, there, quiet), follower


@contextmanager
def writing(source: ConnInfo, seed: int, around: Callable[[Write], AbstractContextManager[None]]) -> Iterator[Event]:
    """Write to a source without a pause, until the context ends or what it gives is set."""
    ended, begun = Event(), Event()
    writes = 0

    def work() -> None:
        nonlocal writes
        choose = random.Random(seed)
        with connect(source) as connection:
            while not ended.is_set():
                write = random_write(choose, writes)
                with around(write):
                    write(connection)
                writes += 1
                begun.set()

    writer = Thread(target=work, name="writer")
    writer.start()
    try:
        assert begun.wait(60)
        yield ended
    finally:
        ended.set()
        writer.join()
