"""What arrives of failures, slow queries and warnings, each told once."""

import threading

import psycopg
import pytest
import sentry_sdk

from trueup import observe
from trueup.db import connect
from trueup.db.events import Kind, PoolEvent
from trueup.db.sqlstate import named
from trueup.errors import Conflict, Duplicate
from trueup.observe import operations


def duplicate() -> Duplicate:
    return Duplicate("+70001230022", sqlstate="23505", table="public.clients", constraint="clients_key")


def test_failure_that_passes_many_layers_is_reported_once(receiver, track):
    """W-R26, W-S3: with the innermost place, and the caller gets the error that was raised."""
    track(receiver.dsn)
    error = duplicate()

    def work() -> None:
        try:
            with observe.operation("tables", "upsert", "public.clients"):
                raise error
        except Duplicate as inner:
            observe.report_failure(inner, component="db", operation="block")
            sentry_sdk.capture_exception(inner)
            raise

    with pytest.raises(Duplicate) as caught, observe.operation("db", "transaction"):
        work()

    observe.flush(10)
    assert caught.value is error
    assert [event["tags"]["operation"] for event in receiver.errors] == ["upsert"]
    assert observe.status().account.captured == 1


def test_error_that_is_renamed_on_its_way_is_one_failure(receiver, track):
    track(receiver.dsn)

    def work() -> None:
        try:
            with observe.operation("tables", "insert"):
                raise duplicate()
        except Duplicate as inner:
            raise RuntimeError("the import failed") from inner

    with pytest.raises(RuntimeError), observe.operation("cli", "import"):
        work()

    observe.flush(10)
    assert len(receiver.errors) == 1


def test_error_of_an_error_handler_is_another_failure(receiver, track):
    track(receiver.dsn)

    def work() -> None:
        try:
            with observe.operation("tables", "insert"):
                raise duplicate()
        except Duplicate:
            {}["missing"]

    with pytest.raises(KeyError), observe.operation("cli", "import"):
        work()

    observe.flush(10)
    assert sorted(event["exception"]["values"][-1]["type"] for event in receiver.errors) == ["Duplicate", "KeyError"]


def test_lost_race_is_reported_by_who_gives_up(receiver, track):
    """A failure that a later attempt makes good is none; the last one keeps the place it came from."""
    track(receiver.dsn)

    def attempt() -> None:
        with observe.operation("tables", "update", "public.bookings"):
            raise Conflict("", sqlstate="40001")

    with observe.retrying(is_last=False), pytest.raises(Conflict):
        attempt()
    observe.flush(10)
    assert receiver.errors == []

    with pytest.raises(Conflict) as last, observe.retrying(is_last=False):
        attempt()
    observe.report_failure(last.value, component="db", operation="run")
    observe.flush(10)

    assert [event["tags"]["operation"] for event in receiver.errors] == ["update"]
    assert receiver.errors[0]["tags"]["table"] == "public.bookings"


def test_last_attempt_reports_at_once(receiver, track):
    track(receiver.dsn)
    with observe.retrying(is_last=False):
        pass

    with pytest.raises(Conflict), observe.retrying(is_last=True), observe.operation("tables", "update"):
        raise Conflict("", sqlstate="40001")

    observe.flush(10)
    assert len(receiver.errors) == 1


def test_failure_that_no_attempt_can_help_is_reported_at_once(receiver, track):
    track(receiver.dsn)

    with pytest.raises(Duplicate), observe.retrying(is_last=False), observe.operation("tables", "insert"):
        raise duplicate()

    observe.flush(10)
    assert len(receiver.errors) == 1


def test_interruption_is_no_failure(receiver, track):
    track(receiver.dsn)

    with pytest.raises(KeyboardInterrupt), observe.operation("tables", "insert"):
        raise KeyboardInterrupt

    assert observe.status().account.captured == 0


def test_slow_queries_are_one_problem(receiver, track, monkeypatch):
    """W-S4: slow queries had a title each, and each title was an issue."""
    monkeypatch.setattr(operations, "SLOW_S", 0.01)
    track(receiver.dsn)
    for table in ("public.clients", "public.bookings"):
        with observe.operation("tables", "find_many", table):
            threading.Event().wait(0.02)
    with observe.operation("tables", "find_one", "public.clients"):
        pass

    observe.flush(10)

    assert [event["level"] for event in receiver.errors] == ["warning", "warning"]
    assert len({tuple(event["fingerprint"]) for event in receiver.errors}) == 1
    assert [event["tags"]["table"] for event in receiver.errors] == ["public.clients", "public.bookings"]
    assert all(event["extra"]["duration_ms"] >= 20 for event in receiver.errors)


def test_warnings_of_a_pool_arrive_and_its_listener_still_hears_all(receiver, track):
    """W-P6: who holds a connection, by the places of its checkout."""
    track(receiver.dsn)
    heard = []
    listen = observe.listening(heard.append)
    stack = "  /home/ann/salon/src/ai_admin/clients.py:12 in find\n  /home/ann/salon/run.py:3 in <module>"
    for kind in (Kind.CHECKOUT, Kind.USAGE, Kind.LONG_HOLD):
        listen(PoolEvent(kind=kind, in_use=3, max_size=3, seconds=31.0, detail=stack))

    observe.flush(10)

    usage, hold = receiver.errors
    assert len(heard) == 3
    assert usage["extra"] == {"in_use": 3.0, "max_size": 3.0, "duration_ms": 31_000.0}
    assert [f["function"] for f in hold["threads"]["values"][0]["stacktrace"]["frames"]] == ["module", "find"]
    assert b"ann" not in b"".join(receiver.raw)


def test_durations_hang_together_and_name_no_value(receiver, track):
    track(receiver.dsn, traces_share=1.0)

    with observe.operation("db", "transaction"):
        with observe.operation("tables", "find_one", "public.clients"):
            pass
        with observe.operation("tables", "upsert", "public.bookings"):
            pass

    observe.flush(10)
    [trace] = receiver.traces
    root = trace["contexts"]["trace"]["span_id"]
    assert trace["transaction"] == "transaction"
    assert [span["description"] for span in trace["spans"]] == ["find_one public.clients", "upsert public.bookings"]
    assert {span["parent_span_id"] for span in trace["spans"]} == {root}
    assert trace["timestamp"] >= trace["start_timestamp"] > 1e9


def test_one_operation_in_ten_tells_its_duration(receiver, track):
    track(receiver.dsn, traces_share=0.1)

    for _ in range(2_000):
        with observe.operation("tables", "find_one"):
            pass

    observe.flush(30)
    assert 120 < len(receiver.traces) < 290


def test_uncaught_error_of_a_thread_is_reported(receiver, track):
    """W-S2: most processes were never instrumented, so their errors were lost."""
    track(receiver.dsn)
    shown = threading.excepthook
    threading.excepthook = lambda _: None

    thread = threading.Thread(target=lambda: {}["+70001230022"])
    thread.start()
    thread.join()
    threading.excepthook = shown

    observe.flush(10)
    assert [event["exception"]["values"][-1]["type"] for event in receiver.errors] == ["KeyError"]
    assert b"70001230022" not in b"".join(receiver.raw)


def test_driver_errors_of_a_real_server_arrive_without_their_rows(receiver, track, database):
    """Every text of these errors quotes the row: primary message, detail or context."""
    track(receiver.dsn)
    canary = "+70001230022"
    connection = connect(database)
    connection.execute("create table clients (phone text primary key check (length(phone) < 20), age int not null)")
    connection.execute("insert into clients values (%s, 1)", [canary])
    statements = [
        ("insert into clients values (%s, 1)", canary),
        ("insert into clients values (%s, null)", canary),
        ("insert into clients values (%s || repeat('x', 20), 1)", canary),
        ("select %s::text::int", canary + "x"),
        ("select %s::text::uuid", canary),
        ("select %s::text::date", canary),
        ("select %s::text::jsonb", "{" + canary),
    ]
    for query, value in statements:
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(query, [value])
        observe.report_failure(named(caught.value), component="db", operation="execute", table="public.clients")
        observe.report_failure(caught.value, component="db", operation="execute")
    connection.close()

    observe.flush(10)
    assert len(receiver.raw) == len(statements) * 2
    assert b"70001230022" not in b"".join(receiver.raw)
    assert receiver.errors[0]["tags"]["constraint"] == "clients_pkey"
