"""Who compares segments: threads of this process with stations of their own, or whatever runs tasks elsewhere."""

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol

import psycopg

from trueup.db import connect
from trueup.errors import DatabaseError, TrueupError, Unverifiable
from trueup.parity.data.limits.bounds import Bounds
from trueup.parity.data.limits.halt import Halt
from trueup.parity.data.model import TableComparison
from trueup.parity.data.pairing.pairs import TablePair, Unpaired
from trueup.parity.data.reading.counting import count_rows
from trueup.parity.data.reading.segments import Segment
from trueup.parity.data.reading.verdicts import compare_segment
from trueup.parity.data.sides.lockstep import Lockstep
from trueup.parity.data.sides.stations import Access, Sealed, station

LOGIN_PAUSE_S = 0.5
"""Between two logins that end workers."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Task:
    """Is one thing to be done at a station; a plain value that can be pickled."""

    part: Segment | Unpaired
    max_rows: int

    def __repr__(self) -> str:
        """Return what logs of a cluster may show: no bound of a key, no condition of the user's."""
        return f"<Task {self.pair.table}, {self.number}>"

    @property
    def pair(self) -> TablePair | Unpaired:
        """Return what table it is of."""
        return self.part if isinstance(self.part, Unpaired) else self.part.pair

    @property
    def number(self) -> int:
        """Return which of the table's segments it is."""
        return 0 if isinstance(self.part, Unpaired) else self.part.number

    def run(self, both: Lockstep) -> TableComparison:
        """Return what was found."""
        if isinstance(self.part, Unpaired):
            return count_rows(both, self.part)
        return compare_segment(both, self.part, max_rows=self.max_rows)


class Crew(Protocol):
    """Is whoever does tasks."""

    def submit(self, task: Task) -> Future[TableComparison]:
        """Hand out a task."""

    def result(self, future: Future[TableComparison], task: Task) -> TableComparison:
        """Return what a task found.

        Raises:
            DatabaseError, Unverifiable: why nothing was.
        """


@contextmanager
def crew(both: Lockstep, bounds: Bounds, halt: Halt, executor: Executor | None) -> Iterator[Crew]:
    """Give whom tasks are handed to; what `halt` stops includes what they are at.

    One job alone is done at `both`.
    """
    access = Access.to(both, bounds.session)
    if executor:
        halt.call(lambda _: end_workers(access, halt))
        yield Elsewhere(access, executor)
        return
    with ExitStack() as stack, ThreadPoolExecutor(bounds.jobs, thread_name_prefix="trueup-worker") as pool:
        stations = Stations(access, pool, halt, stack)
        if bounds.jobs == 1:
            stations.lend(both)
        yield stations


class Stations:
    """Lends a station to each thread that has a task; no more are opened than are needed at the same time."""

    def __init__(self, access: Access, pool: Executor, halt: Halt, stack: ExitStack) -> None:
        self._access, self._pool, self._halt, self._stack = access, pool, halt, stack
        self._free: SimpleQueue[Lockstep] = SimpleQueue()

    def lend(self, both: Lockstep) -> None:
        """Let this one be used, too."""
        self._free.put(both)

    def submit(self, task: Task) -> Future[TableComparison]:
        """Hand a task to a thread."""
        return self._pool.submit(self._run, task)

    def result(self, future: Future[TableComparison], task: Task) -> TableComparison:  # noqa: ARG002 — of the protocol
        """Return what a task found."""
        return future.result()

    def _run(self, task: Task) -> TableComparison:
        try:
            both = self._free.get_nowait()
        except Empty:
            both = self._stack.enter_context(station(self._access))
            self._halt.watch(both)
        try:
            return task.run(both)
        finally:
            self._free.put(both)


class Elsewhere:
    """Hands tasks to processes or machines, each of which opens a station for each."""

    def __init__(self, access: Access, executor: Executor) -> None:
        self._access, self._executor = access, executor

    def submit(self, task: Task) -> Future[TableComparison]:
        """Hand a task to the executor."""
        return self._executor.submit(run_apart, self._access, task)

    def result(self, future: Future[TableComparison], task: Task) -> TableComparison:
        """Return what a task found.

        Raises:
            Unverifiable: the worker failed; what the executor says of that is the cause.
        """
        try:
            return future.result()
        except TrueupError:
            raise
        except Exception as error:
            # An executor has errors of its own: a process that was killed, a cluster that is gone.
            message = f"the worker that read {task.pair.table} failed with {type(error).__name__}"
            raise Unverifiable(message) from error


def run_apart(access: Access, task: Task) -> TableComparison:
    """Return what a task found at a station that is opened for it alone, in whatever process this is."""
    with station(access) as both:
        return task.run(both)


def end_workers(access: Access, halt: Halt) -> None:
    """End the connections of all workers of the run, wherever they are: each role may do that to its own."""
    halt.rest(LOGIN_PAUSE_S)
    for sealed in (access.source, access.target):
        with suppress(psycopg.Error, DatabaseError):
            end_backends(sealed, access.name)


def end_backends(sealed: Sealed, name: str) -> None:
    """End every connection of that application name."""
    connection = connect(sealed.open().with_parameters(application_name="trueup"))
    try:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = %s and usename = current_user",
            [name],
        )
    finally:
        connection.close()
