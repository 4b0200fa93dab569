"""Deletes expired keys in batches; a dry run walks the same way and deletes nothing."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from ai_admin.sessions.expiry import EXPIRED, expiry
from ai_admin.sessions.model import (
    DEFAULT_TTL,
    KEYS,
    Worth,
    check_loss,
    company_key,
    kind_of,
    spellings,
)
from trueup import observe
from trueup.db import Block, Database
from trueup.errors import DatabaseError, Refused, UsageError

Place = tuple[str, str, str]
"""The primary key of a key."""

BATCH_ROWS = 1000
BEGINNING: Place = ("", "", "")

DOOMED = sql.SQL("""
select k.company_id, k.key_type, k.key_id
from whatsapp_keys k
where {expired}
  and (%(companies)s::text[] is null or k.company_id = any(%(companies)s))
  and (k.company_id, k.key_type, k.key_id) > (%(company)s, %(key_type)s, %(key_id)s)
order by k.company_id, k.key_type, k.key_id
limit %(rows)s
for update of k
""").format(expired=EXPIRED)

DELETE = """
delete from whatsapp_keys k
using unnest(%(companies)s::text[], %(types)s::text[], %(ids)s::text[]) as g (company_id, key_type, key_id)
where k.company_id = g.company_id
  and k.key_type = g.key_type
  and k.key_id = g.key_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Is what a clean-up is about.

    Raises:
        UsageError: a type never expires; the message says what its loss would cost.
    """

    company_id: int | str | None = None
    """None: every company."""
    types: tuple[str, ...] = tuple(DEFAULT_TTL)
    """To name a type whose loss costs messages is to accept that."""
    as_of: datetime | None = None
    """What had expired by then; None: by now, on the server's clock."""

    def __post_init__(self) -> None:
        if not self.types:
            raise UsageError("no type of key is named")
        for key_type in self.types:
            check_loss(key_type, is_accepted=True)

    @property
    def companies(self) -> list[str] | None:
        """Every form of the company's id; None: every company."""
        return None if self.company_id is None else spellings(company_key(self.company_id))

    @property
    def losses(self) -> Mapping[str, str]:
        """What it costs, by type, where it costs anything."""
        return {name: kind_of(name).loss for name in self.types if kind_of(name).worth is not Worth.REFETCHED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleanup:
    """Is what a clean-up has deleted, or a dry run would have."""

    is_dry_run: bool
    as_of: datetime
    """A run with this instant deletes nothing that a dry run with the same one has not counted."""
    keys: Mapping[tuple[str, str], int]
    """How many, by company and type."""
    losses: Mapping[str, str]

    @property
    def total(self) -> int:
        """How many."""
        return sum(self.keys.values())


def clean_up(
    db: Database, selection: Selection, *, max_delete: int | None = None, batch_rows: int = BATCH_ROWS
) -> Cleanup:
    """Delete expired keys, each batch in a transaction of its own; return what was deleted.

    What is renewed or written before its batch comes is left alone.

    Raises:
        Refused: there are more than `max_delete`; nothing was deleted.
        DatabaseError: a batch failed; a note says how many keys were deleted before.
    """
    planned = plan_cleanup(db, selection, batch_rows=batch_rows)
    if max_delete is not None and planned.total > max_delete:
        raise Refused(f"{planned.total} keys have expired, which is more than {max_delete}: nothing was deleted")
    return sweep(db, selection, planned.as_of, delete, batch_rows)


def plan_cleanup(db: Database, selection: Selection, *, batch_rows: int = BATCH_ROWS) -> Cleanup:
    """Return what `clean_up` would delete, found on the same way: batch by batch, each key locked while it is counted.

    Raises:
        DatabaseError: a batch failed.
    """
    return sweep(db, selection, selection.as_of or server_time(db), None, batch_rows)


def sweep(
    db: Database, selection: Selection, as_of: datetime, act: Callable[[Block, Sequence[Place]], None] | None, rows: int
) -> Cleanup:
    """Walk over the expired keys and do with each batch what is to be done."""
    counted: Counter[tuple[str, str]] = Counter()
    try:
        with observe.operation("sessions", "clean_up", KEYS.name):
            for batch in batches(db, selection, as_of, act, rows):
                counted.update((company, key_type) for company, key_type, _ in batch)
    except DatabaseError as error:
        if act is not None:
            error.add_note(f"{counted.total()} keys were deleted before this happened")
        raise
    return Cleanup(is_dry_run=act is None, as_of=as_of, keys=dict(sorted(counted.items())), losses=selection.losses)


def batches(
    db: Database, selection: Selection, as_of: datetime, act: Callable[[Block, Sequence[Place]], None] | None, rows: int
) -> Iterator[list[Place]]:
    """Yield the expired keys in the order of their names, each batch after what was done with it is committed."""
    about = expiry(selection.types, as_of) | {"companies": selection.companies, "rows": rows}
    after = BEGINNING

    def take(block: Block) -> list[Place]:
        place = dict(zip(("company", "key_type", "key_id"), after, strict=True))
        found: list[Place] = block.execute(DOOMED, about | place).fetchall()
        if found and act is not None:
            act(block, found)
        return found

    while batch := db.run(take):
        yield batch
        after = batch[-1]


def delete(block: Block, places: Sequence[Place]) -> None:
    """Delete keys that the block holds."""
    companies, types, ids = zip(*places, strict=True)
    block.execute(DELETE, {"companies": list(companies), "types": list(types), "ids": list(ids)})


def server_time(db: Database) -> datetime:
    """Return what the server's clock says."""
    with db.connection() as connection:
        ((now,),) = connection.execute("select now()")
    assert isinstance(now, datetime)
    return now
