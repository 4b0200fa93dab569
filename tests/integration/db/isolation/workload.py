"""Transactions by chance over few lists, run by many threads through the runtime, while things break."""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.integration.db.isolation.history import Append, Event, History, Operation, Read, Told, Version

from trueup.conninfo import ConnInfo
from trueup.db import Database, connect
from trueup.db.block import Block, Isolation
from trueup.errors import DatabaseError, LockTimeout, Outcome

SCHEMA = "create table lists (key int primary key, items int[] not null default '{}')"
READ = "select items from lists where key = %s"
APPEND = (
    "insert into lists values (%s, array[%s]::int[])"
    " on conflict (key) do update set items = lists.items || excluded.items"
)
REWRITE = "update lists set items = %s::int[] where key = %s"
LATE = 3
"""Keys that are a multiple have no row until the first append: there is nothing that a rewrite could lock."""
LIFE = 25
"""After how many commits the oldest key is left alone and a new one is taken up: long lists are slow to read."""

Doing = Literal["read", "append", "rewrite", "savepoint", "undone savepoint"]


@dataclass(frozen=True, slots=True)
class Step:
    """Is one thing to do in a transaction."""

    doing: Doing
    key: int = 0
    inner: "tuple[Step, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Is a transaction to run."""

    steps: tuple[Step, ...]
    is_repeated: bool = True
    """By run(), and not by transaction()."""
    is_given_up: bool = False
    """The caller changes its mind at the end."""
    is_careless: bool = False
    """The caller swallows an error at the end."""
    lock_timeout_s: float | None = None


class GivenUp(Exception):
    """Is what a caller raises to roll back."""


@dataclass
class Recorder:
    """Keeps what happened, for threads."""

    events: list[Event] = field(default_factory=list)
    endings: Counter[str] = field(default_factory=Counter)
    """How many calls ended how: committed, or the error's name."""
    values: Any = field(default_factory=lambda: itertools.count(1))

    def add(self, told: Told, operations: list[Operation]) -> None:
        self.events.append(Event(told=told, operations=tuple(operations)))

    @property
    def committed(self) -> int:
        return self.endings["committed"]


Runner = Callable[[Database, Plan, Recorder], None]


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Is how transactions are made up and run."""

    isolation: Isolation = "read committed"
    threads: int = 6
    keys: int = 6
    doings: tuple[Doing, ...] = ("read", "read", "read", "append", "append", "rewrite", "savepoint", "undone savepoint")
    is_locking: bool = True
    """Whether a rewrite locks the row that it reads."""
    runner: Runner | None = None
    """What runs a plan; None: the runtime."""

    def run(self, db: Database, recorder: Recorder, is_enough: Callable[[], object], *, seed: int) -> None:
        """Run until it is enough."""
        stop = threading.Event()

        def work(number: int) -> None:
            dice = random.Random(f"{seed}/{number}")
            try:
                while not is_enough() and not stop.is_set():
                    plan = self.make_plan(dice, recorder.committed // LIFE)
                    (self.runner or self.run_plan)(db, plan, recorder)
            finally:
                stop.set()

        with ThreadPoolExecutor(self.threads) as pool:
            for worker in [pool.submit(work, number) for number in range(self.threads)]:
                worker.result()

    def make_plan(self, dice: random.Random, base: int) -> Plan:
        return Plan(
            steps=self.make_steps(dice, base, dice.randint(1, 5)),
            is_repeated=dice.random() < 0.7,
            is_given_up=dice.random() < 0.03,
            is_careless=dice.random() < 0.03,
            lock_timeout_s=0.005 if dice.random() < 0.1 else None,
        )

    def make_steps(self, dice: random.Random, base: int, count: int, *, depth: int = 0) -> tuple[Step, ...]:
        steps = []
        for _ in range(count):
            doing = dice.choice(self.doings)
            if "savepoint" in doing and depth < 2:
                steps.append(Step(doing, inner=self.make_steps(dice, base, dice.randint(1, 2), depth=depth + 1)))
            elif "savepoint" not in doing:
                key = base + dice.randrange(self.keys)
                steps.append(Step(doing, key + (doing == "rewrite" and key % LATE == 0)))
        return tuple(steps)

    def run_plan(self, db: Database, plan: Plan, recorder: Recorder) -> None:
        """Run a plan as a service would, and record each attempt with what its caller was told."""
        attempts: list[list[Operation]] = []

        def work(block: Block) -> None:
            attempts.append([])
            self.perform(db, block, plan.steps, attempts[-1], recorder)
            if plan.is_careless:
                with suppress(DatabaseError):
                    block.execute("select 1 / 0")
            if plan.is_given_up:
                raise GivenUp

        told, ending = Told.COMMITTED, "committed"
        try:
            if plan.is_repeated:
                db.run(work, attempts=8, isolation=self.isolation)
            else:
                with db.transaction(isolation=self.isolation, lock_timeout_s=plan.lock_timeout_s) as block:
                    work(block)
        except GivenUp:
            told, ending = Told.ROLLED_BACK, "given up"
        except DatabaseError as error:
            told = Told.UNKNOWN if error.outcome is Outcome.UNKNOWN else Told.ROLLED_BACK
            ending = type(error).__name__
        for operations in attempts[:-1]:
            recorder.add(Told.ROLLED_BACK, operations)
        if attempts:
            recorder.add(told, attempts[-1])
        recorder.endings[ending] += 1
        recorder.endings["repeated"] += len(attempts) > 1

    def perform(
        self, db: Database, block: Block, steps: tuple[Step, ...], log: list[Operation], recorder: Recorder
    ) -> None:
        """Do the steps, and write into `log` what was done."""
        for step in steps:
            if step.doing == "read":
                log.append(Read(step.key, read(block, step.key)))
            elif step.doing == "append":
                append = Append(step.key, next(recorder.values))
                log.append(append)
                block.execute(APPEND, [append.key, append.value])
            elif step.doing == "rewrite":
                self.rewrite(block, step.key, log, recorder)
            else:
                self.nest(db, step, log, recorder)

    def rewrite(self, block: Block, key: int, log: list[Operation], recorder: Recorder) -> None:
        """Read a list and write it back one longer: as services do, and as can go wrong without a lock."""
        before = read(block, key, " for update" if self.is_locking else "")
        value = next(recorder.values)
        log += [Read(key, before), Append(key, value)]
        block.execute(REWRITE, [[*before, value], key])

    def nest(self, db: Database, step: Step, log: list[Operation], recorder: Recorder) -> None:
        """Do steps in a savepoint; one that is undone counts as a transaction that was rolled back."""
        inner: list[Operation] = []
        try:
            with db.transaction(lock_timeout_s=0.02) as block:
                self.perform(db, block, step.inner, inner, recorder)
                if step.doing == "undone savepoint":
                    raise GivenUp
        except (GivenUp, LockTimeout):
            recorder.add(Told.ROLLED_BACK, inner)
        except BaseException:
            log += inner
            raise
        else:
            log += inner


def read(block: Block, key: int, lock: str = "") -> Version:
    found = block.execute(READ + lock, [key]).fetchone()
    return tuple(found[0]) if found else ()


def prepare(conninfo: ConnInfo, goal: int) -> None:
    """Create the lists."""
    with connect(conninfo) as connection:
        connection.execute(SCHEMA)
        connection.execute(
            "insert into lists (key) select key from generate_series(0, %s) key where key %% %s <> 0",
            [goal // LIFE + 99, LATE],
        )


def collect(conninfo: ConnInfo, recorder: Recorder) -> History:
    """Return the history, with what is stored; nobody may write any more."""
    with connect(conninfo) as connection:
        rows = connection.execute("select key, items from lists").fetchall()
    return History(events=tuple(recorder.events), stored={key: tuple(items) for key, items in rows})
