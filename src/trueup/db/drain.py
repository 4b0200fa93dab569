"""How a service ends when it is told to: the work in hand is finished, the rest is cut and reported."""

import os
import signal
from collections.abc import Callable
from threading import Thread
from types import FrameType

from trueup.db.database import Database

Report = Callable[[tuple[str, ...]], object]


def drain_on_sigterm(database: Database, *, report: Report, drain_s: float = 10.0) -> None:
    """Let SIGTERM drain the database for up to `drain_s`, call `report` with the stacks that were cut, then end.

    The process ends by the same signal, as whoever sent it expects, unless a handler was there before: then by that.
    Call it from the main thread, where a service starts.
    """
    before = signal.getsignal(signal.SIGTERM)

    def end() -> None:
        report(database.close(drain_s=drain_s))
        os.kill(os.getpid(), signal.SIGTERM)

    def begin(number: int, frame: FrameType | None) -> None:
        del number, frame
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)
        Thread(target=end, name="trueup drain").start()

    signal.signal(signal.SIGTERM, begin)
