"""Nothing personal and nothing secret leaves: planted values are looked for in every byte that a server receives."""

import json
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote

import psycopg
import pytest
import sentry_sdk
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sentry_sdk.crons import capture_checkin
from tests.integration.observe.receiver import Receiver

from trueup import observe
from trueup.db.events import Kind, PoolEvent
from trueup.errors import ConnectionFailed, Duplicate, InvalidData

PHASES = (Phase.explicit, Phase.generate)
"""A value is as short as it can be: nothing is won by shrinking it."""

DIGITS = st.text("0123456789", min_size=10, max_size=10)
LETTERS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=9, max_size=14)
CYRILLIC = st.text("абвгдежзиклмнопрстуфхцчшэюя", min_size=7, max_size=12)
VALUES = st.one_of(
    DIGITS.map("+7{}".format),
    DIGITS.map(lambda d: f"8 ({d[:3]}) {d[3:6]}-{d[6:8]}-{d[8:]}"),
    DIGITS.map("7{}@s.whatsapp.net".format),
    LETTERS.map("{}@example.org".format),
    st.tuples(LETTERS, LETTERS).map(lambda n: f"{n[0].title()} {n[1].title()}"),
    st.tuples(CYRILLIC, CYRILLIC).map(lambda n: f"{n[0].title()} {n[1].title()}"),
    st.tuples(LETTERS, LETTERS).map(lambda n: f"postgresql://{n[0]}:{n[1]}@127.0.0.9/live"),
    LETTERS.map("https://{}@127.0.0.9/3".format),
    LETTERS.map("sk-live-{}".format),
    LETTERS.map("' or name = '{}".format),
    st.tuples(DIGITS, DIGITS).map(lambda n: f"{n[0]}.{n[1]}.4e5f"),
)


def by_failure(value: str) -> None:
    """All that an error of ours can carry, with a driver's error as its cause."""
    error = Duplicate(value, sqlstate=value, table=value, constraint=value, columns=(value, "phone"))
    error.add_note(value)
    error.__cause__ = psycopg.errors.UniqueViolation(f"Key (phone)=({value}) already exists.")
    observe.report_failure(error, component=value, operation=value, table=value)


def by_operation(value: str) -> None:
    with suppress(InvalidData), observe.operation("tables", value, value):
        raise InvalidData(f"invalid input syntax for type uuid: {value}", sqlstate="22P02", table=value)


def by_login(value: str) -> None:
    error = ConnectionFailed(f"cannot connect to {value}: password {value}", sqlstate="08001")
    observe.report_failure(error, component="db", operation="connect")


def by_pool(value: str) -> None:
    listen = observe.listening(None)
    if listen:
        stack = f"  /home/{value}/app/run.py:3 in <module>\n{value}\n  {value}.py:1 in f\n"
        listen(PoolEvent(kind=Kind.LONG_HOLD, in_use=1, max_size=3, seconds=1.0, detail=stack))


def by_exception(value: str) -> None:
    phone, row = value, {"phone": value, value: 1}
    try:
        raise KeyError(phone, row)
    except KeyError as error:
        error.add_note(value)
        sentry_sdk.capture_exception(error)


def by_group(value: str) -> None:
    try:
        raise ExceptionGroup(value, [ValueError(value), KeyError(value)])
    except ExceptionGroup as group:
        sentry_sdk.capture_exception(group)


def by_code(value: str) -> None:
    """Code whose file and module are named after a value."""
    with sentry_sdk.new_scope():
        try:
            exec(compile("{}['x']", f"/home/{value}/x.py", "exec"), {"__name__": value})
        except KeyError as error:
            sentry_sdk.capture_exception(error)


def by_class(value: str) -> None:
    sentry_sdk.capture_exception(type(value, (Exception,), {"__module__": value})(value))


def by_message(value: str) -> None:
    sentry_sdk.capture_message(value)


def by_log(value: str) -> None:
    """A log record alone makes no event; the next event must not carry it as a breadcrumb."""
    logging.getLogger("ai_admin").error("client %s", value)
    sentry_sdk.capture_message("after a log record")


def by_scope(value: str) -> None:
    with sentry_sdk.new_scope() as scope:
        scope.set_tag("table", value)
        scope.set_tag(value, "x")
        scope.set_user({"id": value, "email": value})
        scope.set_extra("filters", {"phone": value})
        scope.set_context("client", {"name": value})
        scope.set_transaction_name(value)
        scope.fingerprint = [value]
        scope.add_attachment(bytes=value.encode(), filename=f"{quote(value, safe='')}.txt")
        sentry_sdk.add_breadcrumb(message=value, data={"sql": value})
        sentry_sdk.capture_exception(ValueError(value))
        observe.report_failure(ValueError(value), component="tables", operation="insert")


def by_event(value: str) -> None:
    sentry_sdk.capture_event(
        {
            "message": value,
            "logentry": {"message": value, "params": [value]},
            "request": {"url": value, "headers": {"Authorization": value}, "data": value},
            "exception": {
                "values": [{"type": value, "value": value, "stacktrace": {"frames": [{"vars": {"a": value}}]}}]
            },
            "server_name": value,
            "release": value,
            "environment": value,
            "dist": value,
            "level": value,
            "logger": value,
            "modules": {value: "1"},
            "contexts": {"os": {"name": value}, "trace": {"trace_id": value, "data": {"x": value}}},
            "extra": {"sys.argv": [value]},
        }
    )


def by_trace(value: str) -> None:
    with sentry_sdk.start_transaction(name=value, op=value) as transaction:
        transaction.set_tag("phone", value)
        transaction.set_data("sql", value)
        with sentry_sdk.start_span(op="db.query", name=f"select {value}") as span:
            span.set_data("db.params", [value])


def by_checkin(value: str) -> None:
    capture_checkin(monitor_slug=value, status="ok")


PLANTS: tuple[Callable[[str], None], ...] = (
    by_failure,
    by_operation,
    by_login,
    by_pool,
    by_exception,
    by_group,
    by_code,
    by_class,
    by_message,
    by_log,
    by_scope,
    by_event,
    by_trace,
    by_checkin,
)


def spellings(value: str) -> set[bytes]:
    """Return how a value may look in what is sent."""
    return {value.encode(), json.dumps(value)[1:-1].encode(), quote(value).encode(), quote(value, safe="").encode()}


@pytest.fixture
def planted(monkeypatch) -> str:
    """Plant a value where an SDK looks by itself: the command line, the environment, the host's name."""
    value = "+70001112233"
    monkeypatch.setattr(sys, "argv", ["service", f"--phone={value}"])
    monkeypatch.setenv("SENTRY_RELEASE", value)
    monkeypatch.setenv("CLIENT", value)
    monkeypatch.setattr("socket.gethostname", lambda: value)
    return value


def test_no_planted_value_leaves(receiver, track, planted):
    """W-S1, W-S7."""
    tracker = track(receiver.dsn, traces_share=1.0)

    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None, phases=PHASES
    )
    @given(st.lists(VALUES, min_size=len(PLANTS), max_size=len(PLANTS)))
    def no_value_leaves(values: list[str]) -> None:
        receiver.raw.clear()
        for plant, value in zip(PLANTS, values, strict=True):
            plant(value)
        assert observe.flush(30)
        sent = b"\n".join(receiver.raw)
        assert len(receiver.raw) >= len(PLANTS)
        for plant, value in zip(PLANTS, values, strict=True):
            assert not [found for found in spellings(value) if found in sent], (plant.__name__, value)
        assert planted.encode() not in sent

    no_value_leaves()
    account = tracker.outbox.account()
    assert account.is_balanced
    assert account.captured == account.delivered + sum(account.dropped.values())


def leaks(receiver: Receiver) -> set[str]:
    """Return which plants leave through the SDK as it comes."""
    # Without that option a thread outlives the client by ten seconds.
    options = {"traces_sample_rate": 1.0, "keep_alive": True, "enable_backpressure_handling": False}
    sentry_sdk.init(dsn=receiver.dsn.reveal(), **options)
    try:
        values = {plant: f"+7000123{number:04}" for number, plant in enumerate(PLANTS)}
        for plant, value in values.items():
            with suppress(Exception):
                plant(value)
        sentry_sdk.get_client().close(10)
    finally:
        sentry_sdk.get_global_scope().set_client(None)
    sent = b"\n".join(receiver.raw)
    return {
        plant.__name__
        for plant, value in values.items()
        if spellings(value) & {f for f in spellings(value) if f in sent}
    }


def test_the_same_values_leave_through_the_sdk_as_it_comes(receiver, planted):
    """The plants are worth something: without the filter nearly all of them arrive."""
    assert {"by_exception", "by_group", "by_message", "by_log", "by_scope", "by_event", "by_trace"} <= leaks(receiver)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_what_is_planted_still_becomes_an_event(receiver, track, plant):
    """A filter that sends nothing would be private as well."""
    track(receiver.dsn, traces_share=1.0)

    plant("+70001230022")
    observe.flush(10)

    assert len(receiver.events) == {"by_scope": 2, "by_operation": 2, "by_checkin": 1}.get(plant.__name__, 1)
