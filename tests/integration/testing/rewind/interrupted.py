"""Interrupts rewinds after ever longer times; prints, as JSON, what came of each.

A program of its own: Ctrl-C that comes while coverage holds its lock leaves it held, and the process waits for ever.
Argument: the connection string of a filled database.
"""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from tests.integration.testing.rewind.conftest import content, run_script

from trueup.conninfo import ConnInfo
from trueup.testing.rewind import Baseline, NotRewound, Rewound

TIMES_S = [0.0003 + number * 0.0005 for number in range(12)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Aftermath:
    """Is what an interruption left, and the content when another baseline has put it back."""

    refusal: str | None
    """Why the baseline can't be used again; None: it can."""
    is_true: bool
    """Whether a baseline that can be used again has put the database back: it was not cut short."""
    is_rescued: bool
    is_as_before: bool


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """Have Ctrl-C pressed after that time, once."""
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def aftermaths(conninfo: ConnInfo) -> Iterator[Aftermath]:
    """Yield what each interruption left; another baseline puts the database back after each."""
    first = content(conninfo)
    for seconds in TIMES_S:
        with Baseline.take(conninfo) as baseline, Baseline.take(conninfo) as rescue:
            run_script(conninfo, "update clients set score = 1; truncate notes; select nextval('tickets')")
            try:
                with interrupted_after(seconds):
                    found = baseline.rewind(tolerating={rescue.pid})
            except KeyboardInterrupt:
                found = baseline.rewind(tolerating={rescue.pid})
            baseline.close()
            yield Aftermath(
                refusal=found.reason if isinstance(found, NotRewound) else None,
                is_true=isinstance(found, NotRewound) or content(conninfo) == first,
                is_rescued=isinstance(rescue.rewind(), Rewound),
                is_as_before=content(conninfo) == first,
            )


if __name__ == "__main__":
    json.dump([asdict(left) for left in aftermaths(ConnInfo.parse(sys.argv[1]))], sys.stdout)
