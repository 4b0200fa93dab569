"""Where talks stand."""

import datetime as dt
from uuid import uuid4

import pytest
from tests.repositories.rows import NOON, booking, client, dialog

from ai_admin.data_layer import DataLayer
from trueup.errors import CheckFailed, ForeignKeyMissing, NullNotAllowed


def test_dialog_is_stored_and_found(data: DataLayer) -> None:
    """P1, P2, M-11, W-D6, I-m: every save failed with 42P10, unseen, the whole time."""
    given = {"state": "BOOKING", "data": {"service": "Стрижка"}, "context_metadata": {"a": [1]}, "last_activity": NOON}

    done = data.upsert_dialog(dialog(user_id="u", **given))

    assert done.status == "inserted"
    found = data.get_dialog("u")
    assert found == done.row
    assert {name: getattr(found, name) for name in given} == given


def test_user_who_never_wrote_has_no_dialog(data: DataLayer) -> None:
    assert data.get_dialog("u") is None


def test_user_talks_to_each_salon_separately(data: DataLayer, other: DataLayer) -> None:
    """M-18, 2.3: (user_id) alone was the key, and the company a text."""
    for each, state in ((data, "ours"), (other, "theirs")):
        each.upsert_dialog(dialog(user_id="u", state=state))

    assert [each.get_dialog("u").state for each in (data, other)] == ["ours", "theirs"]  # type: ignore[union-attr]


def test_new_dialog_has_the_defaults_of_the_source(data: DataLayer) -> None:
    """M-19, M-20: one default had its quotes inside."""
    row = data.upsert_dialog(dialog()).row

    assert (row.state, row.session_type, row.data, row.messages, row.context_metadata) == ("INIT", "chat", {}, [], {})


def test_saved_messages_leave_the_rest_alone(data: DataLayer) -> None:
    """M-11: the column of the last command did not exist."""
    before = data.upsert_dialog(dialog(user_id="u", state="BOOKING", data={"a": 1})).row
    said = [{"role": "user", "text": "запишите меня"}, {"role": "assistant", "text": ""}]

    done = data.save_messages("u", said, last_command="CREATE_BOOKING")

    assert (done.status, done.row.id, done.row.state, done.row.data) == ("updated", before.id, "BOOKING", {"a": 1})
    assert (done.row.messages, done.row.message_count, done.row.last_command) == (said, 2, "CREATE_BOOKING")
    assert abs(dt.datetime.now(dt.UTC) - done.row.last_activity) < dt.timedelta(minutes=1)


def test_saved_messages_begin_a_dialog(data: DataLayer) -> None:
    """W-R16: an empty list was stored as an empty object."""
    row = data.save_messages("u", []).row

    assert (row.messages, row.message_count, row.last_command) == ([], 0, None)


def test_dialog_keeps_its_client_and_booking_while_they_are_there(data: DataLayer) -> None:
    """M-21: the id of a booking is a uuid."""
    known, booked = data.upsert_client(client()).row, data.upsert_booking(booking()).row
    data.upsert_dialog(dialog(user_id="u", client_id=known.id, last_booking_id=booked.id))

    data.clients.delete(id=known.id)
    data.bookings.delete(id=booked.id)

    found = data.get_dialog("u")
    assert found is not None
    assert (found.client_id, found.last_booking_id) == (None, None)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"data": []}, CheckFailed),
        ({"messages": {}}, CheckFailed),
        ({"messages": None}, NullNotAllowed),
        ({"last_booking_id": uuid4()}, ForeignKeyMissing),
        ({"client_id": 0}, ForeignKeyMissing),
    ],
)
def test_what_can_not_be_is_refused(data: DataLayer, given: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        data.upsert_dialog(dialog(**given))
