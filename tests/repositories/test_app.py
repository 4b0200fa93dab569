"""Where programs get the data layer from."""

from pathlib import Path

import pytest
from tests.repositories.rows import COMPANY, OTHER

from ai_admin.app import salons, syncs
from ai_admin.sync import Limit, Reach
from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.errors import UsageError
from trueup.health import Status, domain_check
from trueup.settings import Settings
from trueup.settings.places import load_place


def test_salons_share_one_pool_that_is_closed_at_the_end(database: ConnInfo, tmp_path: Path) -> None:
    settings = Settings.load(tmp_path, {"TRUEUP_DATABASE": database.reveal()})

    with salons(settings) as salon:
        ours, theirs = salon(COMPANY), salon(OTHER)
        found = [each.get_company() for each in (ours, theirs)]

    assert [each and each.company_id for each in found] == [COMPANY, OTHER]
    assert ours.db is theirs.db
    assert "closed" in repr(ours)
    with pytest.raises(UsageError):
        ours.get_company()


def test_environment_without_a_database_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError), salons(Settings.load(tmp_path, {})):
        pass


def test_syncs_share_one_pool_and_one_pace_as_they_are_configured(database: ConnInfo, tmp_path: Path) -> None:
    given = {
        "TRUEUP_DATABASE": database.reveal(),
        "YCLIENTS_URL": "http://127.0.0.1:1/api/v1/",
        "YCLIENTS_PARTNER_TOKEN": "the-partner",
        "YCLIENTS_USER_TOKEN": "the-user",
        "YCLIENTS_REQUESTS_PER_SECOND": "3",
        "SYNC_BOOKING_DAYS": "5",
    }

    with syncs(Settings.load(tmp_path, given)) as sync:
        ours, theirs = sync(COMPANY), sync(OTHER)
        opened = ours.companies.ids_to_sync()

    assert opened == [OTHER, COMPANY]
    assert (ours.db is theirs.db, ours.api is theirs.api) == (True, True)
    assert ours.api.pace.limits == (Limit(3, 1.0), Limit(200, 60.0))
    assert (ours.api.url, ours.reach) == ("http://127.0.0.1:1/api/v1", Reach(booking_days=5))
    with pytest.raises(UsageError):
        ours.companies.ids_to_sync()


def test_sync_that_is_not_configured_is_told(database: ConnInfo, tmp_path: Path) -> None:
    given = {"TRUEUP_DATABASE": database.reveal()}

    with pytest.raises(UsageError, match="YCLIENTS_URL"), syncs(Settings.load(tmp_path, given)):
        pass


def test_project_names_checks_that_a_health_server_understands(committing: Database) -> None:
    checks = Settings.load(Path(__file__).parent, {}).checks

    answers = {name: domain_check(committing, load_place(place))() for name, place in checks.items()}

    assert {"whatsapp", "sync"} <= answers.keys()
    assert answers["whatsapp"].status is Status.WARN, "no session to look at is not ok"
    assert answers["sync"].status is Status.OK, "the salons are as old as this test"
    assert {"auth_records", "total_keys", "expired_keys", "thresholds", "last_check"} <= answers[
        "whatsapp"
    ].figures.keys()
    assert answers["whatsapp"].figures["thresholds"] == {"warning": 100, "critical": 250, "stale_after": 86400.0}
    assert {"companies", "late", "overdue", "never_synced", "oldest", "last_check"} <= answers["sync"].figures.keys()
    assert not {"ages", "message", "companies_ids"} & answers["sync"].figures.keys()
