"""How old the data are is what the recorded runs say: a job had been dead for three weeks, and nobody was told."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.repositories.rows import COMPANY, OTHER, company

from ai_admin.companies import Companies
from ai_admin.sync.freshness import DUE, check_freshness
from trueup.errors import SchemaMismatch

HOUR = timedelta(hours=1)


@pytest.fixture
def run(observer):
    """Return what records runs that began some hours ago."""

    def record(hours, *, status="succeeded", company_id=COMPANY, entities=tuple(DUE)):
        observer.execute(
            "insert into sync_runs (company_id, entity, status, started_at, finished_at)"
            " select %s, e, %s, now() - %s, case when %s <> 'running' then now() end from unnest(%s::text[]) e",
            [company_id, status, hours * HOUR, status, list(entities)],
        )

    return record


@pytest.fixture
def alone(observer):
    """Leave one salon in the database, stored a moment ago."""
    observer.execute("delete from companies where company_id <> %s", [COMPANY])


@pytest.mark.usefixtures("alone")
def test_age_is_that_of_the_latest_success(committing, run):
    run(30)
    run(0.5)

    found = check_freshness(committing)

    assert (found.status, found.companies, found.late, found.broken, len(found.ages)) == ("ok", 1, 0, 0, 6)
    assert abs(found.oldest - 0.5 * HOUR) < timedelta(minutes=1)
    assert abs(found.last_check - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("hours", "status", "late", "overdue"), [(0.9, "ok", 0, 0), (1.1, "warn", 1, 0), (2.1, "fail", 1, 1)]
)
def test_one_entity_that_is_old_is_told(committing, run, hours, status, late, overdue):
    run(0, entities=[each for each in DUE if each != "bookings"])
    run(hours, entities=["bookings"])

    found = check_freshness(committing)

    assert (found.status, found.late, found.overdue) == (status, late, overdue)
    assert [each.status for each in found.ages if each.entity == "bookings"] == [status]


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_latest_run_that_was_no_success_is_told_although_the_data_are_fresh(committing, run, status):
    run(0.5)
    run(0.1, status=status, entities=["clients"])
    run(0.05, status="running", entities=["clients"])

    found = check_freshness(committing)

    assert (found.status, found.broken, found.late) == ("warn", 1, 0)
    assert [each.entity for each in found.ages if each.is_broken] == ["clients"]


@pytest.mark.usefixtures("alone")
def test_salon_that_was_never_synced_ages_since_it_was_stored(committing, observer, run):
    run(0, status="failed", entities=["clients"])
    assert check_freshness(committing).never_synced == 6
    assert check_freshness(committing).status == "warn"

    observer.execute("update companies set created_at = now() - interval '3 hours'")

    assert [(each.entity, each.status) for each in check_freshness(committing).ages if each.status != "ok"] == [
        ("bookings", "fail"),
        ("clients", "warn"),
    ]


def test_salons_are_judged_each_and_only_those_that_are_to_be_synced(committing, observer, run):
    run(0)
    run(3, company_id=OTHER)
    Companies(committing).upsert(company(company_id=-9, sync_enabled=False))
    Companies(committing).upsert(company(company_id=-10, disconnected_at=datetime.now(UTC)))

    found = check_freshness(committing)

    assert (found.status, found.companies, found.overdue) == ("fail", 2, 1)
    assert [each.company_id for each in found.ages if each.status == "fail"] == [OTHER]
    assert Companies(committing).ids_to_sync() == [OTHER, COMPANY]


def test_nothing_to_look_at_is_not_ok(committing, observer):
    observer.execute("delete from companies")

    found = check_freshness(committing)

    assert (found.status, found.companies, found.ages, found.oldest) == ("warn", 0, (), timedelta())


@pytest.mark.usefixtures("alone")
def test_limits_are_the_operators(committing, run):
    run(5)

    found = check_freshness(committing, limits={"clients": 6 * HOUR})

    assert (found.status, len(found.ages), found.limits) == ("ok", 1, {"clients": 6 * HOUR})


def test_failure_is_an_error_and_no_status(committing, observer):
    observer.execute("alter table sync_runs rename to away")

    with pytest.raises(SchemaMismatch):
        check_freshness(committing)
