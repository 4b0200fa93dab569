"""The staff of one salon, and lists that are replaced as a whole."""

from decimal import Decimal

import pytest
from tests.repositories.rows import COMPANY, service, staff_member

from ai_admin.data_layer import DataLayer
from ai_admin.errors import EmptyList
from ai_admin.staff import StaffMember
from trueup.db import Connection, Database
from trueup.errors import CheckFailed


def ids(staff: list[StaffMember]) -> list[int]:
    return [each.yclients_id for each in staff]


@pytest.fixture
def hired(data: DataLayer, other: DataLayer) -> DataLayer:
    """Return the data layer of a salon with three people, one of whom has left."""
    data.upsert_staff(
        [
            staff_member(yclients_id=1, name="Виктор Ёлкин"),
            staff_member(yclients_id=2, name="Анна", is_active=False),
            staff_member(yclients_id=3, name="Борис", specialization="Барбер"),
        ]
    )
    other.upsert_staff_member(staff_member(yclients_id=4))
    return data


def test_staff_comes_by_name(hired: DataLayer) -> None:
    """E1, E3, N3, P11, M-2: is_active, which means the opposite of fired."""
    assert ids(hired.get_staff()) == [3, 1]


def test_all_staff_includes_who_has_left(hired: DataLayer) -> None:
    """E2, N4, N5: in the order of the database's collation, not of the test's."""
    assert ids(hired.get_all_staff()) == [2, 3, 1]


def test_salon_that_is_not_there_has_no_staff(hired: DataLayer) -> None:
    """E4, N6, P22."""
    assert DataLayer(hired.db, -404).get_all_staff() == []


def test_person_is_found_by_id_in_their_salon_alone(hired: DataLayer, other: DataLayer) -> None:
    """E6, E7, E8, E10, N1, N8, N9, N10, P10."""
    assert [each and each.name for each in map(hired.get_staff_member, (3, 2, 4, 99))] == ["Борис", "Анна", None, None]
    assert hired.get_staff_member(3).specialization == "Барбер"  # type: ignore[union-attr]
    assert other.get_staff_member(3) is None


def test_names_and_ids_of_people_are_found(hired: DataLayer) -> None:
    """M-26: by their external ids."""
    assert hired.staff.names([2, 3, 99]) == {2: "Анна", 3: "Борис"}
    assert hired.staff.names(()) == {}
    assert hired.staff.active_ids() == [1, 3]


def test_person_comes_back_as_given(data: DataLayer) -> None:
    """E5, N2, N17, N18, P24, M-24: avatar_url among it; what is NULL is None."""
    given = {
        "name": "[TEST] Ольга-Ёлка",
        "rating": Decimal("4.90"),
        "avatar_url": "https://127.0.0.1/a.png",
        "service_ids": [2**40],
        "phone": "+70001230022",
        "declensions": {"родительный": "Ольги"},
        "position": None,
        "email": None,
    }

    row = data.upsert_staff_member(staff_member(**given)).row

    assert {name: getattr(row, name) for name in given} == given
    assert (row.is_active, row.is_bookable, row.votes_count, row.raw_data) == (True, True, 0, {})


def test_phone_of_a_person_is_normalised(data: DataLayer) -> None:
    assert data.upsert_staff_member(staff_member(phone="8 000 123 00 22")).row.phone == "+70001230022"


def test_person_is_switched_off_and_on(data: DataLayer) -> None:
    """N19."""
    states = [data.upsert_staff_member(staff_member(yclients_id=1, is_active=flag)) for flag in (True, False, True)]

    assert [(each.status, each.row.is_active) for each in states] == [
        ("inserted", True),
        ("updated", False),
        ("updated", True),
    ]


def test_many_are_inserted_then_updated(data: DataLayer) -> None:
    """N11, N12, N13."""
    rows = [staff_member(yclients_id=number) for number in range(120)]

    first = data.upsert_staff(rows)
    second = data.upsert_staff([*rows[1:], staff_member(yclients_id=0, name="[TEST] new")])

    assert (first.inserted, second.updated, second.unchanged) == (120, 1, 119)


def test_rating_has_its_limits(data: DataLayer) -> None:
    with pytest.raises(CheckFailed):
        data.upsert_staff_member(staff_member(rating=Decimal("5.01")))


# -- the whole list ----------------------------------------------------------------------------------------------------


def test_who_is_not_on_the_list_is_deactivated(hired: DataLayer, other: DataLayer) -> None:
    """8.2: deactivating was a statement of its own, over everybody."""
    done = hired.replace_staff([staff_member(yclients_id=3, name="Борис"), staff_member(yclients_id=5)])

    assert (done.deactivated, done.written.inserted) == ((1,), 1)
    assert sorted(ids(hired.get_staff())) == [3, 5]
    assert ids(other.get_staff()) == [4]


def test_list_that_says_the_same_changes_nothing(hired: DataLayer) -> None:
    rows = [each for each in hired.get_all_staff() if each.is_active]

    done = hired.replace_staff(rows)

    assert (done.deactivated, done.written.unchanged) == ((), 2)


def test_nobody_is_deactivated_when_a_row_is_refused(committing: Database, observer: Connection) -> None:
    """8.2: after a failed upsert all of the staff was inactive."""
    data = DataLayer(committing, COMPANY)
    data.upsert_staff([staff_member(yclients_id=number) for number in (1, 2)])

    with pytest.raises(CheckFailed):
        data.replace_staff([staff_member(yclients_id=3), staff_member(yclients_id=1, rating=Decimal(9))])

    assert observer.execute("select yclients_id, is_active from staff order by 1").fetchall() == [(1, True), (2, True)]


def test_row_that_is_rejected_stays_as_it_was(hired: DataLayer) -> None:
    done = hired.replace_staff(
        [staff_member(yclients_id=1, rating=Decimal(9)), staff_member(yclients_id=5)], partial=True
    )

    assert [bad.key for bad in done.written.rejected] == [(1, COMPANY)]
    assert done.deactivated == (3,)
    assert sorted(ids(hired.get_staff())) == [1, 5]


def test_empty_list_is_refused(hired: DataLayer) -> None:
    """8.1: an error of the API was taken for the whole list."""
    with pytest.raises(EmptyList):
        hired.replace_staff([])

    assert len(hired.get_staff()) == 2


def test_services_are_replaced_alike(data: DataLayer) -> None:
    """8.2: services that were removed at YClients were offered for ever."""
    data.upsert_services([service(yclients_id=number) for number in (1, 2)])

    done = data.replace_services([service(yclients_id=2)])

    assert (done.deactivated, [each.yclients_id for each in data.get_services()]) == ((1,), [2])
