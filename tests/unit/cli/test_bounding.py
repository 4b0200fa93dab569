from time import monotonic

import pytest

from trueup.cli.bounding import Effort
from trueup.parity.data import Bounds


def effort(max_seconds: float | None, *, passed_s: float) -> Effort:
    bounds = Bounds(max_seconds=max_seconds, max_rows=7)
    return Effort(bounds=bounds, cluster_address=None, has_jobs=False, begun=monotonic() - passed_s)


def test_time_that_connecting_took_is_not_there_for_comparing():
    with effort(600, passed_s=500).engaged([]) as (bounds, executor):
        assert bounds.max_seconds == pytest.approx(100, abs=50)
        assert bounds.max_rows == 7
        assert executor is None


@pytest.mark.parametrize(("max_seconds", "left"), [(600, 0.1), (0.02, 0.02)])
def test_comparison_whose_time_was_up_before_it_began_stops_at_once(max_seconds, left):
    with effort(max_seconds, passed_s=1000).engaged([]) as (bounds, _):
        assert bounds.max_seconds == left


def test_comparison_without_a_limit_gets_none():
    with effort(None, passed_s=1000).engaged([]) as (bounds, _):
        assert bounds.max_seconds is None
