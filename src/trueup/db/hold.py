"""Who took a connection, when and where: kept for every checkout, so it must cost next to nothing."""

import sys
from itertools import islice
from pathlib import Path
from threading import get_ident
from time import monotonic
from types import CodeType, FrameType

DEPTH = 14
OWN_FOLDER = str(Path(__file__).parent)

RawStack = tuple[tuple[CodeType, int], ...]


def capture() -> RawStack:
    """Return the innermost frames of the caller: positions only, no values."""
    frames = []
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
    for _ in range(DEPTH):
        if frame is None:
            break
        frames.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(frames)


def readable(stack: RawStack) -> str:
    """Return a stack as one line per frame, the innermost first, without our own frames."""
    return "\n".join(
        f"  {code.co_filename}:{line_of(code, position)} in {code.co_name}"
        for code, position in stack
        if not code.co_filename.startswith(OWN_FOLDER)
    )


def line_of(code: CodeType, position: int) -> int:
    """Return the line of an instruction."""
    found = next(islice(code.co_positions(), position // 2, None), None)
    return (found[0] if found else None) or code.co_firstlineno


class Hold:
    """Is one checkout of a connection: who asked for it, and since when it is theirs."""

    __slots__ = ("is_open", "is_reported", "stack", "taken_at", "thread")

    def __init__(self, stack: RawStack) -> None:
        self.stack = stack
        """Of who asked; empty: the pool itself, for a moment."""
        self.thread = get_ident()
        self.taken_at = monotonic()
        self.is_open = False
        """Whether a connection is held by it."""
        self.is_reported = False

    def begin(self) -> None:
        """Count from now: a connection was given."""
        self.taken_at = monotonic()
        self.is_open = True

    def __str__(self) -> str:
        where = f"thread {self.thread}, taken at\n{readable(self.stack)}" if self.stack else "the pool itself"
        return f"held for {monotonic() - self.taken_at:.1f} s by {where}"
