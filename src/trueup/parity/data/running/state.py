"""What was compared, kept in a file, so that a comparison that was stopped goes on where it was.

The file is one JSON object. It holds no value of a row but keys: those of the rows that differ, which the result names,
and the bounds of segments, which are integers. So it is its owner's alone.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Annotated, Literal

import msgspec

from trueup.errors import Refused, UsageError
from trueup.parity.data.model import TableComparison
from trueup.parity.data.pairing.span import Span
from trueup.parity.data.running.ledger import Account, Ledger
from trueup.parity.data.sides.moment import Moments
from trueup.report.model import Verdict

FORMAT: Literal["trueup comparison"] = "trueup comparison"
FORMAT_VERSION = 1
OWNER_ALONE = 0o600
SHARE = 10
"""Writing takes at most one part in so many of the time."""


class Run(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Is one run that added to the file, and what both databases were at its moment."""

    began_at: Annotated[datetime, msgspec.Meta(tz=True)]
    moments: Moments


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Is one segment that was compared."""

    number: int
    run: int
    """In which run."""
    found: TableComparison


class Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Is one table."""

    table: str
    digest: str
    spans: tuple[Span, ...]
    parts: list[Part]


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Is what every file of any version begins with."""

    format: Literal["trueup comparison"]
    format_version: int


class Content(Head, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Is the content of a file."""

    runs: list[Run]
    tables: list[Kept]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """Is how a comparison that was stopped went on."""

    began_at: datetime
    """The first of its runs."""
    runs: int
    is_of_one_moment: bool
    """Whether nobody has written to either server between any two of its runs."""
    taken: int
    """Segments that were not compared again."""

    @property
    def as_json(self) -> dict[str, object]:
        """Return it as `data diff --json` prints it."""
        return {
            "began_at": self.began_at,
            "runs": self.runs,
            "parts": self.taken,
            "of_one_moment": self.is_of_one_moment,
        }


class State:
    """Is the file of one comparison; its ledger is kept there."""

    def __init__(self, file: Path, content: Content | None) -> None:
        self.file = file
        self.ledger = Ledger(on_open=self._meet, on_change=self._keep)
        self._runs = list(content.runs) if content else []
        self._run_of: dict[tuple[str, int], int] = {}
        self._next_at = 0.0
        for kept in content.tables if content else ():
            parts = {part.number: part.found for part in kept.parts if is_known(part.found)}
            account = Account(table=kept.table, digest=kept.digest, spans=kept.spans, parts=parts)
            self.ledger.accounts[kept.table] = account
            self._run_of |= {(kept.table, part.number): part.run for part in kept.parts if part.number in parts}
        self._taken = len(self._run_of)

    @property
    def resumption(self) -> Resumption | None:
        """Return how it went on; None where it began."""
        used = {*self._run_of.values()}
        if not self._taken:
            return None
        seen = {tuple(one.snapshot for one in self._runs[number].moments) for number in used}
        return Resumption(
            began_at=self._runs[min(used)].began_at,
            runs=len(used),
            is_of_one_moment=len(seen) == 1,
            taken=self._taken,
        )

    def _meet(self, found: Moments, began_at: datetime) -> None:
        """Hold the databases against those that the file is of.

        Raises:
            Refused: they are others.
        """
        if self._taken:
            for role, then, now in zip(("source", "target"), self._runs[0].moments, found, strict=True):
                if (then.database, then.name) != (now.database, now.name):
                    raise Refused(
                        f"{self.file} is the state of another comparison: its {role} was {then.name}, and now it is"
                        f" {now.name}{'' if then.name != now.name else ', another database under that name'}; name"
                        " another file by --state"
                    )
        self._runs.append(Run(began_at=began_at, moments=found))

    def _keep(self, table: str, number: int) -> None:
        """Write the file, unless that has just taken long."""
        self._run_of[table, number] = len(self._runs) - 1
        if (began := monotonic()) >= self._next_at:
            self.write()
            self._next_at = monotonic() + (SHARE - 1) * (monotonic() - began)

    def leave(self) -> None:
        """Write the file for the next run; without anything to keep, leave none."""
        if self.ledger.accounts:
            self.write()
        elif self.file.exists() and self.file.stat().st_size == 0:
            self.file.unlink()

    def write(self) -> None:
        """Write the file, whole or not at all."""
        tables = [
            Kept(
                table=one.table,
                digest=one.digest,
                spans=one.spans,
                parts=[
                    Part(number=number, run=self._run_of[one.table, number], found=found)
                    for number, found in one.parts.items()
                ],
            )
            for one in self.ledger.accounts.values()
        ]
        content = Content(format=FORMAT, format_version=FORMAT_VERSION, runs=self._runs, tables=tables)
        replace_file(self.file, msgspec.json.encode(content))


def is_known(part: TableComparison) -> bool:
    """Return whether a segment was read; what could not be is tried again."""
    return part.verdict is not Verdict.INCONCLUSIVE or part.is_empty


@contextmanager
def open_state(file: Path) -> Iterator[State]:
    """Hold the state that a file keeps, or a new one; at the end it is written, or removed where all was compared.

    Raises:
        UsageError: the file is no state, or can't be read or written.
    """
    state = State(file, read_state(file))
    if not file.exists():
        replace_file(file, b"")
    try:
        yield state
    except BaseException:
        state.leave()
        raise
    if state.ledger.is_complete:
        file.unlink(missing_ok=True)
    else:
        state.leave()


def read_state(file: Path) -> Content | None:
    """Return what a file keeps; None where it is not there, or empty.

    Raises:
        UsageError: it can't be read, is no state, or has a format that this version doesn't know.
    """
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from None
    return decode_state(text, str(file)) if text else None


def decode_state(text: bytes, name: str) -> Content:
    """Return the state in the content of a file of that name.

    Raises:
        UsageError: it is none, or has a format that this version doesn't know.
    """
    try:
        head = msgspec.json.decode(text, type=Head)
        if head.format_version != FORMAT_VERSION:
            raise UsageError(
                f"{name} has format version {head.format_version}, and this trueup reads version {FORMAT_VERSION}:"
                " begin again with another file"
            )
        return msgspec.json.decode(text, type=Content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UsageError(f"{name} is not a state that `trueup data diff --state` wrote: name another file") from None


def replace_file(file: Path, content: bytes) -> None:
    """Write a file that its owner alone may read, whole or not at all.

    Raises:
        UsageError: it can't be written.
    """
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ALONE)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        unfinished.replace(file)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}; name another file by --state") from None
