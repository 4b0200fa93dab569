"""Nothing is nothing however it is written, wherever it stands."""

import json

import pytest

from ai_admin.sync.payloads import ClientPayload, RecordPayload, decode, meant


@pytest.mark.parametrize(
    ("sent", "meaning"),
    [
        ("", None),
        ([], None),
        ("x", "x"),
        (0, 0),
        (False, False),
        ({"a": "", "b": {"c": [], "d": 1}}, {"b": {"d": 1}}),
        ([{"a": ""}, [{"b": []}], "", 1], [{}, [{}], "", 1]),
    ],
)
def test_what_is_empty_is_left_out_at_any_depth(sent, meaning):
    assert meant(sent) == meaning


def test_objects_within_an_object_are_read_with_the_same_quirks():
    service = {"id": "7", "cost": "", "amount": [], "seance_length": "60"}
    sent = {"id": 1, "staff_id": "2", "services": [service], "client": [], "staff": {"id": "", "name": ""}}

    (item,), rejects = decode(RecordPayload, [json.dumps(sent).encode()])

    (found,) = item.payload.services
    assert rejects == []
    assert (found.id, found.cost, found.amount, found.seance_length) == (7, None, None, 60)
    assert (item.payload.client, item.payload.staff.id, item.payload.staff.name) == (None, None, None)
    assert item.raw == sent, "as it was sent"


def test_nothing_that_was_sent_is_told_from_what_was_not():
    told, untold = ({"id": 1, "email": "", "comment": "x"}, {"id": 1})

    items, _ = decode(ClientPayload, [json.dumps(each).encode() for each in (told, untold)])

    kept = ClientPayload(id=1)
    assert [(each.payload.email, each.payload.comment) for each in items] == [(None, "x"), (kept.email, kept.comment)]
