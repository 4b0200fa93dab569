"""What a comparison may cost, and who does it: options of commands that compare rows."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from time import monotonic
from typing import Any

import click

from trueup.cli.options import Command
from trueup.conninfo import ConnInfo
from trueup.parity.data import USUAL, Bounds, open_cluster

LEAST_S = 0.1
"""What a comparison gets whose time was up before both databases were open: it says what it did not compare."""

OPTIONS = (
    click.option(
        "--max-rows",
        type=click.IntRange(min=0),
        default=USUAL.max_rows,
        show_default=True,
        metavar="N",
        help="List so many differing rows of a table at most; the others are counted.",
    ),
    click.option(
        "--jobs",
        type=click.IntRange(min=1),
        metavar="N",
        help="Compare so many tables or parts of large ones at a time. [1; with --dask: as many as it has threads]",
    ),
    click.option(
        "--max-seconds",
        type=click.FloatRange(min=0, min_open=True),
        metavar="S",
        help="Stop after so long, connecting included, with what was compared until then: exit 3.",
    ),
    click.option(
        "--statement-timeout",
        "statement_timeout_s",
        type=click.FloatRange(min=0),
        metavar="S",
        help="Let a server give up a statement after so long; its table is not verified. 0: never. [the role's own]",
    ),
    click.option(
        "--gentle",
        is_flag=True,
        help="Spare both servers: one worker, none of their own, small parts, a pause after each as long as it took.",
    ),
    click.option(
        "--max-active",
        type=click.IntRange(min=0),
        default=USUAL.max_active,
        show_default=True,
        metavar="N",
        help="With --gentle: stop where more other connections than this are at work on a server.",
    ),
    click.option(
        "--dask",
        "cluster_address",
        metavar="ADDRESS",
        help="Compare on the workers of this dask.distributed scheduler: tls://HOST:8786.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Is what a comparison may cost, and who does it."""

    bounds: Bounds
    cluster_address: str | None
    has_jobs: bool
    """Whether the user chose how many."""
    begun: float = field(default_factory=monotonic)
    """When the command began, by the clock of `monotonic`."""

    @property
    def left(self) -> Bounds:
        """Return the bounds, less the time that has passed since the command began."""
        most_s = self.bounds.max_seconds
        if most_s is None:
            return self.bounds
        left_s = round(most_s - (monotonic() - self.begun), 1)
        return replace(self.bounds, max_seconds=max(min(LEAST_S, most_s), left_s))

    @contextmanager
    def engaged(self, places: Iterable[ConnInfo]) -> Iterator[tuple[Bounds, Executor | None]]:
        """Give the bounds that are left and, where a cluster is named, what runs tasks on it.

        Raises:
            UsageError, Unverifiable, Refused: see `open_cluster` and `Cluster.check_wire`.
        """
        if self.cluster_address is None:
            yield self.left, None
            return
        with open_cluster(self.cluster_address) as cluster:
            cluster.check_wire(places)
            is_free = not self.has_jobs and not self.bounds.is_gentle
            yield replace(self.left, jobs=cluster.threads) if is_free else self.left, cluster.executor


def bounded(command: Command) -> Command:
    """Give a command the options of bounds, as one argument `effort`."""

    @wraps(command)
    def with_effort(
        *,
        max_rows: int,
        jobs: int | None,
        max_seconds: float | None,
        statement_timeout_s: float | None,
        gentle: bool,
        max_active: int,
        cluster_address: str | None,
        **others: Any,
    ) -> Any:
        bounds = Bounds(
            max_rows=max_rows,
            jobs=jobs or USUAL.jobs,
            max_seconds=max_seconds,
            statement_timeout_s=statement_timeout_s,
            is_gentle=gentle,
            max_active=max_active,
        )
        effort = Effort(bounds=bounds, cluster_address=cluster_address, has_jobs=jobs is not None)
        return command(effort=effort, **others)

    for option in reversed(OPTIONS):
        with_effort = option(with_effort)
    return with_effort
