"""How the stored sessions are: what has expired, what is missing, what is stale; for each company and together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from psycopg import sql

from ai_admin.sessions.expiry import EXPIRED, expiry
from ai_admin.sessions.model import KEYS, Retention, company_key, spellings
from trueup import observe
from trueup.db import Database
from trueup.errors import UsageError

Status = Literal["healthy", "warning", "critical"]

COUNT = sql.SQL("""
with keys as (
    select k.company_id,
        count(*) as total,
        count(*) filter (where {expired}) as expired,
        count(*) filter (where k.key_type = any(%(expiring)s) and k.expires_at is null) as without_expiry,
        max(k.updated_at) as updated_at
    from whatsapp_keys k
    where %(companies)s::text[] is null or k.company_id = any(%(companies)s)
    group by k.company_id
), auth as (
    select company_id, updated_at
    from whatsapp_auth
    where %(companies)s::text[] is null or company_id = any(%(companies)s)
)
select company_id, auth.company_id is not null, coalesce(total, 0), coalesce(expired, 0), coalesce(without_expiry, 0),
    greatest(auth.updated_at, keys.updated_at)
from keys
full join auth using (company_id)
order by company_id
""").format(expired=EXPIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Is where health ends: numbers of expired keys, and how old the last change of a session may be.

    Raises:
        UsageError: they are not in order.
    """

    warning: int = 100
    """From so many expired keys on."""
    critical: int = 250
    stale_after: timedelta = timedelta(hours=24)

    def __post_init__(self) -> None:
        if not 0 < self.warning < self.critical:
            raise UsageError(f"thresholds: 0 < warning < critical, not {self.warning} and {self.critical}")

    def status(self, expired: int) -> Status:
        """Return what a number of expired keys means."""
        return "critical" if expired >= self.critical else "warning" if expired >= self.warning else "healthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyHealth:
    """Is how the session of one company is."""

    company_id: str
    """In the form in which its rows are stored."""
    status: Status
    auth_records: int
    total_keys: int
    expired_keys: int
    keys_without_expiry: int
    """Of types that expire: no clean-up would ever find them."""
    last_update: datetime
    is_stale: bool

    @property
    def lacks_credentials(self) -> bool:
        """Whether there are keys of nobody."""
        return self.auth_records == 0

    @property
    def lacks_keys(self) -> bool:
        """Whether there are credentials without any key."""
        return self.total_keys == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionHealth:
    """Is how all sessions that were asked for are; `status` follows from the number of expired keys alone."""

    status: Status
    message: str
    auth_records: int
    total_keys: int
    expired_keys: int
    expired_share: float
    """From 0 to 1; 0 where there are no keys."""
    keys_without_expiry: int
    thresholds: Thresholds
    last_check: datetime
    """By the server's clock."""
    companies: tuple[CompanyHealth, ...]
    mixed_ids: tuple[str, ...]
    """Companies whose rows are stored under `company_ID` as well as, or instead of, ID."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong besides the number of expired keys: a sentence for each kind, with the companies."""
        if not self.companies:
            return ("no session is stored",)
        return tuple(
            f"{sentence}: {', '.join(found)}"
            for sentence, found in (
                ("keys without credentials", [one.company_id for one in self.companies if one.lacks_credentials]),
                ("credentials without keys", [one.company_id for one in self.companies if one.lacks_keys]),
                ("keys that never expire although they should", self.companies_with_endless_keys),
                ("nothing written for too long", [one.company_id for one in self.companies if one.is_stale]),
                ("rows under two forms of the id", self.mixed_ids),
            )
            if found
        )

    @property
    def companies_with_endless_keys(self) -> list[str]:
        """The companies that hold keys which no clean-up would ever find."""
        return [one.company_id for one in self.companies if one.keys_without_expiry]


DEFAULT_RETENTION = Retention()
DEFAULT_THRESHOLDS = Thresholds()


def check_session_health(
    db: Database,
    *,
    company_id: int | str | None = None,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    retention: Retention = DEFAULT_RETENTION,
) -> SessionHealth:
    """Return how the sessions are, in one query: that of one company under every form of its id, or all.

    Raises:
        DatabaseError: nothing could be read, which is neither healthy nor ill.
    """
    companies = None if company_id is None else spellings(company_key(company_id))
    with observe.operation("sessions", "check_health", KEYS.name), db.transaction(read_only=True) as block:
        ((now,),) = block.execute("select now()")
        rows = block.execute(COUNT, {"companies": companies} | expiry(retention.expiring, now)).fetchall()
    return summary([company_health(row, thresholds, now) for row in rows], thresholds, now)


def company_health(row: Sequence[object], thresholds: Thresholds, now: datetime) -> CompanyHealth:
    """Return the health that a row of COUNT tells."""
    company, has_creds, total, expired, without_expiry, last_update = row
    assert isinstance(company, str)
    assert isinstance(total, int)
    assert isinstance(expired, int)
    assert isinstance(without_expiry, int)
    assert isinstance(last_update, datetime)
    return CompanyHealth(
        company_id=company,
        status=thresholds.status(expired),
        auth_records=int(bool(has_creds)),
        total_keys=total,
        expired_keys=expired,
        keys_without_expiry=without_expiry,
        last_update=last_update,
        is_stale=now - last_update > thresholds.stale_after,
    )


def summary(companies: Sequence[CompanyHealth], thresholds: Thresholds, now: datetime) -> SessionHealth:
    """Return the health of all of them."""
    total, expired = sum(one.total_keys for one in companies), sum(one.expired_keys for one in companies)
    status, share = thresholds.status(expired), expired / total if total else 0.0
    return SessionHealth(
        status=status,
        message=f"{status}: {expired} of {total} keys have expired ({share:.0%}), in {len(companies)} sessions",
        auth_records=sum(one.auth_records for one in companies),
        total_keys=total,
        expired_keys=expired,
        expired_share=share,
        keys_without_expiry=sum(one.keys_without_expiry for one in companies),
        thresholds=thresholds,
        last_check=now,
        companies=tuple(companies),
        mixed_ids=tuple(sorted(set(mixed(one.company_id for one in companies)))),
    )


def mixed(stored: Iterable[str]) -> Iterable[str]:
    """Yield the ids of which another form than the one that is looked for is stored."""
    return (company_key(form) for form in stored if company_key(form) != form)
