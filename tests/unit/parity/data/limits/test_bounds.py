import pytest

from trueup.errors import UsageError
from trueup.parity.data import Bounds


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"max_rows": -1}, "max_rows is -1; it has to be at least 0"),
        ({"jobs": 0}, "jobs is 0; it has to be at least 1"),
        ({"max_active": -1}, "max_active is -1"),
        ({"max_seconds": 0}, "max_seconds is 0; it has to be above 0"),
        ({"statement_timeout_s": -0.5}, "statement_timeout_s is -0.5"),
        ({"is_gentle": True, "jobs": 2}, "a gentle comparison has one worker, not 2"),
    ],
)
def test_bounds_that_make_no_sense_are_errors_of_usage(options: dict[str, float], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Bounds(**options)  # type: ignore[arg-type]


def test_a_table_is_read_whole_unless_its_parts_are_worth_something() -> None:
    assert Bounds().segment_bytes is None
    assert Bounds(jobs=2).segment_bytes == Bounds(max_seconds=5).segment_bytes == 256 * 2**20
    assert Bounds(is_gentle=True).segment_bytes == 32 * 2**20


def test_servers_are_told_what_they_are_spared() -> None:
    assert Bounds().session == ()
    assert Bounds(is_gentle=True, statement_timeout_s=1.5).session == (
        ("max_parallel_workers_per_gather", "0"),
        ("statement_timeout", "1500"),
    )


def test_what_is_left_is_a_second_at_least() -> None:
    assert Bounds(max_seconds=10).after(4) == Bounds(max_seconds=6)
    assert Bounds(max_seconds=10).after(11) == Bounds(max_seconds=1)
    assert Bounds().after(4) == Bounds()
