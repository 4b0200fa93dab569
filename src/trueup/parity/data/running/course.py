"""The course of a comparison: table after table, segment after segment, until all is done or it is stopped."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from time import monotonic

import psycopg

from trueup.errors import DatabaseError, Disconnected, Unverifiable
from trueup.parity.data.hashing import looks
from trueup.parity.data.limits.bounds import SEGMENT_BYTES, Bounds
from trueup.parity.data.limits.halt import PATIENCE_S, Halt, halting
from trueup.parity.data.limits.load import busy
from trueup.parity.data.model import TableComparison
from trueup.parity.data.pairing.pairs import TablePair, Unpaired
from trueup.parity.data.pairing.span import Span
from trueup.parity.data.reading.segments import Segment, segments
from trueup.parity.data.running.crew import Crew, Task, crew
from trueup.parity.data.running.ledger import Ledger
from trueup.parity.data.sides.lockstep import Lockstep
from trueup.report.model import Verdict

FAREWELL_S = 4 * PATIENCE_S
"""How long workers may take to end once they are stopped; one that is logging in can't be."""
LONGEST_PAUSE_S = 5.0
IN_ORDER = 0.5
"""Of 1: so far the rows of a table have to lie in the order of their keys for it to be cut into segments."""

Waiting = dict[Future[TableComparison], Task]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Says which table is about to be compared."""

    table: str
    done: int
    total: int

    def __str__(self) -> str:
        return f"comparing rows of {self.table} ({self.done + 1} of {self.total} tables)"


OnProgress = Callable[[Progress], None]


def compare_pairs(
    both: Lockstep,
    pairs: Sequence[TablePair | Unpaired],
    ledger: Ledger,
    *,
    bounds: Bounds,
    executor: Executor | None = None,
    on_progress: OnProgress | None = None,
) -> None:
    """Compare what the ledger, which is open for them, doesn't know yet; it says why anything is left.

    A lost server, a worker that failed and the end of its time stop it, and are no error: what was found until then is
    noted. A user who interrupts it is heard when both servers have stopped.
    """
    with halting(bounds.max_seconds, both) as halt:
        try:
            with crew(both, bounds, halt, executor) as workers:
                course = Course(both=both, ledger=ledger, bounds=bounds, halt=halt, workers=workers)
                course.run(pairs, on_progress)
        finally:
            ledger.stopped = halt.reason or ledger.stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Is one comparison on its way."""

    both: Lockstep
    ledger: Ledger
    bounds: Bounds
    halt: Halt
    workers: Crew

    def run(self, pairs: Sequence[TablePair | Unpaired], on_progress: OnProgress | None) -> None:
        """Do what is to be done, as much at a time as there are jobs, until it is stopped."""
        waiting: Waiting = {}
        tasks = self._tasks(pairs, on_progress)
        try:
            while self._begin(tasks, waiting):
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    self._note(future, waiting.pop(future))
        except (DatabaseError, Unverifiable) as error:
            self.halt.begin(str(error))
        except psycopg.Error:
            # What is cancelled may be the end of a savepoint.
            if not self.halt.reason:
                raise
        except BaseException:
            self.halt.begin("it was interrupted")
            raise
        finally:
            self._leave(waiting)

    def _begin(self, tasks: Iterator[Task], waiting: Waiting) -> bool:
        """Hand out what there is room for; return whether anything is under way."""
        while len(waiting) < self.bounds.jobs and (task := next(tasks, None)):
            waiting[self.workers.submit(task)] = task
        return bool(waiting) and not self.halt.reason

    def _tasks(self, pairs: Sequence[TablePair | Unpaired], on_progress: OnProgress | None) -> Iterator[Task]:
        worked_s = 0.0
        for done, pair in enumerate(pairs):
            account = self.ledger.accounts[str(pair.table)]
            if account.is_complete:
                continue
            if on_progress:
                on_progress(Progress(table=str(pair.table), done=done, total=len(pairs)))
            if not account.spans:
                self.ledger.plan(pair, self._spans(pair))
            for number, span in enumerate(account.spans):
                if number in account.parts:
                    continue
                self._ease(worked_s)
                if self.halt.reason:
                    return
                began = monotonic()
                yield self._task(pair, number, span, len(account.spans))
                worked_s = monotonic() - began

    def _task(self, pair: TablePair | Unpaired, number: int, span: Span, total: int) -> Task:
        if isinstance(pair, Unpaired):
            return Task(part=pair, max_rows=self.ledger.room)
        segment = Segment(pair=pair.within(span), number=number, total=total)
        return Task(part=segment, max_rows=self.ledger.room)

    def _spans(self, pair: TablePair | Unpaired) -> tuple[Span, ...]:
        """Return the segments of a table; one where others would read all of it, or where it can't be read.

        Without an integer key every segment would read the whole table.
        """
        bytes_ = self.bounds.segment_bytes or (SEGMENT_BYTES if self.ledger.is_kept else None)
        whole = (Span(),)
        if isinstance(pair, Unpaired) or not pair.source.has_integer_key or not bytes_:
            return whole
        try:
            with self.both.savepoint():
                if self._is_scattered(pair):
                    return whole
                return tuple(one.span for one in segments(self.both, pair, segment_bytes=bytes_))
        except Disconnected:
            raise
        except Unverifiable:
            return () if self.halt.reason else whole

    def _is_scattered(self, pair: TablePair) -> bool:
        """Return whether rows of neighbouring keys lie far apart, so that each segment would read the whole table."""
        answers = self.both.run(
            lambda source: source.rows(looks.correlation(pair.source)),
            lambda target: target.rows(looks.correlation(pair.target)),
        )
        return any(found is not None and found < IN_ORDER for [(found,)] in answers)

    def _ease(self, worked_s: float) -> None:
        """Leave the servers alone for as long as they worked, where it is to be gentle; stop where others need them."""
        if not self.bounds.is_gentle:
            return
        self.halt.pause(min(worked_s, LONGEST_PAUSE_S))
        if self.halt.reason:
            return
        if pressed := busy(self.both, self.bounds.max_active, self.halt.pause):
            self.halt.begin(pressed)

    def _note(self, future: Future[TableComparison], task: Task) -> None:
        found = self.workers.result(future, task)
        # What was cancelled can't be told from what could not be read.
        if not self.halt.reason or found.verdict is not Verdict.INCONCLUSIVE:
            self.ledger.add(task.pair, task.number, found)

    def _leave(self, waiting: Waiting) -> None:
        """Wait for the end of what was begun, which is being stopped, and note what had ended well."""
        for future in waiting:
            future.cancel()
        for future in wait(waiting, timeout=FAREWELL_S).done:
            if not future.cancelled() and future.exception() is None:
                self._note(future, waiting[future])
