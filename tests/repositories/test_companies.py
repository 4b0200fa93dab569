"""The salons."""

import datetime as dt

import pytest
from tests.repositories.rows import COMPANY, NOON, company

from ai_admin.companies import Companies
from ai_admin.data_layer import DataLayer
from ai_admin.errors import CompanyMissing
from trueup.db import Database
from trueup.errors import CheckFailed, Duplicate
from trueup.tables import StatementRefused


def test_salon_is_found_by_the_id_that_every_table_has(data: DataLayer) -> None:
    """P19, W-D5, M-10: by company_id, which is unique."""
    found = data.get_company()

    assert found is not None
    assert (found.company_id, found.title) == (COMPANY, "[TEST] Salon")


def test_salon_that_is_not_there_is_none(db: Database) -> None:
    """P22."""
    assert DataLayer(db, -404).get_company() is None


def test_salon_is_inserted_then_updated(db: Database) -> None:
    """P20, M-10, W-D5: it always failed with 42P10."""
    data = DataLayer(db, -500)

    steps = [data.upsert_company(company(company_id=-500, title=title)) for title in ("[TEST] a", "[TEST] b")]

    assert [(each.status, each.row.title) for each in steps] == [("inserted", "[TEST] a"), ("updated", "[TEST] b")]
    assert steps[0].row.id == steps[1].row.id


def test_new_salon_has_the_defaults_of_the_source(db: Database) -> None:
    """M-19, M-20: ai_enabled had been inverted, zone and currency lost."""
    row = Companies(db).insert(company())

    assert (row.timezone, row.currency, row.ai_enabled, row.sync_enabled) == ("Europe/Moscow", "RUB", True, True)
    assert (row.raw_data, row.whatsapp_config, row.sms_short_names) == ({}, {}, [])


def test_second_salon_of_an_id_is_refused(db: Database) -> None:
    with pytest.raises(Duplicate) as caught:
        Companies(db).insert(company(company_id=COMPANY))

    assert caught.value.constraint == "companies_company_id_key"


def test_columns_of_the_salon_change(data: DataLayer, other: DataLayer) -> None:
    """2.3: an update that held updated_at as well assigned it twice; only one of the two does."""
    before = other.get_company()

    changed = data.update_company({"whatsapp_connected": True, "working_hours": {"mon": "10-20"}})

    assert (changed.whatsapp_connected, changed.working_hours) == (True, {"mon": "10-20"})
    assert other.get_company() == before
    with pytest.raises(StatementRefused, match="updated_at"):
        data.update_company({"updated_at": NOON})


def test_salon_that_is_not_there_does_not_change(db: Database) -> None:
    with pytest.raises(CompanyMissing, match="-404"):
        DataLayer(db, -404).update_company({"title": "[TEST]"})


def test_data_layer_of_a_salon_does_not_store_another(data: DataLayer) -> None:
    with pytest.raises(StatementRefused):
        data.upsert_company(company(company_id=-9))


def test_connected_salons_are_counted(db: Database) -> None:
    companies = Companies(db)
    companies.bulk_upsert([company(whatsapp_connected=number % 3 == 0) for number in range(6)])

    assert (companies.count_connected(), companies.count()) == (2, 8)


def test_today_is_where_the_salon_is(data: DataLayer, other: DataLayer) -> None:
    """M-15: eleven in the evening in Moscow is tomorrow in Vladivostok."""
    now = dt.datetime(2031, 5, 12, 20, tzinfo=dt.UTC)

    assert [str(each.get_today(now=now)) for each in (data, other)] == ["2031-05-12", "2031-05-13"]
    with pytest.raises(CompanyMissing):
        DataLayer(data.db, -404).get_today()


@pytest.mark.parametrize("zone", ["Mars/Phobos", "", "+25:00:99"])
def test_zone_that_is_none_is_refused(db: Database, zone: str) -> None:
    with pytest.raises(CheckFailed) as caught:
        Companies(db).insert(company(timezone=zone))

    assert caught.value.constraint == "companies_timezone_check"


def test_secrets_are_not_shown(db: Database) -> None:
    row = Companies(db).insert(company(api_key="key-1", webhook_secret="key-2", whatsapp_session_data={"a": "key-3"}))

    assert (row.api_key, row.webhook_secret, row.whatsapp_session_data) == ("key-1", "key-2", {"a": "key-3"})
    assert "key-" not in repr(row)
