"""What YClients tells of: each event once, however often it is told."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.repositories.rows import COMPANY, HOUR, NOON, OTHER, webhook_event

from ai_admin.webhooks import WebhookEvents
from trueup.db import Database
from trueup.errors import Duplicate


@pytest.fixture
def events(db: Database) -> WebhookEvents:
    return WebhookEvents(db, company_id=COMPANY)


@pytest.mark.parametrize("record_id", [pytest.param(2**33, id="K1"), pytest.param(None, id="K2")])
def test_event_is_stored(events: WebhookEvents, record_id: int | None) -> None:
    """M-8: the table was missing for 15 days."""
    given = webhook_event(event_id="e", record_id=record_id, payload={"resource": "record", "data": []})

    assert events.receive(given)

    found = events.find_one(event_id="e")
    assert found is not None
    assert (found.record_id, found.payload, found.processed_at) == (record_id, {"resource": "record", "data": []}, None)


def test_second_event_of_an_id_is_refused(events: WebhookEvents) -> None:
    """K3."""
    events.insert(webhook_event(event_id="e"))

    with pytest.raises(Duplicate) as caught:
        events.insert(webhook_event(event_id="e"))

    assert caught.value.constraint == "webhook_events_event_company_unique"


def test_event_that_is_told_again_is_not_new(events: WebhookEvents) -> None:
    """K8: and what was told first stays."""
    told = [events.receive(webhook_event(event_id="e", payload={"n": n})) for n in range(3)]

    assert told == [True, False, False]
    assert [each.payload for each in events.find_many(event_id="e")] == [{"n": 0}]


def test_event_is_known_to_its_salon_alone(events: WebhookEvents, db: Database) -> None:
    """K4, K5."""
    events.receive(webhook_event(event_id="e"))

    assert (events.is_known("e"), events.is_known("f")) == (True, False)
    assert not WebhookEvents(db, company_id=OTHER).is_known("e")


def test_event_is_worked_off_once(events: WebhookEvents) -> None:
    """K6, K7: an event that is not there passed in silence; now the answer says so."""
    events.receive(webhook_event(event_id="e"))

    assert [events.mark_processed(each, now=NOON) for each in ("e", "e", "f")] == [True, False, False]
    found = events.find_one(event_id="e")
    assert found is not None
    assert found.processed_at == NOON


def test_what_is_left_to_do_comes_oldest_first(events: WebhookEvents) -> None:
    for hours in (2, 0, 1, 3):
        events.receive(webhook_event(event_id=str(hours), created_at=NOON + hours * HOUR))
    events.mark_processed("0", now=NOON)

    assert [each.event_id for each in events.pending(limit=2)] == ["1", "2"]


def test_what_failed_is_not_cleaned_up(events: WebhookEvents) -> None:
    """1.3: what had not been worked off was deleted sooner than what had."""
    for name, moment in (("old", NOON), ("new", NOON + HOUR)):
        events.receive(webhook_event(event_id=name))
        events.mark_processed(name, now=moment)
    events.receive(webhook_event(event_id="failed", created_at=NOON - dt.timedelta(days=99)))

    assert events.delete_processed_before(NOON + HOUR) == 1
    assert sorted(each.event_id for each in events.find_many()) == ["failed", "new"]


def test_of_many_at_once_one_is_new(committing: Database) -> None:
    """2.3: looking first and inserting then lost that race."""
    events = WebhookEvents(committing, company_id=COMPANY)

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(lambda _: events.receive(webhook_event(event_id="e")), range(9))) == 1


def test_event_of_a_salon_that_is_not_there_yet_is_kept(db: Database) -> None:
    assert WebhookEvents(db, company_id=-404).receive(webhook_event())
