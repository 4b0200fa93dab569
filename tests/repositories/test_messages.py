"""What came in and went out, and the months that it is kept in."""

import datetime as dt

import pytest
from tests.repositories.rows import COMPANY, HOUR, NOON, OTHER, PHONE, message

from ai_admin.messages import Messages, drop_partitions, make_partitions
from ai_admin.phones import Phone
from trueup.db import Connection, Database
from trueup.errors import CheckFailed
from trueup.tables import InvalidValue

NOBODY = Phone("+70009999999")
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def messages(db: Database) -> Messages:
    return Messages(db, company_id=COMPANY)


def say(messages: Messages, minutes: float, **given: object) -> None:
    """Store a message of so many minutes ago."""
    messages.insert(message(created_at=NOON - minutes * MINUTE, content=f"[TEST] {minutes}", **given))


# -- recent ------------------------------------------------------------------------------------------------------------


def test_latest_is_the_newest_that_came_in(messages: Messages) -> None:
    """I1, I2, I4, I6, I7, M-12: one row, by `phone`, and "incoming" is what it is called."""
    for minutes in (3, 1, 2):
        say(messages, minutes)
    say(messages, 0.5, direction="outgoing")

    found = messages.latest_incoming(Phone(PHONE), since=NOON - 5 * MINUTE)

    assert found is not None
    assert found.content == "[TEST] 1"


def test_older_than_asked_for_is_not_found(messages: Messages) -> None:
    """I5: the moment itself counts."""
    say(messages, 5)

    found = [messages.latest_incoming(Phone(PHONE), since=NOON - n * MINUTE) is not None for n in (4.99, 5)]

    assert found == [False, True]


def test_moment_that_is_a_text_is_refused(messages: Messages) -> None:
    """I3: an ISO text was taken as well; it says nothing of zones."""
    with pytest.raises(InvalidValue):
        messages.latest_incoming(Phone(PHONE), since="2031-05-12T12:00:00")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ago", "minutes", "active"),
    [
        pytest.param(1, None, True, id="I8-I11-default-window"),
        pytest.param(6, None, False, id="I9"),
        pytest.param(6, 10, True, id="wider-window"),
        pytest.param(1, 0, False, id="I12-no-window"),
    ],
)
def test_activity_is_what_came_in_within_the_window(
    messages: Messages, ago: float, minutes: float | None, active: bool
) -> None:
    """I13: decides whether a reminder is skipped."""
    say(messages, ago)
    say(messages, 0, phone=NOBODY, direction="outgoing")
    window = {} if minutes is None else {"minutes": minutes}

    assert messages.has_recent_activity(Phone("8 000 123-00-22"), now=NOON, **window) is active
    assert not messages.has_recent_activity(NOBODY, now=NOON, **window)


def test_unknown_number_was_not_active(messages: Messages, db: Database) -> None:
    """I10; what was written to another salon is not ours."""
    say(Messages(db, company_id=OTHER), 1)

    assert not messages.has_recent_activity(Phone(PHONE), now=NOON)
    assert messages.latest_incoming(Phone(PHONE), since=NOON - HOUR) is None


def test_finders_need_no_scan(messages: Messages, db: Database) -> None:
    """I14, I15: by a plan instead of a clock."""
    with db.connection() as connection:
        connection.execute("set local enable_seqscan = off")
        plan = connection.execute(
            "explain select from messages where company_id = -7 and phone = 'x' and direction = 'incoming'"
            " and created_at >= now() order by created_at desc limit 1"
        ).fetchall()

    assert "Seq Scan" not in str(plan)
    assert "company_id_phone_created_at" in str(plan)


def test_talk_is_read_in_pages_the_newest_first(messages: Messages) -> None:
    for minutes in (3, 1, 2):
        say(messages, minutes, direction="outgoing")

    first = messages.of_phone(Phone(PHONE), limit=2)
    rest = messages.of_phone(Phone(PHONE), limit=2, after=first[-1])

    assert [each.content for each in first + rest] == ["[TEST] 1", "[TEST] 2", "[TEST] 3"]


@pytest.mark.parametrize(
    ("given", "constraint"),
    [
        ({"direction": "inbound"}, "messages_direction_check"),
        ({"status": "lost"}, "messages_status_check"),
        ({"phone": "70001230022"}, "messages_phone_check"),
    ],
)
def test_what_can_not_be_is_refused(messages: Messages, given: dict[str, object], constraint: str) -> None:
    """1.3: the list of the earlier CHECK held NULL, so that it was never false."""
    with pytest.raises(CheckFailed) as caught:
        messages.insert(message(**given))

    assert caught.value.constraint == constraint


def test_status_may_be_unknown(messages: Messages) -> None:
    assert messages.insert(message()).status is None


# -- months ------------------------------------------------------------------------------------------------------------

PARTITIONS = "select tableoid::regclass::text, content from messages order by created_at"


def test_message_of_any_time_is_stored(committing: Database, observer: Connection) -> None:
    """1.3: without a DEFAULT partition a row of a month that nobody had made was refused; nothing made any."""
    messages = Messages(committing, company_id=COMPANY)
    for year in (1999, 2031, 2999):
        messages.insert(message(created_at=NOON.replace(year=year)))

    assert {table for table, _ in observer.execute(PARTITIONS).fetchall()} == {"messages_default"}


def test_months_are_made_ahead_and_take_what_had_come(committing: Database, observer: Connection) -> None:
    messages, now = Messages(committing, company_id=COMPANY), dt.datetime.now(dt.UTC)
    messages.insert(message(created_at=now, content="now"))
    messages.insert(message(created_at=now + dt.timedelta(days=400), content="later"))

    made = make_partitions(committing, months_ahead=2)

    assert [name[:9] for name in made] == ["messages_"] * 3
    assert made[0] == f"messages_{now:%Y_%m}"
    assert observer.execute(PARTITIONS).fetchall() == [(made[0], "now"), ("messages_default", "later")]
    assert make_partitions(committing, months_ahead=2) == []


def test_months_begin_in_utc_whatever_the_session(committing: Database, observer: Connection) -> None:
    """1.3: boundaries were cast in the time zone of the session."""
    observer.execute("set timezone = 'Asia/Vladivostok'")
    observer.execute("select create_messages_partition('2031-05-12')")

    messages = Messages(committing, company_id=COMPANY)
    for moment in ("2031-04-30T23:59:59Z", "2031-05-01T00:00:00Z", "2031-05-31T23:59:59Z", "2031-06-01T00:00:00Z"):
        messages.insert(message(created_at=dt.datetime.fromisoformat(moment)))

    tables = [table for table, _ in observer.execute(PARTITIONS).fetchall()]
    assert tables == ["messages_default", "messages_2031_05", "messages_2031_05", "messages_default"]


def test_nothing_is_dropped_unless_asked_for(committing: Database, observer: Connection) -> None:
    """1.3: maintenance dropped what was older than six months, with CASCADE."""
    messages = Messages(committing, company_id=COMPANY)
    for month in (1, 2, 3):
        observer.execute("select create_messages_partition(%s)", [dt.date(2020, month, 1)])
        messages.insert(message(created_at=dt.datetime(2020, month, 15, tzinfo=dt.UTC), content=str(month)))

    make_partitions(committing)
    kept = [content for _, content in observer.execute(PARTITIONS).fetchall()]
    dropped = drop_partitions(committing, before=dt.date(2020, 3, 31))

    assert kept == ["1", "2", "3"]
    assert dropped == ["messages_2020_01", "messages_2020_02"]
    assert observer.execute(PARTITIONS).fetchall() == [("messages_2020_03", "3")]
