"""A file of events that wait: it outlives the process, and the next process of the service takes it over.

The first line says where the events begin that are not done yet; each further line is one event. A process holds a lock
on its file, so a file without one belongs to nobody any more.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable
from errno import ENOSPC
from pathlib import Path
from uuid import uuid4

HEADER = 21
SUFFIX = ".events"


class Spool:
    """Is the file of one process; it is made by the first event and removed when none is left. Not safe for threads.

    When the disk refuses, `is_durable` turns false and the events live in memory alone.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self.begin()

    def begin(self) -> None:
        """Start without a file."""
        self.path: Path | None = None
        self.file = -1
        self.head = self.end = HEADER
        self.is_durable = True

    def append(self, line: bytes) -> None:
        """Write an event before anybody tries to send it."""
        if not self.is_durable:
            return
        try:
            if self.path is None:
                self.create()
            self.write(line)
        except OSError:
            self.is_durable = False

    def write(self, line: bytes) -> None:
        """Write one line at the end.

        Raises:
            OSError: the disk took none or only a part of it.
        """
        if os.pwrite(self.file, line + b"\n", self.end) <= len(line):
            raise OSError(ENOSPC, os.strerror(ENOSPC))
        self.end += len(line) + 1

    def create(self) -> None:
        """Make the file, for the user's eyes only."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{os.getpid()}-{uuid4().hex[:8]}{SUFFIX}"
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.path = path
        self.head = self.end = HEADER
        self.note_head()

    def remove_first(self, line: bytes, rest: Iterable[bytes]) -> None:
        """Note that the first event is done; `rest` are the others, for a file that is to be written anew."""
        try:
            if self.path is None:
                self.create()
            self.head += len(line) + 1
            if self.head >= self.end or self.is_overgrown or not self.is_durable:
                self.rewrite(rest)
            else:
                self.note_head()
        except OSError:
            self.is_durable = False

    @property
    def is_overgrown(self) -> bool:
        """Whether the file is to be written anew: most of it is done."""
        return self.end > 2 * self.limit_bytes

    def rewrite(self, lines: Iterable[bytes]) -> None:
        """Begin the file anew with these events."""
        os.ftruncate(self.file, 0)
        self.head = self.end = HEADER
        self.note_head()
        for line in lines:
            self.write(line)
        self.is_durable = True

    def note_head(self) -> None:
        """Write where the events begin that are not done."""
        os.pwrite(self.file, b"%020d\n" % self.head, 0)

    def adopt(self) -> tuple[list[bytes], int]:
        """Move the events of processes that ended to this file; return them, and how many could not be read."""
        lines: list[bytes] = []
        damaged = 0
        for path in self.others():
            if self.end > self.limit_bytes:
                break
            with contextlib.suppress(OSError):
                found, bad = take_over(path, self)
                lines += found
                damaged += bad
        return lines, damaged

    def others(self) -> list[Path]:
        """Return the files of other processes, as far as they can be seen."""
        try:
            return sorted(set(self.folder.glob(f"*{SUFFIX}")) - {self.path}) if self.folder.is_dir() else []
        except OSError:
            return []

    def orphan(self) -> None:
        """Let go of the parent's file, in a child after a fork."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                os.close(self.file)
        self.begin()

    def close(self) -> None:
        """Close the file; one without events is removed."""
        if self.path is None:
            return
        if self.head >= self.end:
            self.path.unlink(missing_ok=True)
        os.close(self.file)
        self.begin()


def take_over(path: Path, heir: Spool) -> tuple[list[bytes], int]:
    """Move the events of a file whose process ended to the end of the heir's file."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_nlink == 0:
            return [], 0
        lines, damaged = read(path.read_bytes())
        for line in lines:
            heir.append(line)
        path.unlink()
        return lines, damaged
    finally:
        os.close(descriptor)


def read(content: bytes) -> tuple[list[bytes], int]:
    """Return the events of a file that are not done, and the number of lines that are none: a write was cut off."""
    header = content[: HEADER - 1]
    start = int(header) if header.isdigit() else HEADER
    lines = [line for line in content[start:].split(b"\n") if line]
    events = [line for line in lines if is_event(line)]
    return events, len(lines) - len(events)


def is_event(line: bytes) -> bool:
    """Return whether a line is a whole event."""
    try:
        found = json.loads(line)
    except ValueError:
        return False
    return isinstance(found, dict) and isinstance(found.get("event_id"), str)
