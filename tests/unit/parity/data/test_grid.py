import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.parity.data.grid import FEWEST, INT8_MAX, INT8_MIN, MOST, bucket_count, range_grid

integers = st.integers(INT8_MIN, INT8_MAX)


def quotient(key: int, step: int) -> int:
    """Divide as the server does: towards zero."""
    return abs(key) // step * (1 if key >= 0 else -1)


@given(ends=st.tuples(integers, integers).map(sorted), buckets=st.integers(1, MOST), share=st.floats(0, 1))
def test_a_key_lies_within_the_bounds_of_its_bucket(ends: list[int], buckets: int, share: float) -> None:
    low, high = ends
    key = min(high, low + int((high - low) * share))
    grid = range_grid(low, high, buckets=buckets)

    first, last = grid.bounds(quotient(key, grid.step))

    assert low <= first <= key <= last <= high
    assert quotient(first, grid.step) == quotient(last, grid.step) == quotient(key, grid.step)
    assert grid.step <= INT8_MAX or buckets < 2


@given(ends=st.tuples(integers, integers).map(sorted))
def test_neighbouring_buckets_leave_no_gap(ends: list[int]) -> None:
    grid = range_grid(*ends, buckets=8)

    reached = ends[0] - 1
    for bucket in range(quotient(ends[0], grid.step), quotient(ends[1], grid.step) + 1):
        first, last = grid.bounds(bucket)
        assert first == reached + 1
        reached = last

    assert reached == ends[1]


@given(ends=st.tuples(integers, integers).map(sorted), bucket=st.integers(-FEWEST, FEWEST))
def test_cutting_again_ends_at_single_keys(ends: list[int], bucket: int) -> None:
    grid = range_grid(*ends, buckets=FEWEST)

    times = 0
    while not grid.is_finest:
        middle = quotient((grid.low + grid.high) // 2, grid.step)
        grid, times = grid.inside(middle), times + 1

    assert times <= 6


@pytest.mark.parametrize(
    ("table_bytes", "buckets"), [(0, FEWEST), (8192, FEWEST), (10_000_000, 128), (200_000_000, 2048), (10**12, MOST)]
)
def test_buckets_grow_with_the_table(table_bytes: int, buckets: int) -> None:
    assert bucket_count(table_bytes) == buckets
