"""The databases of one process of tests: lent out, taken back, kept for the next test."""

from collections import defaultdict
from dataclasses import dataclass, field, replace

from trueup.conninfo import ConnInfo
from trueup.db import Connection, Database, connect
from trueup.settings import DatabaseSettings, Settings
from trueup.testing.host import Host
from trueup.testing.kept import KeptConnection, open_kept
from trueup.testing.leases import Lease, Site, open_site
from trueup.testing.marks import Kind
from trueup.testing.options import Options
from trueup.testing.templates import Recipe, ensure_template, is_parent, read_recipe

POOL_CONNECTIONS = 10


@dataclass(slots=True, kw_only=True)
class Loan:
    """Is a leased database with the connections to it that are kept from test to test."""

    lease: Lease
    database: Database
    kept: KeptConnection | None = None
    observer: Connection | None = None

    @property
    def conninfo(self) -> ConnInfo:
        """How to connect to it."""
        return self.lease.conninfo

    def close(self) -> None:
        """Close every connection of ours to it."""
        for connection in (self.kept, self.observer):
            if connection is not None:
                connection.close()
        self.kept = self.observer = None
        self.database.close(drain_s=0)


@dataclass(slots=True, kw_only=True)
class Databases:
    """Lends databases to the tests of one process, one at a time for each kind that is asked for."""

    site: Site
    settings: Settings
    options: Options
    free: dict[Kind, list[Loan]] = field(default_factory=lambda: defaultdict(list))
    templates: dict[Kind, str] = field(default_factory=dict)
    conn_loans: dict[Kind, Loan] = field(default_factory=dict)
    """What `conn` uses: nothing is ever committed there, so nobody else may."""

    def template(self, kind: Kind) -> str:
        """Return the template of a kind, built first where need be.

        Raises:
            UsageError, MigrationFailed: it can't be built.
        """
        if kind not in self.templates:
            self.templates[kind] = self.build(kind)
        return self.templates[kind]

    def build(self, kind: Kind) -> str:
        """Build the template of a kind, on top of the project's own one where that is its first part."""
        recipe = self.read(kind)
        own = self.read(Kind(schema=self.options.schema, seed=self.options.seed))
        if not is_parent(own, recipe):
            return ensure_template(self.site, recipe)
        ensure_template(self.site, own)
        return ensure_template(self.site, recipe, parent=own)

    def read(self, kind: Kind) -> Recipe:
        """Return what a kind is built from."""
        return read_recipe(replace(kind, schema=kind.schema or self.settings.schema))

    def create(self, kind: Kind) -> Loan:
        """Return a new clone."""
        lease = self.site.clone(self.template(kind), kind)
        settings = DatabaseSettings(conninfo=lease.conninfo, service="test", max_connections=POOL_CONNECTIONS)
        return Loan(lease=lease, database=Database(settings))

    def borrow(self, kind: Kind) -> Loan:
        """Return a database in its first state: one that was taken back, or a new clone."""
        return self.free[kind].pop() if self.free[kind] else self.create(kind)

    def discard(self, loan: Loan) -> None:
        """Drop a database."""
        loan.close()
        self.site.drop(loan.lease.name)

    def give_back(self, loan: Loan) -> None:
        """Take a database back."""
        self.discard(loan)

    def for_conn(self, kind: Kind) -> Loan:
        """Return the database in which `conn` works; nothing is ever committed there."""
        if kind not in self.conn_loans:
            self.conn_loans[kind] = self.create(kind)
        return self.conn_loans[kind]

    def close(self) -> None:
        """Drop every database."""
        for loan in [*self.conn_loans.values(), *(each for loans in self.free.values() for each in loans)]:
            self.discard(loan)
        self.free.clear()
        self.conn_loans.clear()
        self.site.close()


def open_databases(host: Host, options: Options, worker: str) -> Databases:
    """Connect to the server of the run."""
    site = open_site(host.conninfo, run=host.run, worker=worker, is_embedded=host.is_embedded)
    return Databases(site=site, settings=Settings.load(options.folder), options=options)


def open_conn(loan: Loan) -> KeptConnection:
    """Return the connection of `conn` to a database, kept from test to test."""
    if loan.kept is None or loan.kept.closed:
        loan.kept = open_kept(loan.conninfo)
    return loan.kept


def open_observer(loan: Loan) -> Connection:
    """Return the observer of a database, kept from test to test; it can't change anything."""
    if loan.observer is None or loan.observer.closed:
        loan.observer = connect(loan.conninfo, application_name="observer")
        loan.observer.execute("set default_transaction_read_only = on")
    return loan.observer
