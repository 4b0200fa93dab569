"""How salons come and go."""

import pytest
from tests.repositories.rows import COMPANY, HOUR, NOON

from ai_admin.marketplace import MarketplaceEvent, MarketplaceEvents
from trueup.db import Database
from trueup.errors import CheckFailed, ForeignKeyMissing
from trueup.tables import InvalidValue


@pytest.fixture
def events(db: Database) -> MarketplaceEvents:
    return MarketplaceEvents(db, salon_id=COMPANY)


@pytest.fixture
def told(events: MarketplaceEvents, db: Database) -> MarketplaceEvents:
    """Return a repository with four events of two kinds, and one of another salon."""
    for hours, kind in ((2, "pay"), (0, "install"), (3, "install"), (1, "pay")):
        data = {"at": hours}
        events.insert(MarketplaceEvent(event_type=kind, event_data=data, created_at=NOON + hours * HOUR))
    MarketplaceEvents(db, salon_id=-8).insert(MarketplaceEvent(event_type="uninstall"))
    return events


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"company_id": COMPANY, "event_data": {"a": []}}, id="J1-with-company"),
        pytest.param({"company_id": None, "event_data": {}}, id="J2-without-company"),
        pytest.param({"event_data": None}, id="J3-without-data"),
    ],
)
def test_event_is_stored(events: MarketplaceEvents, given: dict[str, object]) -> None:
    """W-R32: company_id came back as a text."""
    row = events.insert(MarketplaceEvent(event_type="install", **given))  # type: ignore[arg-type]

    assert (row.salon_id, row.event_type) == (COMPANY, "install")
    assert {name: getattr(row, name) for name in given} == given


def test_same_event_may_happen_again(events: MarketplaceEvents) -> None:
    """J4."""
    ids = {events.insert(MarketplaceEvent(event_type="install")).id for _ in range(3)}

    assert len(ids) == 3


def test_company_that_is_not_there_is_refused(events: MarketplaceEvents) -> None:
    with pytest.raises(ForeignKeyMissing) as caught:
        events.insert(MarketplaceEvent(event_type="install", company_id=-404))

    assert caught.value.constraint == "marketplace_events_company_id_fkey"


def test_salon_zero_is_none(db: Database) -> None:
    with pytest.raises(CheckFailed):
        MarketplaceEvents(db, salon_id=0).insert(MarketplaceEvent(event_type="install"))
    with pytest.raises(InvalidValue):
        MarketplaceEvents(db, salon_id="7")


def test_latest_of_a_kind_is_found(told: MarketplaceEvents) -> None:
    """J5, J6."""
    found = told.latest("install")

    assert found is not None
    assert found.event_data == {"at": 3}
    assert told.latest("uninstall") is None


def test_salon_without_events_has_none(told: MarketplaceEvents, db: Database) -> None:
    """J7, J10."""
    nobody = MarketplaceEvents(db, salon_id=-404)

    assert (nobody.latest("install"), nobody.page(limit=9)) == (None, [])


def test_events_come_newest_first_in_pages(told: MarketplaceEvents) -> None:
    """J8, J9, J11."""
    first = told.page(limit=3)
    rest = told.page(limit=3, after=first[-1])

    assert [each.event_data["at"] for each in first + rest] == [3, 2, 1, 0]


def test_salon_is_installed_and_uninstalled(events: MarketplaceEvents) -> None:
    """J12, M-18: an uninstall looked for the internal id, and removed nothing."""
    for hours, kind in enumerate(["install", "uninstall", "install"]):
        events.insert(MarketplaceEvent(event_type=kind, created_at=NOON + hours * HOUR))

    kinds = [each.event_type for each in events.page(limit=9)]

    assert kinds == ["install", "uninstall", "install"]
    assert events.count(event_type="install") == 2
