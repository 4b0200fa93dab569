"""What is stored after a sync is what YClients has; a run that failed changes no more than it says."""

import datetime as dt
import tracemalloc
from time import monotonic

import pytest
from tests.repositories.sync.conftest import (
    CLIENTS,
    RECORDS,
    SALON,
    SERVICES,
    STAFF,
    TODAY,
    at,
    fixture,
    record,
)  # fmt: skip
from tests.repositories.sync.salon_server import refusal

from ai_admin.sync.errors import ApiUnreachable, ListIncomplete, RunUnderWay
from ai_admin.sync.runs import SyncRuns
from ai_admin.sync.salon import SalonSync
from trueup.db import Database
from trueup.errors import Disconnected
from trueup.settings import DatabaseSettings
from trueup.tables import check_contract

AWAY = [refusal(503, {"Retry-After": "0.01"})] * 4


def counts(outcome):
    run = outcome.run
    return run.status, run.fetched, run.inserted, run.updated, run.unchanged, run.rejected


def test_whole_salon_is_stored_and_the_second_sync_writes_nothing(sync, schedule, read):
    first = sync.sync_all()

    assert [(each.run.entity, *counts(each)) for each in first] == [
        ("company", "succeeded", 1, 1, 0, 0, 0),
        ("services", "succeeded", 4, 4, 0, 0, 0),
        ("staff", "succeeded", 4, 4, 0, 0, 0),
        ("clients", "succeeded", 7, 7, 0, 0, 0),
        ("schedules", "succeeded", 4, 60, 0, 0, 0),
        ("bookings", "succeeded", 7, 7, 0, 0, 0),
    ]
    versions = "select xmin::text, ctid::text from {} order by ctid"
    tables = ("companies", "services", "staff", "clients", "staff_schedules", "bookings")
    before = {table: read(versions.format(table)) for table in tables}

    second = sync.sync_all()

    assert [(each.run.inserted, each.run.updated) for each in second] == [(0, 0)] * 6
    assert {table: read(versions.format(table)) for table in tables} == before


def test_run_is_recorded_with_its_counts_and_its_end(sync, committing, read):
    sync.sync_company()
    outcome = sync.sync_services()

    assert read(
        "select status, fetched, inserted, error, finished_at >= started_at from sync_runs where entity='services'"
    ) == [("succeeded", 4, 4, None, True)]
    assert SyncRuns(committing, company_id=SALON).latest("services") == outcome.run
    assert SyncRuns(committing, company_id=SALON).latest("clients") is None


def test_contract_of_runs_is_true(observer):
    assert check_contract(observer, SyncRuns.table) == ()


def test_what_is_no_longer_on_the_list_is_deactivated(sync, salon, read):
    sync.sync_company()
    sync.sync_services()
    del salon.lists[SERVICES][0]

    assert counts(sync.sync_services()) == ("succeeded", 3, 0, 1, 3, 0)

    assert read("select yclients_id from services where not is_active order by 1") == [(79067,), (79069,)]


def test_category_that_can_not_be_read_is_accounted_for_and_its_services_are_stored(sync, salon, read):
    sync.sync_company()
    salon.lists[f"company/{SALON}/service_categories"][0]["title"] = {"ru": "…"}

    outcome = sync.sync_services()

    assert counts(outcome) == ("failed", 4, 4, 0, 0, 1)
    assert [(each.yclients_id, each.reason) for each in outcome.rejects] == [
        (None, "of category 70345: Expected `str`, got `object` - at `$.title`")
    ]
    assert read("select count(*), count(category_title) from services") == [(4, 1)]


@pytest.mark.parametrize("entity", ["services", "staff"])
def test_failed_page_fails_the_run_and_deactivates_nothing(sync, salon, read, entity):
    """An error on a page ended the loop, and the pages so far counted as the whole list."""
    sync.sync_company()
    run = getattr(sync, f"sync_{entity}")
    run()
    before = read(f"select yclients_id, is_active from {entity} order by 1")
    salon.failures[f"company/{SALON}/{entity}"] = list(AWAY)

    with pytest.raises(ApiUnreachable):
        run()

    assert read(f"select yclients_id, is_active from {entity} order by 1") == before
    ((status, error),) = read(f"select status, error from sync_runs where entity = '{entity}' order by id desc limit 1")
    assert status == "failed"
    assert error.startswith("ApiUnreachable: GET company/4564/")


def test_clients_of_the_pages_before_a_failure_are_stored_and_counted(sync, salon, read):
    sync.sync_company()
    salon.lists[CLIENTS] = [{"id": number, "name": "[TEST]"} for number in range(1, 451)]
    salon.page_of = lambda items, page, size: items[(page - 1) * size : page * size] if page < 3 else []

    with pytest.raises(ListIncomplete):
        sync.sync_clients()

    assert read("select count(*) from clients") == [(400,)]
    assert read("select status, fetched, inserted from sync_runs where entity = 'clients'") == [("failed", 400, 400)]


def test_rejects_are_told_and_everything_else_is_stored(sync, salon, read):
    sync.sync_company()
    sync.sync_services()
    salon.lists[SERVICES] = [
        *fixture("unreadable"),
        {"id": 79067, "title": "Стрижка", "price_min": 5, "price_max": 1},
        {"id": 79099, "title": "Новая"},
    ]

    outcome = sync.sync_services()

    assert counts(outcome) == ("failed", 10, 1, 0, 0, 9)
    assert (outcome.rejects[-1].yclients_id, outcome.rejects[-1].reason) == (
        79067,
        "services_price_check refused it (23514)",
    )
    assert outcome.run.error.startswith("9 of 10 were rejected: Expected `int`, got `str` - at `$.id`; ")
    assert read("select count(*) from services where is_active") == [(4,)], "nothing follows from such a list"


def test_page_that_repeats_a_client_stores_them_once(sync, salon, read):
    sync.sync_company()
    salon.lists[CLIENTS] = [{"id": 1, "name": "[TEST] a"}, {"id": 1, "name": "[TEST] b"}]

    assert counts(sync.sync_clients())[:3] == ("succeeded", 2, 1)
    assert read("select name from clients") == [("[TEST] b",)]


def test_sync_leaves_what_the_assistant_has_noted(sync, observer, read):
    """W-R16: the history of visits was wiped each night, and the mark of clients whom the assistant had won."""
    sync.sync_company()
    sync.sync_clients()
    observer.execute(
        "update clients set created_by_ai = true, visit_history = '[1]', last_services = '{a}', notes = 'x'"
    )

    sync.sync_clients()

    assert read("select distinct created_by_ai, visit_history, last_services from clients") == [(True, [1], ["a"])]


# -- bookings and schedules --------------------------------------------------------------------------------------------


@pytest.fixture
def ready(sync, schedule, salon):
    """Return the sync of a salon whose people are stored, with one booking tomorrow."""
    sync.sync_company()
    sync.sync_staff()
    salon.lists[RECORDS] = [record(1, 1, 10)]
    sync.sync_schedules()
    sync.sync_bookings()
    return sync


def test_cancellation_deletion_and_absence_reach_the_table(ready, salon, read):
    """A booking that was cancelled at YClients stayed active for a week."""
    salon.lists[RECORDS] = [record(1, 1, 10), record(2, 1, 12), record(3, 1, 14)]
    ready.sync_bookings()
    salon.lists[RECORDS] = [record(1, 1, 10, attendance=-1), record(2, 1, 12, deleted=True)]

    ready.sync_bookings()

    assert read("select yclients_record_id, status from bookings order by 1") == [
        (1, "no_show"),
        (2, "cancelled"),
        (3, "cancelled"),
    ]


def test_nothing_is_cancelled_by_an_incomplete_list(ready, salon, read):
    salon.failures[RECORDS] = list(AWAY)

    with pytest.raises(ApiUnreachable):
        ready.sync_bookings()
    assert read("select status from bookings") == [("active",)]


def test_nothing_is_cancelled_when_a_record_could_not_be_read_at_all(ready, salon, read):
    salon.lists[RECORDS] = [{"id": "x"}]

    assert ready.sync_bookings().run.status == "failed"
    assert read("select status from bookings") == [("active",)]


def test_record_that_could_not_be_understood_is_not_taken_for_absent(ready, salon, read):
    salon.lists[RECORDS] = [record(1, 1, 10, datetime="soon")]

    outcome = ready.sync_bookings()

    assert [(each.yclients_id, each.reason) for each in outcome.rejects] == [(1, "datetime is no date with a time")]
    assert read("select status from bookings") == [("active",)]


def test_booking_that_was_made_while_the_list_was_fetched_stays(ready, salon, observer, read):
    def book(path):
        if path == RECORDS:
            observer.execute(
                "insert into bookings (yclients_record_id, company_id, staff_id, datetime, duration)"
                " select 9, 4564, 8887, %s, 60 where not exists (select from bookings where yclients_record_id = 9)",
                [at(1, 10)],
            )

    salon.before_answer = book

    ready.sync_bookings()

    assert read("select yclients_record_id, status from bookings order by 1") == [(1, "active"), (9, "active")]


def test_bookings_that_overlap_are_rejected_alone(ready, salon, read):
    salon.lists[RECORDS] = [record(1, 1, 10), record(2, 1, 10), record(3, 1, 12)]

    outcome = ready.sync_bookings()

    assert [(each.yclients_id, each.reason) for each in outcome.rejects] == [
        (2, "bookings_staff_overlap refused it (23P01)")
    ]
    assert read("select yclients_record_id from bookings order by 1") == [(1,), (3,)]


def test_two_bookings_can_swap_their_times(ready, salon, read):
    salon.lists[RECORDS] = [record(1, 1, 10), record(2, 1, 11)]
    ready.sync_bookings()
    salon.lists[RECORDS] = [record(1, 1, 11), record(2, 1, 10)]

    assert counts(ready.sync_bookings()) == ("succeeded", 2, 0, 2, 0, 0)


def test_day_off_turns_the_day_that_was_worked(ready, schedule, read):
    """A day that became a day off stayed bookable until a week after it had passed."""
    schedule(8886, 0, 2)

    ready.sync_schedules()

    worked = "select date from staff_schedules where yclients_staff_id = 8886 and is_working order by 1"
    assert read(worked) == [(TODAY,), (TODAY + dt.timedelta(days=2),)]
    off = (
        f"select work_start, work_end, has_booking_slots from staff_schedules where date = '{TODAY + dt.timedelta(1)}'"
    )
    assert read(f"{off} and yclients_staff_id = 8886") == [(None, None, False)]


def test_day_that_is_full_has_no_slots_and_gets_them_back(ready, salon, read):
    slots = f"select has_booking_slots from staff_schedules where date = '{TODAY + dt.timedelta(1)}'"
    slots += " and yclients_staff_id = 8886"
    assert read(slots) == [(True,)]

    salon.lists[RECORDS] = [record(1, 1, 10), record(2, 1, 11)]
    ready.sync_bookings()
    assert read(slots) == [(False,)]
    ready.sync_schedules()
    assert read(slots) == [(False,)]

    salon.lists[RECORDS] = [record(1, 1, 10)]
    ready.sync_bookings()
    assert read(slots) == [(True,)]


def test_schedule_that_can_not_be_understood_leaves_the_days_of_its_person(ready, schedule, read):
    schedule(8886, 1, slots=[("10:00", "late")])

    outcome = ready.sync_schedules()

    assert [(each.yclients_id, each.reason) for each in outcome.rejects] == [(8886, "slots.to is no time")]
    assert read("select count(*) from staff_schedules where yclients_staff_id = 8886 and is_working") == [(3,)]


# -- one run at a time -------------------------------------------------------------------------------------------------


def test_second_run_of_the_same_entity_is_refused_and_others_are_not(sync, salon, api, database):
    sync.sync_company()
    seen = []
    with Database(DatabaseSettings(conninfo=database)) as db:
        rival = SalonSync(db, api, SALON)

        def meet(path):
            if path == SERVICES and not seen:
                seen.append("met")
                with pytest.raises(RunUnderWay, match="a sync of services is under way for company 4564"):
                    rival.sync_services()
                seen.append(rival.sync_staff().run.status)

        salon.before_answer = meet
        assert sync.sync_services().run.status == "succeeded"

    assert seen == ["met", "succeeded"]
    assert sync.sync_services().run.status == "succeeded"


def test_run_that_lost_its_lock_meanwhile_is_failed(sync, salon, observer, read):
    sync.sync_company()

    def cut(path):
        if path == SERVICES:
            observer.execute("select pg_terminate_backend(pid, 5000) from pg_locks where locktype = 'advisory'")

    salon.before_answer = cut

    with pytest.raises(Disconnected):
        sync.sync_services()
    assert read("select status from sync_runs where entity = 'services'") == [("failed",)]


def test_any_number_of_clients_needs_the_memory_of_a_page(sync, salon):
    sync.sync_company()
    salon.page_of = lambda ids, page, size: [
        {"id": number, "name": "[TEST] " + "x" * 500} for number in ids[(page - 1) * size : page * size]
    ]

    def peak_bytes(clients):
        salon.lists[CLIENTS] = range(1, clients + 1)
        tracemalloc.start()
        sync.sync_clients()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    peak_bytes(200)
    assert peak_bytes(2400) < 1.5 * peak_bytes(400)


def test_salon_of_real_size_takes_under_two_seconds(sync, salon, schedule):
    """1,300 clients, 60 services, 12 people, 45 bookings; and again, when nothing is written."""
    salon.lists[SERVICES] = [{**fixture("services")[1], "id": number} for number in range(1, 61)]
    salon.lists[STAFF] = [{**fixture("staff")[0], "id": number} for number in range(1, 13)]
    salon.lists[CLIENTS] = [
        {**fixture("clients")[0], "id": number, "phone": f"+7000{number:07}"} for number in range(1, 1301)
    ]
    salon.lists[RECORDS] = [
        record(number, number % 9, 10 + number // 9, staff_id=number % 12 + 1) for number in range(45)
    ]
    for number in range(1, 13):
        schedule(number, *range(29))

    started = monotonic()
    outcomes = sync.sync_all()
    took_s = monotonic() - started
    again = sync.sync_all()

    assert [each.run.status for each in [*outcomes, *again]] == ["succeeded"] * 12
    assert [each.run.inserted for each in outcomes] == [1, 60, 12, 1300, 360, 45]
    assert [(each.run.inserted, each.run.updated, each.run.unchanged) for each in again] == [
        (0, 0, count) for count in (1, 60, 12, 1300, 360, 45)
    ]
    assert took_s < 20, "two seconds where nothing else runs"
