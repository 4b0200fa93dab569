from hypothesis import given
from hypothesis import strategies as st

from trueup.observe.incident import test_event as incident_of_test
from trueup.observe.incident import warning
from trueup.observe.limit import KEPT, Allowance, RateLimit

TEN = Allowance(events=10, window_s=60.0)


def problem(title: str = "slow query"):
    return warning(title, component="tables", operation="find", measures={})


def limit(allowance: Allowance = TEN) -> RateLimit:
    return RateLimit(allowance, allowance)


def test_storm_of_ten_thousand_sends_nine_and_the_count():
    """W-S4: 1623 warnings of one kind."""
    limited = limit()

    sent = sum(limited.admits(problem(), 0.001 * n) for n in range(10_000))

    assert sent == 9
    assert [count for _, count in limited.due(70.0)] == [9_991]


@given(
    st.lists(st.floats(min_value=0, max_value=40), min_size=1, max_size=200),
    st.integers(min_value=1, max_value=12),
)
def test_no_window_lets_more_through_and_nothing_is_lost(gaps, events):
    limited = limit(Allowance(events=events, window_s=60.0))
    now, admitted, counts = 0.0, [], []
    for gap in gaps:
        now += gap
        counts += [(now, count) for _, count in limited.due(now)]
        if limited.admits(problem(), now):
            admitted.append(now)
    counts += [(now + 120.0, count) for _, count in limited.due(now + 120.0)]

    sent = [*admitted, *(at for at, _ in counts)]
    assert all(sum(start <= at < start + 60.0 for at in sent) <= events for start in sent)
    assert len(admitted) + sum(count for _, count in counts) == len(gaps)


def test_problems_are_counted_apart():
    limited = limit()
    for _ in range(100):
        limited.admits(problem("a"), 0.0)

    assert limited.admits(problem("b"), 0.0)


def test_warnings_have_an_allowance_of_their_own():
    limited = RateLimit(Allowance(events=10, window_s=60.0), Allowance(events=2, window_s=600.0))

    assert [limited.admits(problem(), 0.0) for _ in range(3)] == [True, False, False]
    assert all(limited.admits(incident_of_test(), 0.0) for _ in range(9))


def test_count_is_told_at_the_end_within_the_allowance():
    limited = limit()
    for _ in range(20):
        limited.admits(problem(), 0.0)

    assert [count for _, count in limited.rest(1.0)] == [11]
    limited.admits(problem(), 2.0)
    assert limited.rest(3.0) == []


def test_next_moment_is_when_the_first_count_is_due():
    limited = limit()
    assert limited.next_at() is None

    for _ in range(10):
        limited.admits(problem(), 5.0)

    assert limited.next_at() == 65.0


def test_memory_is_bounded():
    limited = limit()
    for n in range(KEPT + 10):
        limited.admits(problem(str(n)), 0.0)

    assert len(limited.problems) == KEPT
