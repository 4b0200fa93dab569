"""Sync runs: one at a time for each entity of a company, and each of them accounted for."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from ai_admin.columns import OF_TEST_COMPANY, Count
from ai_admin.sync.errors import RunUnderWay
from ai_admin.sync.payloads import Reject
from ai_admin.zones import utc_now
from trueup import observe
from trueup.db import Connection, Database
from trueup.errors import DatabaseError
from trueup.tables import UNSET, Repository, Table, Written

Entity = Literal["company", "services", "staff", "clients", "schedules", "bookings"]
Status = Literal["running", "succeeded", "failed", "interrupted"]

KEPT_ERROR = 500
"""How much of an error's message is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRun:
    """Is one run, under way or over."""

    company_id: int = UNSET
    entity: Entity
    started_at: dt.datetime = UNSET
    finished_at: dt.datetime | None = UNSET
    fetched: Count = UNSET
    inserted: Count = UNSET
    updated: Count = UNSET
    unchanged: Count = UNSET
    rejected: Count = UNSET
    status: Status = UNSET
    error: str | None = UNSET
    id: int = UNSET


class SyncRuns(Repository[SyncRun]):
    """Reads and writes the runs of one company."""

    table = Table("public.sync_runs", SyncRun, primary_key=("id",), tenant="company_id", marker=OF_TEST_COMPANY)

    def latest(self, entity: Entity, *, status: Status = "succeeded") -> SyncRun | None:
        """Return the latest run of an entity that ended so: how old the data are."""
        return self.find_one(entity=entity, status=status, order_by="-started_at")


@dataclass(slots=True)
class Account:
    """Is what a run has done so far."""

    started_at: dt.datetime
    """By the server's clock."""
    fetched: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejects: list[Reject] = field(default_factory=list)

    def add(self, written: Written, ids: list[int]) -> None:
        """Count rows that were written, and those that the server refused; `ids` are those of the call, in order."""
        self.inserted += written.inserted
        self.updated += written.updated
        self.unchanged += written.unchanged
        for bad in written.rejected:
            reason = f"{bad.constraint or bad.column or 'the server'} refused it ({bad.sqlstate})"
            self.rejects.append(Reject(yclients_id=ids[bad.position], reason=reason))

    @property
    def error(self) -> str | None:
        """Why the run is no success although nothing failed; None: it is one."""
        if not self.rejects:
            return None
        reasons = sorted({reject.reason for reject in self.rejects})
        return f"{len(self.rejects)} of {self.fetched} were rejected: {'; '.join(reasons)}"[:KEPT_ERROR]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Is a run that is over, and what it could not store."""

    run: SyncRun
    rejects: tuple[Reject, ...]


class Recorder:
    """Records the runs of one company."""

    def __init__(self, db: Database, company_id: int) -> None:
        self.db = db
        self.runs = SyncRuns(db, company_id=company_id)
        self.company_id = company_id

    @contextmanager
    def running(self, entity: Entity) -> Iterator[tuple[Account, list[Outcome]]]:
        """Hold a run: what is done in the block is counted, and its end is recorded, whatever it is.

        The list receives the outcome when the block has ended without an exception.

        Raises:
            RunUnderWay: another program runs it.
            Disconnected: the connection that keeps others out was lost; the run counts as failed.
        """
        outcomes: list[Outcome] = []
        with self.db.connection() as lock:
            self.take(lock, entity)
            # Nobody else holds the lock, so whoever began these is gone.
            self.runs.update({"status": "interrupted", "finished_at": utc_now()}, entity=entity, status="running")
            run = self.runs.insert(SyncRun(entity=entity))
            account = Account(started_at=run.started_at)
            try:
                yield account, outcomes
                self.give_back(lock, entity)
            except Exception as failure:
                observe.report_failure(failure, component="sync", operation=entity)
                with self.noting_on(failure):
                    self.finish(run, account, "failed", f"{type(failure).__name__}: {failure}")
                    self.give_back(lock, entity)
                raise
            except BaseException as end:
                with self.noting_on(end):
                    self.finish(run, account, "interrupted")
                    self.give_back(lock, entity)
                raise
        run = self.finish(run, account, "failed" if account.error else "succeeded", account.error)
        outcomes.append(Outcome(run=run, rejects=tuple(account.rejects)))

    def take(self, lock: Connection, entity: Entity) -> None:
        """Keep other programs out for as long as the connection lasts."""
        row = lock.execute("select pg_try_advisory_lock(hashtextextended(%s, 0))", [self.name(entity)]).fetchone()
        if row != (True,):
            raise RunUnderWay(f"a sync of {entity} is under way for company {self.company_id}: wait until it is over")

    def give_back(self, lock: Connection, entity: Entity) -> None:
        """Let others in at once; that the connection still lives proves that nobody came in before."""
        lock.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [self.name(entity)])

    def name(self, entity: Entity) -> str:
        """Return what the lock is called."""
        return f"ai_admin.sync {self.company_id} {entity}"

    def finish(self, run: SyncRun, account: Account, status: Status, error: str | None = None) -> SyncRun:
        """Record the end of a run, and return it."""
        changes = {
            "finished_at": utc_now(),
            "fetched": account.fetched,
            "inserted": account.inserted,
            "updated": account.updated,
            "unchanged": account.unchanged,
            "rejected": len(account.rejects),
            "status": status,
            "error": error[:KEPT_ERROR] if error else None,
        }
        return self.runs.update(changes, id=run.id)[0]

    @contextmanager
    def noting_on(self, end: BaseException) -> Iterator[None]:
        """Note on what ended a run that the database is away as well, so that it still counts as running."""
        try:
            yield
        except DatabaseError as failure:
            end.add_note(f"the end of the run could not be recorded: {failure}")
