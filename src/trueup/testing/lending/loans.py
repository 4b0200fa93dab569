"""A database on loan, with the connections to it that are kept from test to test."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
from psycopg.pq import ExecStatus
from psycopg.rows import tuple_row

from trueup.conninfo import ConnInfo
from trueup.db import Connection, Database, connect
from trueup.db.hold import Hold
from trueup.db.pool import Pool
from trueup.db.pooled import PooledConnection
from trueup.settings import DatabaseSettings
from trueup.testing import rewind
from trueup.testing.lending.kept import KeptConnection, open_kept
from trueup.testing.lending.leases import Lease

if TYPE_CHECKING:
    from collections.abc import Callable

    from trueup.testing.rewind import Baseline, NotRewound, Rewound

POOL_CONNECTIONS = 10


class TestDatabase(Database):
    """Is a `Database` for a test, which also says how others connect to it."""

    __test__ = False
    """It is no class of tests."""

    def __init__(self, settings: DatabaseSettings) -> None:
        super().__init__(settings)
        self.conninfo = settings.conninfo
        """How others connect to it, under the name of the test."""

    @property
    def dsn(self) -> str:
        """The same as a string that libpq and drivers take."""
        return self.conninfo.reveal()


@dataclass(slots=True, kw_only=True, eq=False)
class Loan:
    """Is a database on loan; its connections are opened when they are first used."""

    lease: Lease
    kept: KeptConnection | None = None
    eye: Connection | None = None
    opened: TestDatabase | None = None
    taken: "Baseline | None" = None
    """The baseline that was taken or recalled."""
    recall: "Callable[[], Baseline] | None" = None
    """Gives the baseline of a clone that is known without looking, when it is first needed."""
    baseline_pid: int = 0
    """The server's process for its connection, also when that was lost."""
    inner: "Baseline | None" = None
    """The state that a test found it in, while others share it."""
    asked: list[PooledConnection] = field(default_factory=list)
    """Those that are handing in what they have counted; nobody else may take them meanwhile."""
    told: tuple[Pool, int] | None = None
    """The pool all of whose connections have handed that in, and how many had been taken from it by then."""

    @property
    def is_put_back(self) -> bool:
        """Whether it is lent out again; else it is used once."""
        return self.taken is not None or self.recall is not None

    @property
    def baseline(self) -> "Baseline | None":
        """The state that it is lent out in; None: it is used once.

        Raises:
            TrueupError: it was known without looking, and now nobody can connect to the database.
        """
        if self.taken is None and self.recall is not None:
            self.taken = self.recall()
            self.baseline_pid = self.taken.pid
        return self.taken

    @property
    def conninfo(self) -> ConnInfo:
        """How to connect to it."""
        return self.lease.conninfo

    @property
    def database(self) -> TestDatabase:
        """It as the code under test uses it: one pool for all tests, a new one after a test has closed it."""
        if self.opened is None or self.opened.pool.is_closed:
            settings = DatabaseSettings(conninfo=self.conninfo, service="test", max_connections=POOL_CONNECTIONS)
            self.opened = TestDatabase(settings)
        return self.opened

    @property
    def conn(self) -> KeptConnection:
        """The connection that is rolled back."""
        if self.kept is not None and not self.kept.is_lasting:
            self.kept.close()
        if self.kept is None or self.kept.closed:
            self.kept = open_kept(self.conninfo)
        return self.kept

    @property
    def observer(self) -> Connection:
        """A connection that only looks."""
        if self.eye is None or self.eye.closed:
            self.eye = connect(self.conninfo, application_name="observer")
            self.eye.execute("set default_transaction_read_only = on")
        return self.eye

    @property
    def pids(self) -> list[int]:
        """The server's processes for the connections that are kept."""
        kept = [connection for connection in (self.kept, self.eye) if connection is not None and not connection.closed]
        idle = list(self.opened.pool.idle) if self.opened is not None else []
        of_pool = [connection.backend_pid for connection in idle]
        return [self.baseline_pid, *of_pool, *(connection.info.backend_pid for connection in kept)]

    def remember(self, *, verify: bool) -> None:
        """Take the baseline that it is put back to.

        Raises:
            PermissionMissing: the role may not.
            Refused: somebody is at work in it.
        """
        self.taken = rewind.Baseline.take(self.conninfo, verify=verify)
        self.baseline_pid = self.taken.pid

    def rewind(self, baseline: "Baseline") -> "Rewound | NotRewound":
        """Bring it back to a baseline, or say why it can't be proven to be there."""
        if self.eye is not None and not self.eye.closed:
            self.eye.rollback()
            self.eye.row_factory = tuple_row
        pids = self.pids
        return baseline.rewind(tolerating=pids, told=pids if self.hand_in() else ())

    def ask(self) -> None:
        """Have the connections of the pool hand in what they have counted, without waiting for them."""
        if self.opened is None or self.opened.pool.held:
            return
        pool = self.opened.pool
        with pool.lock:
            self.told = (pool, pool.sums["checkouts"])
            self.asked, pool.idle = pool.idle, []
            pool.held.update((connection, Hold(())) for connection in self.asked)
        for connection in self.asked:
            with suppress(psycopg.OperationalError):  # The answer shows it.
                connection.pgconn.send_query(rewind.FLUSH)

    def hear(self) -> None:
        """Wait for those that were asked, and give them back to their pool."""
        asked, self.asked = self.asked, []
        for connection in asked:
            if not has_answered(connection):
                self.told = None
            if self.opened is not None:
                self.opened.pool.give_back(connection)

    def hand_in(self) -> bool:
        """Have every connection that is kept hand in what it has counted; return False where one can't."""
        self.hear()
        pool = self.opened.pool if self.opened is not None else None
        idle = pool.idle if pool is not None and self.told != (pool, pool.sums["checkouts"]) else ()
        for connection in (self.kept, self.eye, *idle):
            if connection is not None and not connection.closed:
                with connection.lock:
                    if connection.pgconn.exec_(rewind.FLUSH).status != ExecStatus.TUPLES_OK:
                        return False
        return True

    def close(self) -> None:
        """Close every connection of ours to it."""
        for connection in (self.kept, self.eye):
            if connection is not None:
                connection.close()
        if self.opened is not None:
            self.opened.close(drain_s=0)
        if self.taken is not None:
            self.taken.close()


def has_answered(connection: PooledConnection) -> bool:
    """Say whether a connection has handed in what it has counted, when it was asked; one that was closed has not."""
    results = iter(connection.pgconn.get_result, None)
    return [getattr(result, "status", None) for result in results] == [ExecStatus.TUPLES_OK]
