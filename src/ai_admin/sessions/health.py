"""How the stored sessions are: what has expired, what is missing, what is stale; for each company and together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
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
select checked_at, company_id, auth.company_id is not null, coalesce(total, 0), coalesce(expired, 0),
    coalesce(without_expiry, 0), greatest(auth.updated_at, keys.updated_at)
from (select now() as checked_at) as checked
left join (keys full join auth using (company_id)) on true
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
    def faults(self) -> Mapping[str, tuple[str, ...]]:
        """What is wrong besides the number of expired keys, by its name in SENTENCES: the companies; none is empty."""
        found = {
            "keys_without_credentials": self.those(lambda one: one.lacks_credentials),
            "credentials_without_keys": self.those(lambda one: one.lacks_keys),
            "keys_without_expiry": self.those(lambda one: one.keys_without_expiry > 0),
            "stale": self.those(lambda one: one.is_stale),
            "mixed_ids": self.mixed_ids,
        }
        return {name: companies for name, companies in found.items() if companies}

    def those(self, is_meant: Callable[[CompanyHealth], bool]) -> tuple[str, ...]:
        """Return the ids of some of the companies."""
        return tuple(one.company_id for one in self.companies if is_meant(one))

    @property
    def problems(self) -> tuple[str, ...]:
        """The faults, a sentence each; that there is no session is one as well."""
        if not self.companies:
            return ("no session is stored",)
        return tuple(f"{SENTENCES[name]}: {', '.join(companies)}" for name, companies in self.faults.items())


SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "keys_without_credentials": "keys without credentials",
        "credentials_without_keys": "credentials without keys",
        "keys_without_expiry": "keys that never expire although they should",
        "stale": "nothing written for too long",
        "mixed_ids": "rows under two forms of the id",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFigures:
    """Is the health of all sessions in figures, which name no company: what a health server shows."""

    status: Literal["ok", "warn", "fail"]
    """`fail` when critical; `warn` at a warning, at any fault, and where there is no session to look at."""
    message: str
    auth_records: int
    total_keys: int
    expired_keys: int
    expired_share: float
    thresholds: Thresholds
    last_check: datetime
    faults: Mapping[str, int]
    """How many companies have each; none is 0."""


DEFAULT_RETENTION = Retention()
DEFAULT_THRESHOLDS = Thresholds()


def check_session_health(
    db: Database,
    *,
    company_id: int | str | None = None,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    retention: Retention = DEFAULT_RETENTION,
) -> SessionHealth:
    """Return how the sessions are, in one statement: that of one company under every form of its id, or all.

    Raises:
        DatabaseError: nothing could be read, which is neither healthy nor ill.
    """
    companies = None if company_id is None else spellings(company_key(company_id))
    with observe.operation("sessions", "check_health", KEYS.name), db.connection() as connection:
        rows = connection.execute(COUNT, {"companies": companies} | expiry(retention.expiring)).fetchall()
    found = [company_health(row, thresholds) for row in rows if row[1] is not None]
    return summary(found, thresholds, rows[0][0])


def check_sessions(db: Database) -> SessionFigures:
    """Return how all sessions are, for `[tool.trueup.checks]`, in one statement.

    Raises:
        DatabaseError: nothing could be read.
    """
    return figures_of(check_session_health(db))


def figures_of(health: SessionHealth) -> SessionFigures:
    """Return the figures of a health."""
    is_well = health.status == "healthy" and not health.problems
    return SessionFigures(
        status="fail" if health.status == "critical" else "ok" if is_well else "warn",
        message=health.message,
        auth_records=health.auth_records,
        total_keys=health.total_keys,
        expired_keys=health.expired_keys,
        expired_share=health.expired_share,
        thresholds=health.thresholds,
        last_check=health.last_check,
        faults={name: len(companies) for name, companies in health.faults.items()},
    )


def company_health(row: Sequence[object], thresholds: Thresholds) -> CompanyHealth:
    """Return the health that a row of COUNT tells."""
    now, company, has_creds, total, expired, without_expiry, last_update = row
    assert isinstance(now, datetime)
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
