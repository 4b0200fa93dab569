"""The store that Baileys works with: one session's credentials and keys, safe against crashes and stale writers."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ai_admin.phones import Phone
from ai_admin.sessions.changes import ABSENT, Change, Data, Name, Plan, check_name, decide, read_changes
from ai_admin.sessions.errors import MixedIds, StaleWrite
from ai_admin.sessions.model import CREDENTIALS, KEYS, Retention, company_key
from ai_admin.sessions.repository import SessionRepository
from ai_admin.sessions.values import canonical_hash, stored_creds, with_one_buffer_form
from trueup import observe
from trueup.db import Block, Database
from trueup.errors import Disconnected

T = TypeVar("T")

DEFAULT = Retention()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """Is what was deleted of a session."""

    credentials: int
    keys: int


class SessionStore:
    """Keeps the session of one company in the database, for the one program that runs it.

    It remembers the version of every row that it has read or written, so that a write which follows from something
    outdated is refused. It remembers no values: what can't be read raises, and nothing stands in for it.
    Within a `db.transaction()` it joins that; what it then remembers counts from the commit on.
    """

    def __init__(self, db: Database, company_id: int | str, *, retention: Retention = DEFAULT) -> None:
        self.db = db
        self.company = company_key(company_id)
        self.rows = SessionRepository(db, self.company, retention)
        self.versions: dict[Name, int] = {}
        self.creds_version: int | None = None

    def __repr__(self) -> str:
        return f"SessionStore({self.company!r})"

    # -- credentials -----------------------------------------------------------------------------------------------

    def load_creds(self) -> dict[str, Any] | None:
        """Return the credentials; None: this company has no session yet.

        Raises:
            MixedIds: there are some, but under another form of the company's id.
            DatabaseError: they could not be read, which is not the same as None.
        """
        self.creds_version = ABSENT
        found = {company: (creds, version) for company, creds, version in again_if_lost(self.rows.find_creds)}
        if found.keys() - {self.company}:
            raise MixedIds(
                f"the credentials of company {self.company} are stored under company_{self.company} as well, or only:"
                " decide which are right and bring all rows to one form (docs/howto/whatsapp-sessions.md)"
            )
        if self.company not in found:
            return None
        creds, self.creds_version = found[self.company]
        loaded: dict[str, Any] = with_one_buffer_form(creds)
        return loaded

    def save_creds(self, creds: Mapping[str, Any]) -> None:
        """Store the credentials; when it returns they are committed.

        Raises:
            StaleWrite: others have stored other credentials since these were loaded.
            InvalidValue: jsonb can't hold them.
        """
        kept = stored_creds(creds)
        with observe.operation("sessions", "save_creds", CREDENTIALS.name):
            self.db.run(lambda block: self.write_creds(block, kept))

    def write_creds(self, block: Block, creds: Any) -> None:
        """Store credentials in a transaction."""
        expected, held = self.creds_version, self.rows.hold_creds(block)
        version = held[1] if held else ABSENT
        if expected not in {None, version} and not (held and is_same(held[0], creds)):
            raise StaleWrite(
                "the session's credentials were changed by others since they were loaded: load them again",
                table=CREDENTIALS.name,
                columns=("creds",),
            )
        new = self.rows.update_creds(block, creds) if held else self.rows.insert_creds(block, creds)
        block.on_commit(lambda: self.note_creds(new))

    def note_creds(self, version: int) -> None:
        """Remember the version of the credentials."""
        self.creds_version = version

    # -- keys ------------------------------------------------------------------------------------------------------

    def get(self, key_type: str, ids: Iterable[str]) -> dict[str, Any]:
        """Return those of the keys that there are, by id, and renew the time of those that expire.

        A key that WhatsApp can be asked for again is left out once it has expired.

        Raises:
            DatabaseError: they could not be read, which is not the same as an empty answer.
        """
        asked = list(dict.fromkeys(ids))
        for key_id in asked:
            check_name(key_type, key_id)
        # If the read fails and its error is swallowed, what is then written may only be new.
        self.versions.update(dict.fromkeys(((key_type, key_id) for key_id in asked), ABSENT))
        found = again_if_lost(lambda: self.rows.find_keys(key_type, asked))
        self.versions.update({(key_type, key_id): version for key_id, version in found.versions.items()})
        return dict(found.values)

    def set(self, data: Data) -> None:
        """Store and delete keys of any types, all or nothing; when it returns they are committed.

        `{type: {id: value}}`; None deletes. To repeat a call whose answer was lost is harmless. A key that this store
        has not looked at is replaced whatever it holds.

        Raises:
            StaleWrite: others have changed one of the keys since it was read here; read it again first.
            InvalidValue: jsonb can't hold one of the values.
        """
        changes = read_changes(data, self.versions)
        if changes:
            with observe.operation("sessions", "set", KEYS.name):
                self.db.run(lambda block: self.write(block, changes))

    def write(self, block: Block, changes: tuple[Change, ...]) -> None:
        """Store changes in a transaction."""
        plan = decide(changes, self.rows.hold_keys(block, [change.name for change in changes]))
        if plan.suspects:
            self.refuse_stale(block, plan)
        written = self.rows.write_keys(block, plan)
        gone = {change.name: ABSENT for change in changes if change.value is None}
        block.on_commit(lambda: self.versions.update(gone | written))

    def refuse_stale(self, block: Block, plan: Plan) -> None:
        """Raise StaleWrite unless every suspect is stored already just as the call has it."""
        stored = self.rows.values_of(block, [change.name for change in plan.suspects])
        stale = [change for change in plan.suspects if not is_same(stored.get(change.name), change.value)]
        if stale:
            types = ", ".join(sorted({change.name[0] for change in stale}))
            raise StaleWrite(
                f"{len(stale)} keys ({types}) were changed by others since they were read: read them again;"
                " two programs must not run one session",
                table=KEYS.name,
                columns=("value",),
            )

    # -- the whole session -----------------------------------------------------------------------------------------

    def clear(self) -> Cleared:
        """Delete credentials and keys together, whatever the form of the company's id they are stored under."""
        with observe.operation("sessions", "clear", KEYS.name):
            return self.db.run(self.delete_all)

    def replace(self, creds: Mapping[str, Any]) -> Cleared:
        """Begin anew: delete credentials and keys, and store new credentials, all or nothing."""
        kept = stored_creds(creds)

        def work(block: Block) -> Cleared:
            cleared = self.delete_all(block)
            version = self.rows.insert_creds(block, kept)
            block.on_commit(lambda: self.note_creds(version))
            return cleared

        with observe.operation("sessions", "replace", CREDENTIALS.name):
            return self.db.run(work)

    def delete_all(self, block: Block) -> Cleared:
        """Delete credentials and keys in a transaction."""
        credentials, keys = self.rows.delete_all(block)
        block.on_commit(self.forget)
        return Cleared(credentials=credentials, keys=keys)

    def forget(self) -> None:
        """Know of every row that was known that it isn't there."""
        self.versions = dict.fromkeys(self.versions, ABSENT)
        self.creds_version = ABSENT

    def pair(self, phone: str, fresh: Mapping[str, Any]) -> dict[str, Any]:
        """Return the credentials to connect with: those of this phone, or `fresh` ones, stored, if they are another's.

        The session of another phone is deleted in the same transaction that stores the new one.

        Raises:
            InvalidPhone: the text is no phone number; nothing was changed.
        """
        wanted = Phone(phone)
        creds = self.load_creds()
        if creds is not None and phone_of(creds) in {None, wanted}:
            return creds
        self.replace(fresh)
        return dict(fresh)


def again_if_lost(read: Callable[[], T]) -> T:
    """Return what a read gives; once more if its connection was lost, for a read can be repeated."""
    try:
        return read()
    except Disconnected:
        return read()


def is_same(stored: Any, given: Any) -> bool:
    """Say whether two values are equal in Node, whatever the form of their bytes."""
    return canonical_hash(stored) == canonical_hash(given)


def phone_of(creds: Mapping[str, Any]) -> Phone | None:
    """Return the phone that credentials are paired with: `79…:12@s.whatsapp.net` is +79…; None: with none yet.

    Raises:
        InvalidPhone: they are paired with what is no phone.
    """
    me = creds.get("me")
    jid = me.get("id") if isinstance(me, Mapping) else None
    return Phone("+" + re.split("[:@]", jid)[0]) if isinstance(jid, str) else None
