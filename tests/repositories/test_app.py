"""Where programs get the data layer from."""

from pathlib import Path

import pytest
from tests.repositories.rows import COMPANY, OTHER

from ai_admin.app import salons, syncs
from ai_admin.sync import Limit, Reach
from trueup.conninfo import ConnInfo
from trueup.errors import UsageError
from trueup.settings import Settings


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
