"""How old the data of the salons are: a sync that has been dead for weeks is told within the hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal, cast

from ai_admin.sync.runs import Entity, SyncRuns
from trueup import observe
from trueup.db import Database

Status = Literal["ok", "warn", "fail"]
HOUR = timedelta(hours=1)

DUE: Mapping[Entity, timedelta] = MappingProxyType(
    {
        "company": 8 * 24 * HOUR,
        "services": 26 * HOUR,
        "staff": 26 * HOUR,
        "clients": 26 * HOUR,
        "schedules": 26 * HOUR,
        "bookings": HOUR,
    }
)
"""How old the latest success of each entity may be: weekly, nightly, and every quarter of an hour, with some delay."""

AGES = """
with checked as (
    select now() as checked_at
), enabled as (
    select company_id, entity, created_at
    from companies
    cross join unnest(%(entities)s::text[]) as entity
    where sync_enabled
      and disconnected_at is null
)
select checked_at, company_id, entity, coalesce(succeeded.started_at, created_at), succeeded.started_at is null,
    coalesce(latest.status in ('failed', 'interrupted'), false)
from checked
left join enabled on true
left join lateral (
    select started_at
    from sync_runs r
    where r.company_id = enabled.company_id
      and r.entity = enabled.entity
      and r.status = 'succeeded'
    order by started_at desc
    limit 1
) succeeded on true
left join lateral (
    select status
    from sync_runs r
    where r.company_id = enabled.company_id
      and r.entity = enabled.entity
      and r.status <> 'running'
    order by started_at desc, id desc
    limit 1
) latest on true
order by company_id, entity
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """Is how old one entity of one salon is."""

    company_id: int
    entity: Entity
    status: Status
    """`warn` when it is due or its latest run was no success, `fail` when it is as old as two of its times."""
    age: timedelta
    """Since the latest success began; without one, since the salon was stored."""
    is_first: bool
    """Whether it has never been synced."""
    is_broken: bool
    """Whether the latest run failed or was interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """Is how old the data of all salons are that are to be synced; `ages` names salons, all else are figures."""

    status: Status
    message: str
    companies: int
    late: int
    """How many entities of salons are due."""
    overdue: int
    """How many of these are as old as two of their times."""
    never_synced: int
    broken: int
    oldest: timedelta
    limits: Mapping[Entity, timedelta]
    last_check: datetime
    """By the server's clock."""
    ages: tuple[Age, ...]
    """By company and entity."""


def check_freshness(db: Database, *, limits: Mapping[Entity, timedelta] = DUE) -> Freshness:
    """Return how old the data are, in one statement; salons that are not to be synced don't count.

    Raises:
        DatabaseError: nothing could be read, which is neither fresh nor old.
    """
    with observe.operation("sync", "check_freshness", SyncRuns.table.name), db.connection() as connection:
        rows = connection.execute(AGES, {"entities": list(limits)}).fetchall()
    return summary([age(row, limits) for row in rows if row[1] is not None], limits, rows[0][0])


def age(row: Sequence[object], limits: Mapping[Entity, timedelta]) -> Age:
    """Return the age that a row of AGES tells."""
    checked_at, company_id, entity, since, is_first, is_broken = row
    assert isinstance(checked_at, datetime)
    assert isinstance(company_id, int)
    assert isinstance(since, datetime)
    named = cast("Entity", entity)
    return Age(
        company_id=company_id,
        entity=named,
        status=judge(checked_at - since, limits[named], is_broken=bool(is_broken)),
        age=checked_at - since,
        is_first=bool(is_first),
        is_broken=bool(is_broken),
    )


def judge(age: timedelta, due: timedelta, *, is_broken: bool) -> Status:
    """Return what an age means."""
    if age > 2 * due:
        return "fail"
    return "warn" if age > due or is_broken else "ok"


def summary(ages: Sequence[Age], limits: Mapping[Entity, timedelta], now: datetime) -> Freshness:
    """Return how old all of it is; that there is nothing to look at is a warning."""
    companies = len({each.company_id for each in ages})
    late = sum(each.age > limits[each.entity] for each in ages)
    overdue = sum(each.status == "fail" for each in ages)
    broken = sum(each.is_broken for each in ages)
    status: Status = "fail" if overdue else "warn" if late or broken or not ages else "ok"
    return Freshness(
        status=status,
        message=f"{status}: {late} of {len(ages)} entities are late, {overdue} of them overdue, the latest run of"
        f" {broken} was no success, in {companies} companies",
        companies=companies,
        late=late,
        overdue=overdue,
        never_synced=sum(each.is_first for each in ages),
        broken=broken,
        oldest=max((each.age for each in ages), default=timedelta()),
        limits=limits,
        last_check=now,
        ages=tuple(ages),
    )
