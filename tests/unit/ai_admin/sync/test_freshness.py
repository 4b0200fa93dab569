"""What the age of a salon's data means."""

from datetime import UTC, datetime, timedelta

import pytest

from ai_admin.sync.freshness import DUE, Age, judge, summary
from ai_admin.sync.freshness import age as age_of

NOW = datetime(2031, 5, 12, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("age", "is_broken", "status"),
    [
        (timedelta(), False, "ok"),
        (HOUR, False, "ok"),
        (HOUR, True, "warn"),
        (HOUR + MOMENT, False, "warn"),
        (2 * HOUR, False, "warn"),
        (2 * HOUR, True, "warn"),
        (2 * HOUR + MOMENT, False, "fail"),
    ],
)
def test_data_are_late_when_due_and_overdue_at_twice_the_time(age, is_broken, status):
    assert judge(age, HOUR, is_broken=is_broken) == status


def test_entity_that_is_synced_most_often_is_due_first():
    assert DUE["bookings"] == HOUR
    assert DUE["clients"] == DUE["services"] == DUE["staff"] == DUE["schedules"] == 26 * HOUR
    assert DUE["company"] == 8 * 24 * HOUR


def age(company_id, hours, *, entity="bookings", is_first=False, is_broken=False):
    found = hours * HOUR
    return Age(
        company_id=company_id,
        entity=entity,
        status=judge(found, DUE[entity], is_broken=is_broken),
        age=found,
        is_first=is_first,
        is_broken=is_broken,
    )


def test_worst_of_all_is_the_status_of_the_whole():
    ages = [age(7, 0), age(8, 1.5), age(8, 30, entity="clients", is_broken=True), age(9, 3, is_first=True)]

    found = summary(ages, DUE, NOW)

    assert (found.status, found.companies, found.late, found.overdue) == ("fail", 3, 3, 1)
    assert (found.never_synced, found.broken, found.oldest) == (1, 1, 30 * HOUR)
    assert (found.last_check, found.limits, found.ages) == (NOW, DUE, tuple(ages))
    assert found.message == (
        "fail: 3 of 4 entities are late, 1 of them overdue, the latest run of 1 was no success, in 3 companies"
    )


def test_what_is_as_old_as_its_time_is_not_late():
    assert summary([age(7, 1)], DUE, NOW).late == 0
    assert summary([], DUE, NOW).oldest == timedelta()


def test_row_of_the_statement_is_an_age():
    told = (NOW, 7, "clients", NOW - 30 * HOUR, True, False)

    assert age_of(told, DUE) == Age(
        company_id=7, entity="clients", status="warn", age=30 * HOUR, is_first=True, is_broken=False
    )


@pytest.mark.parametrize(
    ("ages", "status"),
    [([age(7, 0.5)], "ok"), ([age(7, 1.5)], "warn"), ([age(7, 0, is_broken=True)], "warn"), ([], "warn")],
    ids=["fresh", "late", "broken", "nothing to look at"],
)
def test_status_is_no_better_than_what_was_looked_at(ages, status):
    assert summary(ages, DUE, NOW).status == status
