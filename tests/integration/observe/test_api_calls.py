"""A call of an API is what its failures are reported as: once, whatever it did inside."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from trueup import observe
from trueup.errors import Conflict, Duplicate

TABLE = "public.clients"


@pytest.fixture
def events(receiver: Any, track: Any) -> Iterator[Any]:
    """Return what gives the events that arrived."""
    track(receiver.dsn)

    def arrived() -> list[dict[str, str]]:
        assert observe.flush(10)
        return [event["tags"] for event in receiver.errors]

    return arrived


def duplicate() -> Duplicate:
    return Duplicate("", sqlstate="23505", table=TABLE)


def test_failure_inside_is_the_calls_failure_with_its_table(events: Any) -> None:
    """W-R26: one failure was captured two or three times on its way out."""
    with suppress(Duplicate), observe.api_call("data-layer", "upsert_client"), observe.operation("tables", "x", TABLE):
        observe.report_failure(error := duplicate(), component="db", operation="statement")
        raise error

    [tags] = events()
    assert (tags["component"], tags["operation"], tags["table"]) == ("data-layer", "upsert_client", TABLE)


def test_call_within_a_call_belongs_to_the_outer_one(events: Any) -> None:
    with suppress(Conflict), observe.api_call("data-layer", "outer"), observe.api_call("data-layer", "inner"):
        raise Conflict("", sqlstate="40001")

    assert [tags["operation"] for tags in events()] == ["outer"]


def test_error_that_the_call_handles_is_no_failure(events: Any) -> None:
    with observe.api_call("data-layer", "book"), suppress(Duplicate), observe.operation("tables", "insert", TABLE):
        raise duplicate()

    assert events() == []


def test_what_follows_a_call_is_reported_in_its_own_name(events: Any) -> None:
    with observe.operation("jobs", "nightly"):
        with suppress(Conflict), observe.api_call("data-layer", "book"):
            raise Conflict("", sqlstate="40001")
        with suppress(Duplicate), observe.operation("tables", "insert", TABLE):
            raise duplicate()

    assert [tags["component"] for tags in events()] == ["data-layer", "tables"]


@pytest.mark.parametrize("component", ["Anna Petrova", "+70001230022", "a--b", "sk-live-key", "data-layer-", "-", ""])
def test_component_that_could_be_a_value_is_not_shown(events: Any, component: str) -> None:
    with suppress(Conflict), observe.api_call(component, "book"):
        raise Conflict("")

    assert [tags["component"] for tags in events()] == ["unnamed"]
