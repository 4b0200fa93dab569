import json

import pytest

from trueup.errors import Duplicate
from trueup.observe.event import Origin, Span, event_of, foreign_transaction, transaction_of
from trueup.observe.incident import failure, warning

ID = "0123456789abcdef0123456789abcdef"
ORIGIN = Origin(release="0" * 40, environment="staging")
KEYS = {
    "event_id",
    "timestamp",
    "platform",
    "environment",
    "sdk",
    "release",
    "level",
    "logger",
    "fingerprint",
    "tags",
    "extra",
    "exception",
    "logentry",
    "threads",
}


def duplicate() -> Duplicate:
    return Duplicate("", sqlstate="23505", table="public.clients", constraint="clients_key")


def test_event_has_the_keys_that_are_allowed_and_no_other():
    for incident in (
        failure(duplicate(), component="tables", operation="insert"),
        warning("slow query", component="tables", operation="find", measures={"duration_ms": 700}),
    ):
        assert event_of(incident, ID, ORIGIN, 0.0).keys() <= KEYS


def test_event_is_found_by_its_tags():
    event = event_of(failure(duplicate(), component="tables", operation="insert"), ID, ORIGIN, 0.0)

    assert event["tags"] == {
        "component": "tables",
        "operation": "insert",
        "table": "public.clients",
        "sqlstate": "23505",
        "constraint": "clients_key",
        "outcome": "rolled_back",
    }
    assert event["fingerprint"] == ["trueup", "23505", "public.clients", "clients_key", "insert"]
    assert (event["release"], event["environment"]) == ("0" * 40, "staging")


def test_causes_come_innermost_first():
    error = duplicate()
    error.__cause__ = KeyError()

    values = event_of(failure(error, component="c", operation="o"), ID, ORIGIN, 0.0)["exception"]["values"]

    assert [value["type"] for value in values] == ["KeyError", "Duplicate"]


def test_unknown_release_is_left_out():
    event = event_of(failure(duplicate(), component="c", operation="o"), ID, Origin(release=None, environment="x"), 0.0)

    assert "release" not in event


def test_event_fits_on_one_line():
    event = event_of(failure(duplicate(), component="c", operation="o"), ID, ORIGIN, 0.0)

    assert "\n" not in json.dumps(event)


def span(**changes):
    facts = {"span_id": "a" * 16, "parent_id": None, "component": "tables", "operation": "find", "table": "public.a"}
    return Span(**(facts | {"started": 1.0, "ended": 2.0} | changes))


def test_durations_hang_together():
    inner = span(span_id="b" * 16, parent_id="a" * 16, component="db", operation="commit", table=None)

    event = transaction_of([span(), inner], ID, ID, ORIGIN)

    assert event["transaction"] == "find public.a"
    assert event["contexts"]["trace"]["span_id"] == event["spans"][0]["parent_span_id"] == "a" * 16
    assert event["spans"][0]["description"] == "commit"


def test_value_in_place_of_a_name_is_not_sent():
    event = transaction_of([span(component="Anna P", operation="Anna P", table="+70001230022")], ID, ID, ORIGIN)

    assert "Anna" not in repr(event)
    assert "7999" not in repr(event)


def foreign(**changes):
    whole = {
        "event_id": ID,
        "type": "transaction",
        "transaction": "/clients/+70001230022",
        "start_timestamp": "2026-01-01T00:00:00.000000Z",
        "timestamp": "2026-01-01T00:00:01.000000Z",
        "user": {"email": "ann@example.org"},
        "tags": {"name": "Anna"},
        "contexts": {"trace": {"trace_id": ID, "span_id": "a" * 16, "op": "http.server", "data": {"q": "Anna"}}},
        "spans": [
            {
                "span_id": "b" * 16,
                "parent_span_id": "a" * 16,
                "op": "select * from clients where name = 'Anna'",
                "description": "select 'Anna'",
                "start_timestamp": 1.5,
                "timestamp": 2.5,
            }
        ],
    }
    return whole | changes


def test_foreign_durations_lose_names_and_data():
    found = foreign_transaction(foreign(), ORIGIN)

    assert found
    assert "Anna" not in repr(found)
    assert "70001230022" not in repr(found)
    assert "ann@" not in repr(found)
    assert found["contexts"] == {"trace": {"trace_id": ID, "span_id": "a" * 16, "op": "http.server"}}
    assert found["spans"] == [
        {"span_id": "b" * 16, "parent_span_id": "a" * 16, "start_timestamp": 1.5, "timestamp": 2.5}
    ]


@pytest.mark.parametrize(
    "changes", [{"contexts": {}}, {"timestamp": "now"}, {"start_timestamp": None}, {"event_id": "Anna"}]
)
def test_foreign_durations_that_are_malformed_are_not_sent(changes):
    assert foreign_transaction(foreign(**changes), ORIGIN) is None
