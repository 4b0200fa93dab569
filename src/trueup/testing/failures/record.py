"""One statement that a test ran, and how it is shown: without values, unless they were asked for."""

import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup.testing.guard.stacks import BETWEEN, OWN, PACKAGE

if TYPE_CHECKING:
    from types import FrameType

MAKERS = tuple(str(PACKAGE / "testing" / name) for name in ("data/making.py", "lending/kept.py", "lending/loans.py"))
"""Code of ours that runs statements in the test's name."""
PAST = (str(Path(__file__)), *BETWEEN, *MAKERS)
WIDTH = 300
LITERALS = re.compile(
    r"""
    (?P<quoted> [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' )
    | (?P<dollar> \$(?P<tag>\w*)\$ .*? \$(?P=tag)\$ )
    | (?<![\w$.]) (?P<number> \d[\d_.]*(?:[eE][+-]?\d+)? ) (?!\w)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(slots=True)
class Ran:
    """Is one statement that ran, or failed; made for every statement, so not frozen, which would cost a microsecond."""

    text: Any
    """As it was given to the driver: text, bytes, or something composed."""
    values: Any
    """None unless values are to be shown."""
    seconds: float
    rows: int | None
    failure: str = ""
    """The SQLSTATE, or the name of the error; empty when it ran."""
    held_up_by: tuple[str, ...] = ()
    """Who held the locks that it waited for in vain."""

    def line(self, *, shows_values: bool) -> str:
        """Return time, rows or failure, and the text."""
        rows = f"{self.rows} rows" if self.rows is not None and self.rows >= 0 else ""
        text = told(self.text, shows_values=shows_values)
        values = f"  {self.values!r}"[:WIDTH] if self.values else ""
        waits = "".join(f"\n      held up by {blocker}" for blocker in self.held_up_by)
        return f"{self.seconds * 1000:9.2f} ms {self.failure or rows:>10}  {text}{values}{waits}"


def told(text: Any, *, shows_values: bool) -> str:
    """Return a statement on one line; literals are left out unless values are to be shown."""
    if hasattr(text, "as_string"):
        text = text.as_string(None)
    readable = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
    if not shows_values:
        readable = LITERALS.sub(lambda found: "'…'" if found["quoted"] or found["dollar"] else "…", readable)
    line = " ".join(readable.split())
    return line if len(line) <= WIDTH else f"{line[:WIDTH]}…"


def is_of_the_test() -> bool:
    """Return whether it is the test, or a part of ours in its name, that runs a statement right now."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
    while frame is not None:
        if (is_test := speaks_for_test(frame.f_code.co_filename)) is not None:
            return is_test
        frame = frame.f_back
    return True


@cache
def speaks_for_test(file: str) -> bool | None:
    """Return whether what code in a file runs is the test's; None: who called that code tells."""
    return None if file.startswith(PAST) else not file.startswith(OWN)
