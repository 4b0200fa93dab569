"""What was sent about bookings: each once a day."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.repositories.rows import COMPANY, DAY, HOUR, NOON, OTHER, notification

from ai_admin.notifications import Notification, Notifications
from trueup.db import Database
from trueup.errors import CheckFailed, Duplicate, ForeignKeyMissing, InvalidData, NullNotAllowed
from trueup.tables import StatementRefused


@pytest.fixture
def notifications(db: Database) -> Notifications:
    return Notifications(db, company_id=COMPANY)


def types(found: list[Notification]) -> list[str]:
    return [each.notification_type for each in found]


@pytest.fixture
def sent(notifications: Notifications, db: Database) -> Notifications:
    """Return a repository with three kinds about record 1, an hour apart, and one of another salon about it."""
    for hours, kind in enumerate(["a", "b", "c"]):
        notifications.create(notification(yclients_record_id=1, notification_type=kind, sent_at=NOON + hours * HOUR))
    Notifications(db, company_id=OTHER).create(notification(yclients_record_id=1, notification_type="d", sent_at=NOON))
    return notifications


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("H1", "yclients_record_id"),
        ("H2", "phone"),
        ("H3", "notification_type"),
        ("H4", "notification_date"),
    ],
)
def test_each_of_these_is_needed(notifications: Notifications, name: str, field: str) -> None:
    """H1, H2, H3, H4: missing in a mapping, and None in a row."""
    row = {"yclients_record_id": 1, "phone": "+70001230022", "notification_type": "a", "notification_date": DAY}

    with pytest.raises((StatementRefused, NullNotAllowed)), notifications.db.transaction():
        notifications.upsert({key: value for key, value in row.items() if key != field})
    with pytest.raises((StatementRefused, NullNotAllowed, InvalidData)), notifications.db.transaction():
        notifications.create(notification(**{field: None}))


def test_company_is_that_of_the_repository(db: Database) -> None:
    with pytest.raises(ForeignKeyMissing):
        Notifications(db, company_id=-404).create(notification())


def test_notification_comes_back_as_stored(notifications: Notifications) -> None:
    """H5."""
    row = notifications.create(notification(message="[TEST] Ждём вас", sent_at=NOON))

    assert row is not None
    assert (row.message, row.sent_at, row.status, row.notification_date) == ("[TEST] Ждём вас", NOON, "sent", DAY)


def test_second_of_a_kind_on_a_day_is_none(notifications: Notifications) -> None:
    """H6: and what was sent first stays as it was."""
    first = notifications.create(notification(yclients_record_id=1, message="[TEST] first"))

    assert notifications.create(notification(yclients_record_id=1, message="[TEST] second")) is None
    assert notifications.find_many(yclients_record_id=1) == [first]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"notification_type": "other"}, id="H7-type"),
        pytest.param({"notification_date": DAY + dt.timedelta(days=1)}, id="day"),
        pytest.param({"yclients_record_id": 2}, id="record"),
    ],
)
def test_another_kind_day_or_booking_is_another_notification(
    notifications: Notifications, given: dict[str, object]
) -> None:
    notifications.create(notification(yclients_record_id=1))

    assert notifications.create(notification(**{"yclients_record_id": 1} | given)) is not None


def test_other_refusals_are_no_duplicates(notifications: Notifications) -> None:
    """2.3: any unique violation counted as "already sent"."""
    with pytest.raises(CheckFailed):
        notifications.create(notification(status="lost"))


def test_recent_are_found_latest_first(sent: Notifications) -> None:
    """H8, H11."""
    assert types(sent.recent(1, since=NOON)) == ["c", "b", "a"]
    assert types(sent.recent(1, since=NOON + HOUR)) == ["c", "b"]


def test_recent_of_some_kinds(sent: Notifications) -> None:
    """H9, H10, I-b: an empty list of kinds switched the look-up off; now it finds nothing, and says so."""
    assert types(sent.recent(1, since=NOON, types=["a", "c", "d"])) == ["c", "a"]
    assert sent.recent(1, since=NOON, types=[]) == sent.recent(99, since=NOON) == []


def test_duplicates_are_seen(sent: Notifications) -> None:
    """H12, H13, H14: of this salon; the earlier check asked for any."""
    asked = [(1, "a"), (1, "x"), (99, "a"), (1, "d")]

    assert [sent.is_duplicate(*each, since=NOON) for each in asked] == [True, False, False, False]
    assert not sent.is_duplicate(1, "a", since=NOON + dt.timedelta(seconds=1))


def test_what_was_sent_on_a_day_is_found(sent: Notifications) -> None:
    """H15, H16, H17: by the same day that makes it unique, with no second of slack."""
    assert types(sent.on_day(1, DAY)) == ["c", "b", "a"]
    assert types(sent.on_day(1, DAY, types=["b"])) == ["b"]
    assert sent.on_day(1, DAY, types=[]) == sent.on_day(1, DAY + dt.timedelta(days=1)) == []


def test_kinds_are_counted_the_most_frequent_first(sent: Notifications) -> None:
    """H18, H19, W-R32: as numbers."""
    sent.create(notification(yclients_record_id=2, notification_type="b", sent_at=NOON))

    assert list(sent.count_by_type(since=NOON).items()) == [("b", 2), ("a", 1), ("c", 1)]
    assert sent.count_by_type(since=NOON + 9 * HOUR) == {}


def test_counting_needs_a_salon(db: Database) -> None:
    with pytest.raises(StatementRefused):
        Notifications(db).count_by_type(since=NOON)


def test_database_refuses_a_second_one(notifications: Notifications) -> None:
    """H20."""
    notifications.insert(notification(yclients_record_id=1))

    with pytest.raises(Duplicate) as caught:
        notifications.insert(notification(yclients_record_id=1))

    assert caught.value.constraint == "booking_notifications_once_a_day"


def test_of_many_at_once_one_sends(committing: Database) -> None:
    """I-a, I-b: looking first and writing then let several send."""
    notifications = Notifications(committing, company_id=COMPANY)

    with ThreadPoolExecutor(3) as pool:
        created = list(pool.map(lambda _: notifications.create(notification(yclients_record_id=1)), range(9)))

    assert sum(each is not None for each in created) == 1
