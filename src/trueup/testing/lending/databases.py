"""The databases of one process of tests: lent out, taken back, kept for the next test."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg

from trueup.conninfo import ConnInfo
from trueup.db.block import CURRENT
from trueup.errors import DatabaseError, PermissionMissing, UsageError
from trueup.testing import rewind
from trueup.testing.failures.keeping import keep
from trueup.testing.guard.gate import gate
from trueup.testing.guard.leaks.leak import Leak
from trueup.testing.guard.leaks.sessions import end_opened, end_sessions
from trueup.testing.lending.clones import Clones
from trueup.testing.lending.first import First
from trueup.testing.lending.kept import KeptConnection
from trueup.testing.lending.leases import open_site
from trueup.testing.lending.loans import Loan
from trueup.testing.lending.orders import Order
from trueup.testing.lending.returning import brought_back, check_server, is_in_use, put_back
from trueup.testing.lending.templates import Templates
from trueup.testing.marks import Kind
from trueup.testing.options import Options

if TYPE_CHECKING:
    from trueup.testing.rewind import NotRewound, Rewound


class Databases:
    """Lends databases to the tests of one process, which run one after the other."""

    def __init__(self, first: First, options: Options, worker: str, wanted: Mapping[Order, int]) -> None:
        """Go on from the first database; `wanted` says what is to be made ahead."""
        self.host = host = first.host
        self.schema = first.schema
        self.site = first.site
        self.templates = Templates(self.site, Kind(schema=self.schema, seed=options.seed))
        self.clones = Clones(
            partial(open_site, host.conninfo, run=host.run, worker=f"{worker}ahead", is_embedded=host.is_embedded),
            {replace(order, kind=self.whole(order.kind)): number for order, number in wanted.items()},
            is_verifying=options.is_verifying,
        )
        if first.order is not None and first.lease is not None:
            pid = first.baseline.pid if first.baseline is not None else 0
            loan = Loan(lease=first.lease, taken=first.baseline, baseline_pid=pid, recall=first.recall)
            self.clones.ready[first.order].append(loan)
            self.templates.know(first.lease)
        self.free: dict[Kind, list[Loan]] = defaultdict(list)
        """Those that were taken back, in their first state."""
        self.untouched: dict[Kind, Loan] = {}
        """Where `conn` works: nothing is ever committed in them."""
        self.can_rewind = True
        """Whether the role may; else each test has a new clone."""
        self.is_verifying = options.is_verifying
        self.lent: dict[str, Loan] = {}
        """By the name of the fixture that has it."""
        self.blocks: dict[str, Any] = {}
        """The transaction that was open when it was lent."""

    def whole(self, kind: Kind) -> Kind:
        """Return the kind with the project's schema where it names none."""
        return replace(kind, schema=kind.schema or self.schema)

    def create(self, kind: Kind, *, is_put_back: bool = False) -> Loan:
        """Return a new clone: one that was made ahead, or else made now.

        Raises:
            UsageError, MigrationFailed: its template can't be built.
        """
        kind = self.whole(kind)
        template, order = self.templates.name_of(kind), Order(kind=kind, is_put_back=is_put_back)
        return self.clones.take(order, template) or Loan(lease=self.site.clone(template, kind))

    def lend(self, fixture: str, kind: Kind) -> Loan:
        """Return a database in its first state, to a fixture."""
        kind = self.whole(kind)
        return self.hand_out(fixture, self.free[kind].pop() if self.free[kind] else self.create_to_keep(kind))

    def hand_out(self, fixture: str, loan: Loan) -> Loan:
        """Note who has a database, and within which transaction of this thread."""
        self.lent[fixture] = loan
        self.blocks[fixture] = CURRENT.get()
        return loan

    def create_to_keep(self, kind: Kind) -> Loan:
        """Return a new clone with its baseline, where the role may take that."""
        loan = self.create(kind, is_put_back=self.can_rewind)
        if self.can_rewind and not loan.is_put_back:
            try:
                loan.remember(verify=self.is_verifying)
            except PermissionMissing:
                self.can_rewind = False
        return loan

    def lend_new(self, fixture: str, kind: Kind) -> Loan:
        """Return a new clone, to a fixture."""
        return self.hand_out(fixture, self.create(kind))

    def lend_untouched(self, kind: Kind) -> Loan:
        """Return the database where `conn` works."""
        kind = self.whole(kind)
        if kind not in self.untouched:
            self.untouched[kind] = self.create(kind)
        return self.untouched[kind]

    def lend_shared(self, shared: str, kind: Kind) -> Loan:
        """Return the database that another fixture has, which is to be put back to how it is now.

        Raises:
            UsageError: the test wants another kind than that is.
        """
        loan = self.lent[shared]
        if self.whole(kind) != loan.lease.kind:
            raise UsageError(
                f"`db` is the database of `{shared}` here, which has another seed, template or time zone than this"
                f" test's mark says: put the mark where `{shared}` is made, or ask for `fresh_db`"
            )
        if (outer := loan.baseline) is None:
            raise UsageError(
                f"`db` can't put the database of `{shared}` back, because the user of the server is no superuser: ask"
                " for `fresh_db`"
            )
        loan.inner = outer.nest()
        return self.hand_out("db", loan)

    def ask(self) -> None:
        """Have the connections of a test's database hand in what they have counted, for `take_back`."""
        if (loan := self.lent.get("db")) is not None and loan.is_put_back:
            loan.ask()

    def hear(self) -> None:
        """Read what they say."""
        if (loan := self.lent.get("db")) is not None:
            loan.hear()

    def end_conn(self, loan: Loan, connection: KeptConnection) -> None:
        """Roll the connection of `conn` back; a database in which something may be stored is not used again."""
        if locks := connection.end():
            gate.owner.leaks.append(
                Leak(kind="advisory lock", what=f"`conn` still held {locks} advisory locks that outlive a transaction")
            )
        if connection.is_spoilt and loan in self.untouched.values():
            self.discard(loan)

    def take_back(self, fixture: str) -> None:
        """Take the database of a fixture back, in its first state, or replace it.

        Raises:
            Refused: the test changed what belongs to others as well, and what nobody can put back.
        """
        loan = self.lent.pop(fixture)
        end_opened()
        CURRENT.set(self.blocks.pop(fixture))  # A transaction that was left open is nobody else's.
        if loan.inner is not None and fixture == "db":
            put_back(loan)
        elif not loan.is_put_back:
            if is_in_use(self.site.admin, loan):
                end_sessions(loan.conninfo, kept=loan.pids)
            self.discard(loan)
        else:
            self.settle(loan, brought_back(loan))

    def keep(self, fixture: str, node: str) -> ConnInfo:
        """Let go of the database of a failed test, and return how to connect to it; nobody drops it.

        Raises:
            UsageError: other tests share it.
        """
        loan = self.lent[fixture]
        if loan.inner is not None:
            raise UsageError("a database that tests share can't be kept for one of them")
        del self.lent[fixture]
        end_opened()
        end_sessions(loan.conninfo, kept=loan.pids)
        loan.close()
        return self.host.conninfo.with_parameters(dbname=keep(self.site.admin, loan.lease.name, node))

    def settle(self, loan: Loan, outcome: "Rewound | NotRewound") -> None:
        """Keep a database that is in its first state again; replace another one."""
        if not isinstance(outcome, rewind.NotRewound):
            self.free[loan.lease.kind].append(loan)
            return
        self.clones.replace(Order(kind=loan.lease.kind, is_put_back=True))
        self.discard(loan)
        check_server(outcome)

    def discard(self, loan: Loan) -> None:
        """Close and drop a database, now or soon."""
        for kind, other in list(self.untouched.items()):
            if other is loan:
                del self.untouched[kind]
        if not self.clones.drop(loan):
            loan.close()
            self.site.drop(loan.lease.name)

    def close(self) -> None:
        """Close all connections; drop the databases where the server stays."""
        loans = [*self.clones.close(), *self.untouched.values(), *self.lent.values()]
        loans += [loan for free in self.free.values() for loan in free]
        with suppress(psycopg.OperationalError, DatabaseError):  # When the server is gone, who comes next sweeps.
            for loan in loans:
                loan.close()
                if not self.host.is_embedded:
                    self.site.drop(loan.lease.name)
        self.site.close()
