"""What a WhatsApp session consists of: its kinds of keys, which of them may expire, and how a company is named."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Any

from trueup.errors import UsageError
from trueup.tables import UNSET, Begins, Follows, Sql, Table

COMPANY_ID = re.compile(r"[A-Za-z0-9_-]{1,50}")
PREFIXED = re.compile(r"company_([0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Is who the session is: one row a company."""

    company_id: str
    creds: Annotated[Any, Sql("jsonb")]
    version: int = UNSET
    created_at: datetime = UNSET
    updated_at: datetime = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionKey:
    """Is one key of a session."""

    company_id: str
    key_type: str
    key_id: str
    value: Annotated[Any, Sql("jsonb")]
    version: int = UNSET
    expires_at: datetime | None = None
    created_at: datetime = UNSET
    updated_at: datetime = UNSET


CREDENTIALS = Table(
    "public.whatsapp_auth",
    Credentials,
    primary_key=("company_id",),
    tenant="company_id",
    insert_only=("created_at",),
    generated=("version",),
    touch="updated_at",
    marker=Begins("company_id", "-"),
)
KEYS = Table(
    "public.whatsapp_keys",
    SessionKey,
    primary_key=("company_id", "key_type", "key_id"),
    tenant="company_id",
    insert_only=("created_at",),
    generated=("version",),
    touch="updated_at",
    marker=Follows("public.whatsapp_auth", {"company_id": "company_id"}),
)


class Worth(Enum):
    """Is what it costs to lose a key."""

    REFETCHED = "refetched"
    """Nothing: WhatsApp is asked for it again."""
    COSTLY = "costly"
    """Messages."""
    IRREPLACEABLE = "irreplaceable"
    """The session itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Is one type of key."""

    worth: Worth
    loss: str
    """What happens when one is lost, as the end of a sentence."""
    ttl: timedelta | None = None
    """How long after its last use it is kept, unless told otherwise; None: for ever."""


WEEK, FORTNIGHT = timedelta(days=7), timedelta(days=14)
NOTHING_LOST = "it is fetched again when it is needed"
SESSION_LOST = "the session has to be paired again with the phone in hand"

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "lid-mapping": Kind(worth=Worth.REFETCHED, ttl=WEEK, loss=NOTHING_LOST),
        "lid-mapping-reverse": Kind(worth=Worth.REFETCHED, ttl=WEEK, loss=NOTHING_LOST),
        "device-list": Kind(worth=Worth.REFETCHED, ttl=FORTNIGHT, loss=NOTHING_LOST),
        "tctoken": Kind(worth=Worth.REFETCHED, ttl=FORTNIGHT, loss=NOTHING_LOST),
        "sender-key-memory": Kind(worth=Worth.REFETCHED, ttl=FORTNIGHT, loss="each group is sent our sender key again"),
        "session": Kind(
            worth=Worth.COSTLY,
            loss="messages of these contacts can't be read until both sides have built a new session",
        ),
        "pre-key": Kind(
            worth=Worth.COSTLY, loss="a first message that was encrypted with one of them can never be read"
        ),
        "sender-key": Kind(
            worth=Worth.COSTLY, loss="messages of these group members can't be read until they send a new key"
        ),
        "identity-key": Kind(worth=Worth.IRREPLACEABLE, loss="a contact whose identity was replaced goes unnoticed"),
        "app-state-sync-key": Kind(worth=Worth.IRREPLACEABLE, loss=SESSION_LOST),
        "app-state-sync-version": Kind(worth=Worth.IRREPLACEABLE, loss=SESSION_LOST),
    }
)
UNKNOWN = Kind(worth=Worth.IRREPLACEABLE, loss="nobody knows: this type is not known here")


def kind_of(key_type: str) -> Kind:
    """Return what is known of a type of key; one that is not known is never given up."""
    return KINDS.get(key_type, UNKNOWN)


def types_worth(*worth: Worth) -> tuple[str, ...]:
    """Return the names of the types whose loss costs that, in the order in which they are documented."""
    return tuple(name for name, kind in KINDS.items() if kind.worth in worth)


DEFAULT_TTL: Mapping[str, timedelta] = MappingProxyType(
    {name: kind.ttl for name, kind in KINDS.items() if kind.ttl is not None}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Is how long after its last use a key of each type is kept; a type that is not named here is kept for ever.

    Raises:
        UsageError: a type may not expire, or only with `accepts_loss_of`; the message says what would be lost.
    """

    ttl: Mapping[str, timedelta] = field(default_factory=lambda: DEFAULT_TTL)
    accepts_loss_of: frozenset[str] = frozenset()
    """The types that are no longer there when they are needed, by the operator's own decision."""

    def __post_init__(self) -> None:
        for name, ttl in self.ttl.items():
            if ttl <= timedelta(0):
                raise UsageError(f"the time to live of {name} must be more than nothing")
            check_loss(name, is_accepted=name in self.accepts_loss_of)

    @property
    def expiring(self) -> list[str]:
        """The types that expire."""
        return sorted(self.ttl)

    def hides(self, key_type: str) -> bool:
        """Say whether an expired key of a type is not returned: only what is fetched again is ever hidden."""
        return key_type in self.ttl and kind_of(key_type).worth is Worth.REFETCHED

    def ttl_s(self, key_type: str) -> float | None:
        """Return how long a key of a type is kept; None: for ever."""
        ttl = self.ttl.get(key_type)
        return None if ttl is None else ttl.total_seconds()


def check_loss(key_type: str, *, is_accepted: bool) -> None:
    """Raise UsageError unless keys of a type may be deleted for their age."""
    kind = kind_of(key_type)
    if kind.worth is Worth.IRREPLACEABLE:
        raise UsageError(f"{key_type} never expires: without it {kind.loss}")
    if kind.worth is Worth.COSTLY and not is_accepted:
        raise UsageError(f"{key_type} expires only where its loss is accepted by name: {kind.loss}")


def company_key(company_id: int | str) -> str:
    """Return the one form of a company's id that rows are stored under: `962302` for 962302 and `company_962302`.

    Raises:
        UsageError: it is no id; the message doesn't repeat it.
    """
    text = str(company_id) if type(company_id) is int else company_id
    if not isinstance(text, str) or not COMPANY_ID.fullmatch(text):
        raise UsageError("a company's id is an int, or 1 to 50 of the characters A-Z a-z 0-9 _ -")
    prefixed = PREFIXED.fullmatch(text)
    return prefixed[1] if prefixed else text


def spellings(company: str) -> list[str]:
    """Return every form in which rows of a company may be stored, its one form first."""
    return [company, f"company_{company}"] if company.isascii() and company.isdigit() else [company]
