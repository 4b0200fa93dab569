"""The files of `trueup data diff --repair`: what makes the target like the source, and the way back."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trueup.errors import UsageError
from trueup.parity.data import TableComparison
from trueup.parity.data.beyond.foreign_keys import read_foreign_keys
from trueup.parity.data.repair import Repair, back, repair, there
from trueup.settings import Conversion
from trueup.verify.pair import Pair

OWNER_ALONE = 0o600


def way_back_of(file: Path) -> Path:
    """Return where the way back of a repair is written: `repair.back.sql` beside `repair.sql`."""
    return file.with_name(f"{file.stem}.back{file.suffix}")


@contextmanager
def reserved(file: Path | None) -> Iterator[None]:
    """Hold both files, empty and readable by nobody else; one that is empty still at the end is removed.

    Raises:
        UsageError: one of them is there already, or can't be created.
    """
    held: list[Path] = []
    try:
        for each in (file, way_back_of(file)) if file else ():
            create(each)
            held.append(each)
        yield
    finally:
        for each in held:
            if each.stat().st_size == 0:
                each.unlink()


def create(file: Path) -> None:
    """Create a file for its owner alone, which is never one that is there."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ALONE))
    except FileExistsError:
        raise UsageError(
            f"{file} is there already, and a repair overwrites nothing: name another by --repair"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}; name another file by --repair") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRepair:
    """Is what a repair does, and where it was written."""

    repair: Repair
    file: Path

    @property
    def as_json(self) -> dict[str, object]:
        """Return it as `data diff --json` prints it; without files where nothing can be repaired."""
        files = (str(self.file), str(way_back_of(self.file))) if self.repair.there else (None, None)
        return {
            "file": files[0],
            "back": files[1],
            **self.repair.counts,
            "not_repaired": [{"object": each.object, "reason": each.reason} for each in self.repair.refused],
            "triggers": list(self.repair.triggers),
        }

    @property
    def lines(self) -> Iterator[str]:
        """Yield what a person is told."""
        if self.repair.there:
            yield f"{self.file}: {self.repair.summary}"
            yield f"{way_back_of(self.file)}: the way back. Nothing has run them; both hold values of rows."
        else:
            yield "There is nothing that can be repaired, so no file was written."
        yield from (f"Not repaired: {each.object}: {each.reason}" for each in self.repair.refused)
        yield from (f"A trigger fires: {each}" for each in self.repair.triggers)


def write_repair(
    file: Path, pair: Pair, found: Iterable[TableComparison], conversions: Iterable[Conversion]
) -> WrittenRepair:
    """Write what repairs the rows that were found, and the way back, into files that are reserved."""
    planned = repair(pair.source, pair.target, found, conversions=conversions)
    if planned.there:
        foreign_keys, tables = read_foreign_keys(pair.target), pair.target.catalog.tables
        sides, behind = f"{pair.source.snapshot.conninfo} -> {pair.target.snapshot.conninfo}", way_back_of(file)
        texts = {
            behind: back(planned, foreign_keys, tables, sides=sides, there=file.name),
            file: there(planned, foreign_keys, tables, sides=sides, back=behind.name),
        }
        # Where the disk is full, a way back is there before what it undoes; a file without its end commits nothing.
        for each, text in texts.items():
            each.write_text(text, encoding="utf-8")
    return WrittenRepair(repair=planned, file=file)
