"""Where programs get the data layer from."""

from pathlib import Path

import pytest
from tests.repositories.rows import COMPANY, OTHER

from ai_admin.app import salons
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
