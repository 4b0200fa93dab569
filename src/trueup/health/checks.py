"""The checks that every service has, and how one that the project declares becomes one of them."""

import statistics
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import Enum
from time import perf_counter
from typing import Protocol

from trueup import observe
from trueup.db import Database
from trueup.db.budgets import budget
from trueup.db.statistics import Statistics
from trueup.health.figures import figures
from trueup.health.model import SPELLINGS, Answer, Status
from trueup.health.watch import Check
from trueup.settings import Service

REMEMBERED = 1_000
"""Of so many of the last round trips the percentiles are made."""
CROWDED = 0.8
"""From this share of the pool on it is told that few connections are left."""
OVERDUE = timedelta(hours=26)
"""A verification that is made every night has not passed for too long by then."""


def check_database(db: Database, services: Iterable[Service] = ()) -> Check:
    """Return the check of a database: one round trip, this process's pool, and the budget of all services."""
    declared = tuple(services)
    round_trips: deque[float] = deque(maxlen=REMEMBERED)

    def check() -> Answer:
        with db.connection() as connection:
            begun = perf_counter()
            connection.execute("select 1")
            round_trips.append(perf_counter() - begun)
            found = budget(connection, declared) if declared else None
        pool = db.statistics()
        problems = ["the pool is nearly used up"] if pool.usage > CROWDED and pool.max_size > 1 else []
        measured: dict[str, object] = {"pool": pool_figures(pool), "latency_ms": percentiles(round_trips)}
        if found is not None:
            problems += ["connections exceed the budget"] if found.findings else []
            in_use = sum(found.room.in_use.values())
            measured["budget"] = {"most": found.most, "available": found.room.available, "in_use": in_use}
        status = Status.WARN if problems else Status.OK
        return Answer(status=status, reason="; ".join(problems), figures=measured)

    return check


def check_tracking() -> Answer:
    """Answer whether failures are reported, and what became of every event."""
    found = observe.status()
    status, reason = (Status.OK, "") if found.is_enabled else (Status.WARN, "failures are not reported")
    return Answer(status=status, reason=reason, figures=figures(found.account))


class Stamp(Protocol):
    """Is what runs that are made every night leave behind."""

    @property
    def last_run_at(self) -> datetime | None:
        """Return when one ended."""

    @property
    def last_success_at(self) -> datetime | None:
        """Return when one passed."""


def check_runs(read: Callable[[], Stamp], *, is_awaited: bool) -> Check:
    """Return the check that runs come, and pass: a failure 26 hours after the last one that passed.

    Where none has ever ended that is a failure if one `is_awaited`.
    """

    def check() -> Answer:
        stamp = read()
        ran, passed = stamp.last_run_at, stamp.last_success_at
        measured = {"last_run_at": ran, "last_success_at": passed}
        if ran is None and not is_awaited:
            status, reason = Status.OK, "no run is awaited"
        elif passed is None or datetime.now(UTC) - passed > OVERDUE:
            status, reason = Status.FAIL, "no run has passed for 26 hours"
        else:
            status, reason = (Status.OK, "") if ran == passed else (Status.WARN, "the last run did not pass")
        return Answer(status=status, reason=reason, figures=figures(measured))

    return check


def pool_figures(pool: Statistics) -> dict[str, object]:
    """Return the state of a pool as it is shown."""
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in asdict(pool).items()}


def percentiles(seconds: Iterable[float]) -> dict[str, object]:
    """Return the median, the 95th and the 99th percentile in ms, and how many round trips (1 or more) they are of."""
    measured = sorted(seconds)
    cuts = statistics.quantiles(measured, n=100, method="inclusive") if len(measured) > 1 else measured * 99
    return {
        "p50": round(cuts[49] * 1e3, 3),
        "p95": round(cuts[94] * 1e3, 3),
        "p99": round(cuts[98] * 1e3, 3),
        "count": len(measured),
    }


def domain_check(db: Database, function: Callable[[Database], object]) -> Check:
    """Return the check that a project's own function makes: its result's `status` and figures, none of its texts.

    `ok`, `pass`, `up` and `healthy` are well, `warn` and `warning` nearly; everything else is a failure.
    """

    def check() -> Answer:
        result = function(db)
        said = getattr(result, "status", None)
        word = str(said.value if isinstance(said, Enum) else said).lower()
        status = SPELLINGS.get(word, Status.FAIL)
        return Answer(
            status=status,
            reason="" if status is Status.OK else "see its figures",
            figures=figures(result),
        )

    return check
