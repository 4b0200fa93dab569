"""Clones made ahead: while a test runs, a thread makes the databases of the next ones, and drops those of the last.

A clone takes some 10 ms and dropping it 5; no test that lasts as long waits for either. How many are made depends on
how many tests of this process still want one, so that none is made in vain.
"""

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping

import psycopg

from trueup.errors import TrueupError
from trueup.testing.leases import Site
from trueup.testing.loans import Loan
from trueup.testing.marks import Kind

DEPTH = 6
"""How many are ready at most."""
PATIENCE_S = 10.0
"""How long the end waits for a database that is being made; a server that hangs must not keep pytest from ending."""


class Clones:
    """Makes and drops databases in a thread of its own, which begins with the first one that is taken."""

    def __init__(self, connect_site: Callable[[], Site], wanted: Mapping[Kind, int]) -> None:
        self.connect_site = connect_site
        self.wanted = Counter(wanted)
        """How many tests of each kind are still to come."""
        self.templates: dict[Kind, str] = {}
        """The kinds that can be made."""
        self.ready: dict[Kind, deque[Loan]] = defaultdict(deque)
        self.dropping: deque[Loan] = deque()
        self.is_closing = False
        self.is_broken = False
        """Whether making or dropping failed: whoever needs a database makes it, and hears why it can't be."""
        self.change = threading.Condition()
        self.thread: threading.Thread | None = None

    def take(self, kind: Kind, template: str) -> Loan | None:
        """Return a clone that is ready, None: there is none; either way, the next ones are made from now on."""
        with self.change:
            self.templates[kind] = template
            self.wanted[kind] -= 1
            found = self.ready[kind].popleft() if self.ready[kind] else None
            self.begin()
            self.change.notify()
        return found

    def drop(self, loan: Loan) -> bool:
        """Close and drop a database soon; False: it can't be done here."""
        with self.change:
            if self.is_broken or self.is_closing:
                return False
            self.dropping.append(loan)
            self.begin()
            self.change.notify()
        return True

    def begin(self) -> None:
        """Start the thread, the first time."""
        if self.thread is None:
            self.thread = threading.Thread(target=self.work, name="trueup-clones", daemon=True)
            self.thread.start()

    def next_kind(self) -> Kind | None:
        """Return a kind of which another one should be ready."""
        for kind in self.templates:
            if len(self.ready[kind]) < min(DEPTH, self.wanted[kind]):
                return kind
        return None

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
            self.is_broken = True

    def step(self, site: Site) -> bool:
        """Make or drop one database, or wait for something to do; return False at the end."""
        with self.change:
            if self.is_closing:
                return False
            kind, old = self.next_kind(), self.dropping[0] if self.dropping else None
            if kind is None and old is None:
                self.change.wait()
                return True
        if kind is not None:
            loan = ready_loan(site, self.templates[kind], kind)
            with self.change:
                self.ready[kind].append(loan)
        elif old is not None:
            old.close()
            site.drop(old.lease.name)
            with self.change:
                self.dropping.popleft()
        return True

    def close(self) -> list[Loan]:
        """End the thread; return the databases that are left."""
        with self.change:
            self.is_closing = True
            self.change.notify()
        if self.thread is not None:
            self.thread.join(PATIENCE_S)
        return [*self.dropping, *(loan for loans in self.ready.values() for loan in loans)]


def ready_loan(site: Site, template: str, kind: Kind) -> Loan:
    """Return a new clone with one connection in its pool: the first one to a database takes longer than the next."""
    loan = Loan(lease=site.clone(template, kind))
    with loan.database.connection():
        return loan
