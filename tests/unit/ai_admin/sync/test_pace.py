from collections import deque
from time import monotonic

import pytest

from ai_admin.sync.api import retry_after
from ai_admin.sync.pace import LIMITS, Limit, Pace, delay

TWO_A_SECOND = (Limit(2, 1.0),)


@pytest.mark.parametrize(
    ("begun", "now", "expected"),
    [
        ([], 0.0, 0.0),
        ([0.0], 0.1, 0.0),
        ([0.0, 0.1], 0.2, 0.8),
        ([0.0, 0.1], 1.0, 0.0),
        ([0.0, 0.1, 1.0, 1.1], 1.2, 0.8),
    ],
)
def test_request_waits_until_the_window_has_room(begun, now, expected):
    assert delay(deque(begun), now, TWO_A_SECOND) == pytest.approx(expected)


def test_strictest_limit_counts():
    begun = deque([0.0, 1.0, 2.0, 3.0])

    assert delay(begun, 3.1, (Limit(2, 1.0), Limit(4, 60.0))) == pytest.approx(56.9)


@pytest.mark.parametrize("limit", LIMITS)
def test_no_window_ever_has_more_requests_than_the_limit(limit):
    begun, now = deque(), 0.0
    for _ in range(450):
        now += delay(begun, now, LIMITS)
        begun.append(now)
        now += 0.001

    times = list(begun)
    assert all(later - first >= limit.seconds - 1e-9 for first, later in zip(times, times[limit.requests :]))  # noqa: B905


def test_waiting_takes_the_time_it_should():
    pace = Pace((Limit(2, 0.1),))
    started = monotonic()

    for _ in range(5):
        pace.wait()

    assert 0.2 <= monotonic() - started < 2


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, 7.0),
        ("3", 3.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("86400", 120.0),
        ("inf", 120.0),
        ("nan", 7.0),
        ("soon", 7.0),
        ("", 7.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2199 07:28:00 GMT", 120.0),
        ("Wed, 21 Oct 2015 07:28:00", 7.0),
    ],
)
def test_wait_is_what_the_server_asks_for_within_reason(header, expected):
    assert retry_after(header, default_s=7.0) == expected
