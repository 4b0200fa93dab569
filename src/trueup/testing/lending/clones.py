"""Clones made ahead: while a test runs, a thread makes the databases of the next ones, and drops those of the last.

A clone takes some 10 ms, its baseline 40, and dropping it 5; no test that lasts as long waits for any. How many are
made depends on how many tests of this process still want one, so that none is made in vain. One that is put back for
the next test is made ahead before the first test asks, and from the time when one could not be put back.
"""

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping

import psycopg

from trueup.errors import PermissionMissing, TrueupError
from trueup.testing.lending.leases import Site
from trueup.testing.lending.loans import Loan
from trueup.testing.lending.orders import Order
from trueup.testing.marks import Kind

DEPTH = 6
"""How many are ready at most; of those that are put back, one."""
PATIENCE_S = 10.0
"""How long the end waits for a database that is being made; a server that hangs must not keep pytest from ending."""


class Clones:
    """Makes and drops databases in a thread of its own, which begins when there is the first one to make or drop."""

    def __init__(
        self, connect_site: Callable[[], Site], wanted: Mapping[Order, int], *, is_verifying: bool = False
    ) -> None:
        self.connect_site = connect_site
        self.wanted = Counter(wanted)
        """How many of each order are still to be taken."""
        self.is_verifying = is_verifying
        self.templates: dict[Kind, str] = {}
        """The kinds that can be made."""
        self.ready: dict[Order, deque[Loan]] = defaultdict(deque)
        self.dropping: deque[Loan] = deque()
        self.is_closing = False
        self.is_broken = False
        """Whether making or dropping failed: whoever needs a database makes it, and hears why it can't be."""
        self.change = threading.Condition()
        self.thread: threading.Thread | None = None

    def take(self, order: Order, template: str) -> Loan | None:
        """Return a clone that is ready, None: there is none; either way, the next ones are made from now on.

        One with its baseline is waited for when it is being made.
        """
        with self.change:
            if order.is_put_back:
                self.change.wait_for(lambda: not self.is_due(order))
            self.templates[order.kind] = template
            self.wanted[order] -= 1
            found = self.ready[order].popleft() if self.ready[order] else None
            self.go_on()
        return found

    def replace(self, order: Order) -> None:
        """Make another one for one that could not be put back, and keep one more ready: it may happen again."""
        with self.change:
            self.wanted[order] = max(2, self.wanted[order] + 1)
            self.go_on()

    def is_due(self, order: Order) -> bool:
        """Say whether an order is being made, or is the next to be."""
        is_working = self.thread is not None and not self.is_broken and not self.is_closing
        return is_working and order.kind in self.templates and self.lacks(order)

    def lacks(self, order: Order) -> bool:
        """Say whether another one should be ready."""
        return len(self.ready[order]) < min(1 if order.is_put_back else DEPTH, self.wanted[order])

    def drop(self, loan: Loan) -> bool:
        """Close and drop a database soon; False: it can't be done here."""
        with self.change:
            if self.is_broken or self.is_closing:
                return False
            self.dropping.append(loan)
            self.go_on()
        return True

    def go_on(self) -> None:
        """Have the thread make and drop what is to be, and start it when there is something for the first time."""
        if self.thread is None and (self.dropping or self.next_order()):
            self.thread = threading.Thread(target=self.work, name="trueup-clones", daemon=True)
            self.thread.start()
        self.change.notify_all()

    def next_order(self) -> Order | None:
        """Return an order of which another one should be ready; those that somebody may wait for come first."""
        lacking = [order for order in self.wanted if order.kind in self.templates and self.lacks(order)]
        return max(lacking, key=lambda order: order.is_put_back, default=None)

    def work(self) -> None:
        """Make and drop databases until it is closed."""
        try:
            site = self.connect_site()
            try:
                while self.step(site):
                    continue
            finally:
                site.close()
        except (psycopg.Error, TrueupError):
            pass
        finally:
            with self.change:
                self.is_broken = not self.is_closing
                self.change.notify_all()

    def step(self, site: Site) -> bool:
        """Make or drop one database, or wait for something to do; return False at the end."""
        with self.change:
            if self.is_closing:
                return False
            order, old = self.next_order(), self.dropping[0] if self.dropping else None
            if order is None and old is None:
                self.change.wait()
                return True
        if order is not None:
            loan = self.make(site, order)
            with self.change:
                self.ready[order].append(loan)
                self.change.notify_all()
        elif old is not None:
            old.close()
            site.drop(old.lease.name)
            with self.change:
                self.dropping.popleft()
        return True

    def make(self, site: Site, order: Order) -> Loan:
        """Return a new clone, with its baseline where that is ordered and the role may take it."""
        loan = ready_loan(site, self.templates[order.kind], order.kind)
        if order.is_put_back:
            try:
                loan.remember(verify=self.is_verifying)
            except PermissionMissing:
                pass  # Who takes it will see.
            except BaseException:
                loan.close()
                site.drop(loan.lease.name)
                raise
        return loan

    def close(self) -> list[Loan]:
        """End the thread; return the databases that are left."""
        with self.change:
            self.is_closing = True
            self.change.notify_all()
        if self.thread is not None:
            self.thread.join(PATIENCE_S)
        return [*self.dropping, *(loan for loans in self.ready.values() for loan in loans)]


def ready_loan(site: Site, template: str, kind: Kind) -> Loan:
    """Return a new clone with one connection in its pool: the first one to a database takes longer than the next."""
    loan = Loan(lease=site.clone(template, kind))
    with loan.database.connection():
        return loan
