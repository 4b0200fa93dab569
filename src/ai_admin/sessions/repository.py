"""The rows of one company's session, and the SQL that reads and writes them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from psycopg import sql
from psycopg.types.json import Jsonb

from ai_admin.sessions.changes import ABSENT, Change, Name, Plan
from ai_admin.sessions.expiry import EXPIRED, expiry
from ai_admin.sessions.model import CREDENTIALS, KEYS, Retention, spellings
from ai_admin.sessions.values import with_one_buffer_form
from trueup import observe
from trueup.db import Block, Database
from trueup.errors import Conflict

FIND = sql.SQL("""
select k.key_id, k.value, k.version, {expired} is true as is_expired,
    %(ttl_s)s::float8 is not null
        and coalesce(k.expires_at < now() + make_interval(secs => %(ttl_s)s::float8 / 2), true) as is_due
from whatsapp_keys k
where k.company_id = %(company)s
  and k.key_type = %(key_type)s
  and k.key_id = any(%(ids)s)
""").format(expired=EXPIRED)

RENEW = """
update whatsapp_keys k
set expires_at = now() + make_interval(secs => %(ttl_s)s::float8)
from (
    select key_id
    from whatsapp_keys
    where company_id = %(company)s
      and key_type = %(key_type)s
      and key_id = any(%(ids)s)
    order by key_id
    for update skip locked
) used
where k.company_id = %(company)s
  and k.key_type = %(key_type)s
  and k.key_id = used.key_id
"""

HOLD = """
select k.key_type, k.key_id, k.version
from whatsapp_keys k
join unnest(%(types)s::text[], %(ids)s::text[]) as g (key_type, key_id) using (key_type, key_id)
where k.company_id = %(company)s
order by k.key_type, k.key_id
for update of k
"""

COMPARE = """
select k.key_type, k.key_id, k.value
from whatsapp_keys k
join unnest(%(types)s::text[], %(ids)s::text[]) as g (key_type, key_id) using (key_type, key_id)
where k.company_id = %(company)s
"""

WRITE = """
with given as (
    select *
    from json_to_recordset(%(rows)s) as g (key_type text, key_id text, value jsonb, ttl_s float8, is_held boolean)
), deleted as (
    delete from whatsapp_keys k
    using unnest(%(types)s::text[], %(ids)s::text[]) as g (key_type, key_id)
    where k.company_id = %(company)s
      and k.key_type = g.key_type
      and k.key_id = g.key_id
), updated as (
    update whatsapp_keys k
    set value = g.value, expires_at = now() + make_interval(secs => g.ttl_s), updated_at = now(), version = default
    from given g
    where g.is_held
      and k.company_id = %(company)s
      and k.key_type = g.key_type
      and k.key_id = g.key_id
    returning k.key_type, k.key_id, k.version
), inserted as (
    insert into whatsapp_keys (company_id, key_type, key_id, value, expires_at)
    select %(company)s, key_type, key_id, value, now() + make_interval(secs => ttl_s)
    from given
    where not is_held
    order by key_type, key_id
    on conflict (company_id, key_type, key_id) do nothing
    returning key_type, key_id, version
)
select key_type, key_id, version from updated
union all
select key_type, key_id, version from inserted
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Is what a read of keys has found."""

    values: Mapping[str, Any]
    """By id; without those that have expired."""
    versions: Mapping[str, int]
    """By id; with those that have expired."""


class SessionRepository:
    """Reads and writes the credentials and the keys of one company."""

    def __init__(self, db: Database, company: str, retention: Retention) -> None:
        self.db = db
        self.company = company
        self.retention = retention

    def find_creds(self) -> list[tuple[str, Any, int]]:
        """Return the credentials with their versions, under whichever form of the company's id they are stored."""
        with observe.operation("sessions", "find_creds", CREDENTIALS.name), self.db.connection() as connection:
            return connection.execute(
                "select company_id, creds, version from whatsapp_auth where company_id = any(%s)",
                [spellings(self.company)],
            ).fetchall()

    def hold_creds(self, block: Block) -> tuple[Any, int] | None:
        """Return the credentials and their version, and keep them as they are until the block ends."""
        found = block.execute(
            "select creds, version from whatsapp_auth where company_id = %s for update", [self.company]
        ).fetchone()
        return (found[0], found[1]) if found else None

    def insert_creds(self, block: Block, creds: Any) -> int:
        """Insert the credentials and return their version.

        Raises:
            Conflict: others inserted some at the same moment.
        """
        found = block.execute(
            "insert into whatsapp_auth (company_id, creds) values (%s, %s) on conflict do nothing returning version",
            [self.company, as_jsonb(creds)],
        ).fetchone()
        if found is None:
            raise Conflict("the session's credentials were inserted by others at the same moment: read them first")
        return int(found[0])

    def update_creds(self, block: Block, creds: Any) -> int:
        """Replace the credentials, which the block holds, and return their new version."""
        ((version,),) = block.execute(
            "update whatsapp_auth set creds = %s, updated_at = now(), version = default"
            " where company_id = %s returning version",
            [as_jsonb(creds), self.company],
        )
        return int(version)

    def find_keys(self, key_type: str, ids: Sequence[str]) -> Found:
        """Return those of the keys that there are, and renew the time of those that expire.

        What others write at this moment is renewed by them.
        """
        with observe.operation("sessions", "find_keys", KEYS.name), self.db.connection() as connection:
            hidden = [key_type] if self.retention.hides(key_type) else []
            about = {"company": self.company, "key_type": key_type, "ttl_s": self.retention.ttl_s(key_type)}
            rows = connection.execute(FIND, about | expiry(hidden) | {"ids": list(ids)}).fetchall()
            if due := [key_id for key_id, _, _, is_expired, is_due in rows if is_due and not is_expired]:
                connection.execute(RENEW, about | {"ids": due})
        return Found(
            values={key_id: with_one_buffer_form(value) for key_id, value, _, is_expired, _ in rows if not is_expired},
            versions={key_id: version for key_id, _, version, _, _ in rows},
        )

    def hold_keys(self, block: Block, names: Sequence[Name]) -> dict[Name, int]:
        """Return the versions of those keys that there are, and keep these as they are until the block ends."""
        rows = block.execute(HOLD, self.named(names))
        return {(key_type, key_id): version for key_type, key_id, version in rows}

    def values_of(self, block: Block, names: Sequence[Name]) -> dict[Name, Any]:
        """Return the values of those keys that there are, expired or not."""
        rows = block.execute(COMPARE, self.named(names))
        return {(key_type, key_id): value for key_type, key_id, value in rows}

    def write_keys(self, block: Block, plan: Plan) -> dict[Name, int]:
        """Carry out a plan for keys that the block holds; return the new version of each, ABSENT for the deleted.

        Raises:
            Conflict: others inserted one of the keys at the same moment; run the whole again.
        """
        rows = [
            *(self.row(change, is_held=True) for change in plan.updates),
            *(self.row(change, is_held=False) for change in plan.inserts),
        ]
        given = self.named(plan.deletes) | {"rows": msgspec.json.encode(rows).decode()}
        written = {(key_type, key_id): version for key_type, key_id, version in block.execute(WRITE, given)}
        if len(written) < len(rows):
            raise Conflict(f"{len(rows) - len(written)} of {len(rows)} keys were inserted by others at the same moment")
        return written | dict.fromkeys(plan.deletes, ABSENT)

    def row(self, change: Change, *, is_held: bool) -> dict[str, Any]:
        """Return what WRITE takes for one key."""
        key_type, key_id = change.name
        ttl_s = self.retention.ttl_s(key_type)
        return {"key_type": key_type, "key_id": key_id, "value": change.value, "ttl_s": ttl_s, "is_held": is_held}

    def named(self, names: Iterable[Name]) -> dict[str, Any]:
        """Return the parameters that name keys."""
        listed = list(names)
        return {
            "company": self.company,
            "types": [key_type for key_type, _ in listed],
            "ids": [key_id for _, key_id in listed],
        }

    def delete_all(self, block: Block) -> tuple[int, int]:
        """Delete credentials and keys under every form of the company's id; return how many there were of each."""
        forms = [spellings(self.company)]
        creds = block.execute("delete from whatsapp_auth where company_id = any(%s)", forms).rowcount
        return creds, block.execute("delete from whatsapp_keys where company_id = any(%s)", forms).rowcount


def as_jsonb(value: Any) -> Jsonb:
    """Return a value as a parameter."""
    return Jsonb(value, dumps=msgspec.json.encode)
