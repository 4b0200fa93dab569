"""Interrupts work on a database at every moment at which Ctrl-C could come; prints, as JSON, what each one left behind.

A program of its own, because tracing every instruction has crashed interpreters that measured coverage, too.
Arguments: a connection string, the name of the work.
"""

import contextlib
import dis
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Self

import trueup.db
from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.db.block import CURRENT
from trueup.db.connection import connect
from trueup.settings import DatabaseSettings

RUNTIME = str(Path(trueup.db.__file__).parent)
INTERRUPTIBLE = frozenset({"CALL", "CALL_FUNCTION_EX", "CALL_KW", "RESUME", "JUMP_BACKWARD"})
"""After which instructions the interpreter looks for signals (Python/ceval.c, CHECK_EVAL_BREAKER)."""


class Interruption:
    """Raises KeyboardInterrupt at the n-th moment at which a signal could come through inside of the runtime."""

    def __init__(self, moment: int) -> None:
        self.left = moment
        self.place = ""
        self.before: dict[FrameType, int] = {}

    def __enter__(self) -> Self:
        sys.settrace(self.trace)
        return self

    def __exit__(self, *exception: object) -> None:
        sys.settrace(None)

    @property
    def has_come(self) -> bool:
        return self.left <= 0

    def trace(self, frame: FrameType, event: str, argument: object) -> Any:
        """Follow a call into the runtime by its instructions, and by nothing else."""
        if not frame.f_code.co_filename.startswith(RUNTIME):
            return None
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        return self.step

    def step(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "opcode":
            last, now = self.before.get(frame), frame.f_lasti
            self.before[frame] = now
            interruptible, failed = moments_of(frame.f_code)
            if last in interruptible and now not in failed:
                self.left -= 1
                if self.left == 0:
                    sys.settrace(None)
                    self.place = f"{frame.f_code.co_qualname}:{frame.f_lineno}"
                    self.before.clear()  # A frame that is kept would keep its block.
                    raise KeyboardInterrupt
        return self.step


@cache
def moments_of(code: CodeType) -> tuple[frozenset[int], frozenset[int]]:
    """Return the offsets of instructions behind which a signal may come through, and of where an exception arrives."""
    found = [(each.offset, each.opname) for each in dis.get_instructions(code)]
    return (
        frozenset(offset for offset, name in found if name in INTERRUPTIBLE),
        frozenset(offset for offset, name in found if name == "PUSH_EXC_INFO"),
    )


def use_connection(db: Database) -> None:
    with db.connection() as connection:
        connection.execute("select 1")


def use_transaction(db: Database) -> None:
    with db.transaction() as tx:
        tx.execute("insert into t values (1)")


def use_savepoint(db: Database) -> None:
    with db.transaction() as tx:
        tx.execute("insert into t values (1)")
        with db.transaction() as inner:
            inner.execute("insert into t values (2)")


WORKS: dict[str, Callable[[Database], None]] = {
    "connection": use_connection,
    "transaction": use_transaction,
    "savepoint": use_savepoint,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Aftermath:
    """Is what an interruption left: where it came, whether a block is still open, how many rows are committed."""

    place: str
    is_block_left: bool
    rows: int


def aftermaths(conninfo: ConnInfo, work: Callable[[Database], None]) -> Iterator[Aftermath]:
    """Yield what each interruption left; after each, the connection is used again."""
    settings = DatabaseSettings(conninfo=conninfo, service="svc", max_connections=1, checkout_timeout_s=1)
    with connect(conninfo) as observer, Database(settings) as db:
        work(db)
        for moment in itertools.count(1):
            observer.execute("delete from t")
            interruption = Interruption(moment)
            with contextlib.suppress(KeyboardInterrupt), interruption:
                work(db)
            if not interruption.has_come:
                return
            is_block_left = CURRENT.get() is not None
            use_connection(db)
            (rows,) = observer.execute("select count(*) from t").fetchone() or (0,)
            yield Aftermath(place=interruption.place, is_block_left=is_block_left, rows=rows)


if __name__ == "__main__":
    conninfo, work = sys.argv[1:]
    json.dump([asdict(left) for left in aftermaths(ConnInfo.parse(conninfo), WORKS[work])], sys.stdout)
