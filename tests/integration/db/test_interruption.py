"""Ctrl-C at any moment: Python may raise it after every call, also inside of our own code."""

import contextlib
import dis
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Self

import pytest
from tests.integration.db.conftest import Observer

import trueup.db
from trueup.db import Database
from trueup.db.block import CURRENT

OpenDb = Callable[..., Database]

RUNTIME = str(Path(trueup.db.__file__).parent)
INTERRUPTIBLE = frozenset({"CALL", "CALL_FUNCTION_EX", "CALL_KW", "RESUME", "JUMP_BACKWARD"})
"""After which instructions the interpreter looks for signals (Python/ceval.c, CHECK_EVAL_BREAKER)."""


class Interruption:
    """Raises KeyboardInterrupt at the n-th moment at which a signal could come through inside of the runtime."""

    def __init__(self, moment: int) -> None:
        self.left = moment
        self.place = ""
        self.before: dict[FrameType, int] = {}
        self.operations: dict[CodeType, dict[int, str]] = {}

    def __enter__(self) -> Self:
        sys.settrace(self.trace)
        return self

    def __exit__(self, *exception: object) -> None:
        sys.settrace(None)

    @property
    def has_come(self) -> bool:
        return self.left <= 0

    def trace(self, frame: FrameType, event: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(RUNTIME):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            last, self.before[frame] = self.before.get(frame), frame.f_lasti
            has_failed = self.name_of(frame.f_code, frame.f_lasti) == "PUSH_EXC_INFO"
            if last is not None and not has_failed and self.name_of(frame.f_code, last) in INTERRUPTIBLE:
                self.left -= 1
                if self.left == 0:
                    sys.settrace(None)
                    self.place = f"{frame.f_code.co_qualname}:{frame.f_lineno}"
                    self.before.clear()  # A frame that is kept would keep its block.
                    raise KeyboardInterrupt
        return self.trace

    def name_of(self, code: CodeType, offset: int) -> str:
        if code not in self.operations:
            self.operations[code] = {found.offset: found.opname for found in dis.get_instructions(code)}
        return self.operations[code][offset]


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


@pytest.mark.parametrize(
    ("work", "rows"),
    [(use_connection, {0}), (use_transaction, {0, 1}), (use_savepoint, {0, 2})],
    ids=["connection", "transaction", "savepoint"],
)
def test_interruption_at_any_moment_loses_no_connection(
    open_db: OpenDb, observer: Observer, work: Callable[[Database], None], rows: set[int]
) -> None:
    """W-P: the connection comes back or is closed, and the work happened whole or not at all."""
    db = open_db(max_connections=1, checkout_timeout_s=1)
    work(db)

    for moment in itertools.count(1):
        interruption = Interruption(moment)
        observer.run("truncate t")
        with contextlib.suppress(KeyboardInterrupt), interruption:
            work(db)
        if not interruption.has_come:
            break
        assert CURRENT.get() is None, interruption.place
        use_connection(db)
        assert observer.value("select count(*) from t") in rows, interruption.place

    assert moment > 20
