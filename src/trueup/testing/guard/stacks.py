"""Where something was opened: positions in the code, taken in microseconds and turned into text only for a report."""

import linecache
import sys
from functools import cache
from itertools import islice, takewhile
from pathlib import Path
from threading import current_thread
from types import CodeType, FrameType
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import pytest

if TYPE_CHECKING:
    from threading import Thread

DEPTH = 48
SHOWN = 8

RawStack = tuple[tuple[CodeType, int], ...]

PACKAGE = Path(__file__).parents[2]
SERVERS = f"{PACKAGE}/servers/"
OWN = (f"{PACKAGE}/testing/", SERVERS)
DOORS = (f"{PACKAGE}/testing/guard/stacks.py", f"{PACKAGE}/testing/guard/gate.py", f"{PACKAGE}/testing/guard/doors/")
SITE = str(Path(pytest.__file__).parents[1])
STANDARD = str(Path(linecache.__file__).parent)
BETWEEN = (
    *DOORS,
    *(f"{PACKAGE}/{part}/" for part in ("db", "migrations", "tables", "observe")),
    *(f"{SITE}/{name}/" for name in ("psycopg", "psycopg_pool", "asyncpg", "psycopg2", "pg8000", "sqlalchemy")),
    *(f"{SITE}/sentry_sdk/{name}" for name in ("integrations/", "utils.py")),
    f"{SITE}/django/db/",
    *(f"{STANDARD}/{name}" for name in ("threading.py", "contextlib.py", "asyncio/", "concurrent/")),
    *(f"{STANDARD}/{name}" for name in ("multiprocessing/", "subprocess.py")),
)
"""What lies between who opens a connection and the connection: drivers, pools, and the plumbing of threads."""
RUNNERS = (f"{SITE}/_pytest/", f"{SITE}/pluggy/")

STARTED: "WeakKeyDictionary[Thread, RawStack]" = WeakKeyDictionary()
"""Where each thread was started: a stack goes on there, for that is whose work a thread does."""


def capture() -> RawStack:
    """Return the positions of the callers, the innermost first, across the start of the thread."""
    frames: list[tuple[CodeType, int]] = []
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
    for _ in range(DEPTH):
        if frame is None:
            return (*frames, *STARTED.get(current_thread(), ()))
        frames.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(frames)


def is_own(stack: RawStack, *, past: tuple[str, ...] = BETWEEN) -> bool:
    """Return whether it is the plugin itself that opened something, or a server that is being started."""
    for code, _ in stack:
        if not lies_in(code.co_filename, past):
            return lies_in(code.co_filename, OWN)
    return False


@cache
def lies_in(file: str, places: tuple[str, ...]) -> bool:
    """Return whether a file is one of these, or in one of these folders; every file is asked for many times."""
    return file.startswith(places)


def readable(stack: RawStack) -> str:
    """Return a stack as lines for people: the nearest first, down to the test, without drivers and plumbing."""
    inside = takewhile(lambda position: not position[0].co_filename.startswith(RUNNERS), stack)
    told = [position for position in inside if not position[0].co_filename.startswith((*BETWEEN, *OWN))]
    return "\n".join(map(told_position, told[:SHOWN])) or "  (opened by no code of yours)"


def told_position(position: tuple[CodeType, int]) -> str:
    """Return one position: file, line, function, and the line's text."""
    code, instruction = position
    found = next(islice(code.co_positions(), instruction // 2, None), None)
    line = (found[0] if found else None) or code.co_firstlineno
    text = linecache.getline(code.co_filename, line).strip()
    return f"  {code.co_filename}:{line} in {code.co_name}" + (f": {text}" if text else "")
