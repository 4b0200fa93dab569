"""Two structures, each of a database that is held in one snapshot, or of a file that has kept it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from trueup.conninfo import ConnInfo
from trueup.db import Snapshot, snapshot
from trueup.db.together import together
from trueup.errors import Refused
from trueup.parity.schema import Catalog, ObjectKey, Profile, Saved, apart_from, catalog
from trueup.parity.schema.planning import Structure, dependencies
from trueup.verify.structure import notes_on_order, notes_on_scope

Named = ConnInfo | Saved
"""What the name of a database stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StructurePair:
    """Is what a database is made of, held against what it should be made of."""

    source: Snapshot | Saved
    target: Snapshot | Saved
    mine: Catalog
    """What of the source is compared."""
    theirs: Catalog

    @property
    def catalogs(self) -> dict[str, Catalog]:
        """Return both structures by their roles."""
        return {"source": self.mine, "target": self.theirs}

    @property
    def names(self) -> tuple[str, str]:
        """Return both sides as people know them."""
        return described(self.source), described(self.target)

    def with_needs(self) -> tuple[Structure, Structure]:
        """Return both structures with what needs what in them."""
        return Structure(self.mine, needs_of(self.source)), Structure(self.theirs, needs_of(self.target))

    @property
    def notes(self) -> list[str]:
        """Return what a reader has to know beside the differences."""
        return [*notes_on_order(self.mine, self.theirs), *notes_on_scope(self.catalogs)]


@contextmanager
def open_structure_pair(source: Named, target: Named, *, profile: Profile | None = None) -> Iterator[StructurePair]:
    """Hold both databases still and read their structure, both at once; leave out what the profile names.

    Raises:
        ConnectionFailed: one of them can't be reached.
        Refused: they are the same database, or the same file.
    """
    with together(held_still(source), held_still(target)) as held:
        if identity(held[0]) == identity(held[1]):
            thing = "file" if isinstance(held[1], Saved) else "database"
            raise Refused(
                f"source and target are the same {thing} ({name_of(held[1])}): it equals itself, so that comparing"
                " would prove nothing; name two databases"
            )
        with ThreadPoolExecutor(max_workers=2) as executor:
            mine, theirs = apart_from(profile, *executor.map(structure_of, held))
        yield StructurePair(source=held[0], target=held[1], mine=mine, theirs=theirs)


def held_still(side: Named) -> AbstractContextManager[Snapshot | Saved]:
    """Return what gives a side as it is at one moment, which a file always does."""
    return nullcontext(side) if isinstance(side, Saved) else snapshot(side)


def identity(side: Snapshot | Saved) -> object:
    """Return what is equal for two sides exactly when they are one."""
    return Path(side.name).resolve() if isinstance(side, Saved) else side.identity


def structure_of(side: Snapshot | Saved) -> Catalog:
    """Return all that a side is made of."""
    return side.catalog if isinstance(side, Saved) else catalog(side)


def needs_of(side: Snapshot | Saved) -> frozenset[tuple[ObjectKey, ObjectKey]]:
    """Return what needs what in a side."""
    return side.needs if isinstance(side, Saved) else dependencies(side)


def name_of(side: Snapshot | Saved) -> str:
    """Return a side as the user named it, without a password."""
    return side.name if isinstance(side, Saved) else str(side.conninfo)


def described(side: Snapshot | Saved) -> str:
    """Return a side with its server, and since when a file keeps it."""
    major, minor = divmod(side.server_version, 10000)
    since = f", as trueup {side.trueup} read it at {side.taken_at:%Y-%m-%d %H:%M %Z}" if isinstance(side, Saved) else ""
    return f"{name_of(side)} (PostgreSQL {major}.{minor}{since})"
