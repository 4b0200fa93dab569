"""The price list of one salon."""

from decimal import Decimal

import pytest
from tests.repositories.rows import service

from ai_admin.data_layer import DataLayer
from ai_admin.services import Service
from trueup.errors import CheckFailed


def ids(services: list[Service]) -> list[int]:
    return [each.yclients_id for each in services]


@pytest.fixture
def listed(data: DataLayer, other: DataLayer) -> DataLayer:
    """Return the data layer of a salon with four services, one of them no longer offered."""
    data.upsert_services(
        [
            service(yclients_id=1, title="Борода", weight=5, category_id=10),
            service(yclients_id=2, title="Аквагрим", weight=5, category_id=20),
            service(yclients_id=3, title="Визаж", weight=9, category_id=10),
            service(yclients_id=4, title="Груминг", weight=7, category_id=10, is_active=False),
        ]
    )
    other.upsert_service(service(yclients_id=5, category_id=10))
    return data


def test_offered_services_come_by_weight_then_title(listed: DataLayer) -> None:
    """D1, D3, D5, P15, M-1: is_active, and the second order that had got lost."""
    assert ids(listed.get_services()) == [3, 2, 1]


def test_all_services_include_what_is_no_longer_offered(listed: DataLayer) -> None:
    """D2."""
    assert ids(listed.get_all_services()) == [3, 4, 2, 1]


def test_salon_that_is_not_there_offers_nothing(listed: DataLayer) -> None:
    """D4, P22, W-T6: "non-existent" company 999999 was the demo salon."""
    nobody = DataLayer(listed.db, -404)

    assert nobody.get_services() == nobody.get_all_services() == []


def test_service_is_found_by_id_in_its_salon_alone(listed: DataLayer, other: DataLayer) -> None:
    """D6, D7, D8, P16, W-D7."""
    assert [each and each.title for each in map(listed.get_service, (1, 4, 5, 99))] == ["Борода", "Груминг", None, None]
    assert other.get_service(1) is None


def test_category_holds_what_is_offered_in_the_same_order(listed: DataLayer) -> None:
    """D10, D11, D12, D13, P17: what is no longer offered had come back into it."""
    assert [ids(listed.get_services_in_category(number)) for number in (10, 20, 30)] == [[3, 1], [2], []]


def test_categories_are_told_apart(listed: DataLayer) -> None:
    """D18, D19: without a look at production."""
    assert {each.category_id for each in listed.get_all_services()} == {10, 20}


def test_titles_are_found_by_external_ids(listed: DataLayer) -> None:
    """M-26, 2.3: the order was lost and unknown ids with it; here each title has its id."""
    assert listed.services.titles([4, 1, 99]) == {4: "Груминг", 1: "Борода"}
    assert listed.services.titles([]) == {}


def test_many_are_inserted_then_updated(data: DataLayer) -> None:
    """D14, D15, D16, D17, P18, W-D4: by id and salon; the row's own id stays."""
    data.upsert_services([service(yclients_id=1), service(yclients_id=2)])
    before = {each.yclients_id: each.id for each in data.get_all_services()}

    done = data.upsert_services([service(yclients_id=1, title="[TEST] new"), service(yclients_id=2)])

    assert (done.inserted, done.updated, done.unchanged) == (0, 1, 1)
    assert {each.yclients_id: each.id for each in data.get_all_services()} == before
    assert data.upsert_services([]).inserted == 0


def test_money_is_exact(data: DataLayer) -> None:
    """W-R32: numbers came back as texts."""
    row = data.upsert_service(service(price_min=Decimal("0.10"), price_max=Decimal("9999999999.99"))).row

    assert (row.price_min, row.price_max) == (Decimal("0.10"), Decimal("9999999999.99"))


@pytest.mark.parametrize(
    ("given", "constraint"),
    [
        ({"price_min": Decimal(2), "price_max": Decimal(1)}, "services_price_check"),
        ({"price_min": Decimal(-1)}, "services_price_check"),
        ({"discount": Decimal("100.01")}, "services_discount_check"),
        ({"duration": -1}, "services_duration_check"),
        ({"seance_length": -1}, "services_seance_length_check"),
    ],
)
def test_what_can_not_be_is_refused(data: DataLayer, given: dict[str, object], constraint: str) -> None:
    with pytest.raises(CheckFailed) as caught:
        data.upsert_service(service(**given))

    assert caught.value.constraint == constraint
