"""The file that keeps what each run concluded: a line a run, whole whatever interrupts the writing."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from trueup.report.model import Report
from trueup.report.runs import Run, decode, encode, run_of, with_changes

HISTORY = "history.jsonl"
MOST_RUNS = 400
MOST_BYTES = 8_000_000


def remember(report: Report, file: Path) -> Report:
    """Add a run to the history; return its report with what has changed since the last one that asked the same.

    A history that can't be read or written is a note of the report: the verdict doesn't hang on it.
    """
    try:
        with locked(file):
            runs = read_runs(file)
            compared = with_changes(report, runs)
            append(file, encode(run_of(report)))
    except OSError as error:
        return replace(report, notes=(*report.notes, f"History: {file} could not be kept: {error.strerror}."))
    return compared


def read_runs(file: Path) -> tuple[Run, ...]:
    """Return the runs that are kept, the oldest first; none where there is no file."""
    try:
        return decode(file.read_bytes().splitlines())
    except FileNotFoundError:
        return ()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Let one process at a time write to a file."""
    lock = os.open(file.with_name(f".{file.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def append(file: Path, line: bytes) -> None:
    """Add a line by one write, behind whatever an interrupted one has left; forget the oldest of too many."""
    kept = file.read_bytes() if file.exists() else b""
    lines = [*kept.splitlines(keepends=True), line]
    if len(lines) > MOST_RUNS or len(kept) + len(line) > MOST_BYTES:
        rewrite(file, lines)
        return
    separator = b"" if not kept or kept.endswith(b"\n") else b"\n"
    with file.open("ab", buffering=0) as opened:
        opened.write(separator + line)


def rewrite(file: Path, lines: list[bytes]) -> None:
    """Keep the last lines that there is room for, in a file that takes the place of the old one as a whole."""
    kept: list[bytes] = []
    size_bytes = 0
    for line in reversed(lines[-MOST_RUNS:]):
        size_bytes += len(line)
        if kept and size_bytes > MOST_BYTES // 2:
            break
        kept.append(line if line.endswith(b"\n") else line + b"\n")
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.write_bytes(b"".join(reversed(kept)))
    unfinished.replace(file)
