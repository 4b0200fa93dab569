"""What a real server of the protocol makes of our events, read back from it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.integration.observe.bugsink import Bugsink, NotInstalled, install, serve

from trueup import observe
from trueup.db import connect
from trueup.db.events import Kind, PoolEvent
from trueup.db.sqlstate import named
from trueup.errors import Conflict, Duplicate
from trueup.observe import operations
from trueup.observe.limit import Allowance

CANARY = "+70001230022"


@pytest.fixture(scope="module")
def home(cache_folder: Path) -> Path:
    try:
        return install(cache_folder)
    except NotInstalled as reason:
        pytest.skip(f"bugsink can't be installed: {reason}")


@pytest.fixture(scope="module")
def bugsink(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bugsink]:
    with serve(home, tmp_path_factory.mktemp("bugsink") / "data") as server:
        yield server


def duplicate() -> Duplicate:
    error = Duplicate(CANARY, sqlstate="23505", table="public.clients", constraint="clients_key", columns=("phone",))
    error.__cause__ = KeyError(CANARY)
    return error


def events_with(bugsink: Bugsink, tag: str, value: str) -> list[dict]:
    return [event for event in bugsink.events() if event.get("tags", {}).get(tag) == value]


def test_failure_is_read_back_with_its_tags(bugsink, track):
    track(bugsink.dsn)

    with pytest.raises(Duplicate), observe.operation("tables", "upsert", "public.clients"):
        raise duplicate()

    assert observe.flush(10)
    [event] = events_with(bugsink, "operation", "upsert")
    assert event["tags"]["table"] == "public.clients"
    assert event["tags"]["component"] == "tables"
    assert event["tags"]["sqlstate"] == "23505"
    assert event["environment"] == "test"
    assert event["release"] == "0123456789abcdef0123456789abcdef01234567"
    assert event["extra"]["duration_ms"] >= 0
    assert [value["type"] for value in event["exception"]["values"]] == ["KeyError", "Duplicate"]
    assert event in [bugsink.event(issue) for issue in bugsink.issues()]


def test_equal_failures_are_one_issue_and_others_are_not(bugsink, track):
    """W-S4."""
    track(bugsink.dsn)
    before = len(bugsink.issues())
    for constraint in ("one", "one", "one", "other"):
        error = Duplicate(CANARY, sqlstate="23505", table="public.grouped", constraint=constraint)
        observe.report_failure(error, component="tables", operation="group")

    assert observe.flush(10)

    assert len(bugsink.issues()) == before + 2
    assert len(events_with(bugsink, "operation", "group")) == 4


def test_slow_queries_are_one_issue(bugsink, track, monkeypatch):
    monkeypatch.setattr(operations, "SLOW_S", 0.001)
    track(bugsink.dsn)
    before = len(bugsink.issues())
    for table in ("public.a", "public.b"):
        with observe.operation("tables", "find_slowly", table):
            threading.Event().wait(0.005)

    assert observe.flush(10)

    assert len(bugsink.issues()) == before + 1
    assert {event["level"] for event in events_with(bugsink, "operation", "find_slowly")} == {"warning"}


def test_long_hold_is_stored_with_its_places(bugsink, track):
    """W-P6."""
    track(bugsink.dsn)
    listen = observe.listening(None)
    listen(PoolEvent(kind=Kind.LONG_HOLD, in_use=1, max_size=3, seconds=31.0, detail="  /srv/app/run.py:3 in main"))

    assert observe.flush(10)

    [event] = events_with(bugsink, "operation", "pool")
    assert event["threads"]["values"][0]["stacktrace"]["frames"][0]["function"] == "main"


def test_real_row_stays_here(bugsink, track, database):
    """W-S1: a unique violation of a real server, whose every text quotes the row."""
    track(bugsink.dsn, traces_share=1.0)
    connection = connect(database)
    connection.execute("create table clients (phone text primary key)")
    connection.execute("insert into clients values (%s)", [CANARY])

    def insert_again() -> None:
        try:
            connection.execute("insert into clients values (%s)", [CANARY])
        except psycopg.Error as error:
            raise named(error) from error

    with pytest.raises(Duplicate), observe.operation("tables", "insert", "public.clients"):
        insert_again()

    connection.close()
    assert observe.flush(10)
    sent = bugsink.envelopes()
    assert any(b"clients_pkey" in envelope for envelope in sent)
    assert not [envelope for envelope in sent if b"70001230022" in envelope]


def test_durations_arrive_and_a_server_without_use_for_them_is_left_alone(bugsink, track):
    """It takes the first, then answers that it wants no more for a day; errors go on."""
    tracker = track(bugsink.dsn, traces_share=1.0)
    for _ in range(3):
        with observe.operation("tables", "find_traced", "public.clients"):
            pass
        observe.flush(10)
    observe.report_failure(Conflict("", sqlstate="40001"), component="tables", operation="after_traces")

    assert observe.flush(10)
    account = tracker.outbox.account()
    assert account.is_balanced
    assert account.captured == 4
    assert account.delivered + account.dropped.get("rate_limited_by_server", 0) == 4
    assert len(events_with(bugsink, "operation", "after_traces")) == 1


def test_storm_is_ten_events_and_their_count(bugsink, track):
    track(bugsink.dsn, errors=Allowance(events=10, window_s=60.0))
    for _ in range(10_000):
        observe.report_failure(Conflict("", sqlstate="40001"), component="db", operation="storm")

    assert observe.flush(20)

    stored = events_with(bugsink, "operation", "storm")
    assert len(stored) == 10
    assert sum(event["extra"].get("suppressed", 0) for event in stored) == 9_991


def test_test_event_is_stored(bugsink, track):
    track(bugsink.dsn)

    probe = observe.send_test_event(10)

    assert probe.is_delivered, probe
    assert len(events_with(bugsink, "operation", "send_test_event")) == 1


def test_wrong_key_is_said(bugsink, track):
    key = bugsink.dsn.reveal().split("//")[1].split("@")[0]
    track(type(bugsink.dsn)(bugsink.dsn.reveal().replace(key, "0" * len(key))))

    probe = observe.send_test_event(10)

    assert not probe.is_delivered
    assert probe.reason.startswith("status_40")
