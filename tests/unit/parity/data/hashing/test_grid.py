from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.parity.data.hashing.grid import (
    FEWEST,
    INT8_MAX,
    INT8_MIN,
    MOST,
    HashGrid,
    RangeGrid,
    StepGrid,
    bucket_count,
    even_bounds,
    even_grid,
    power_of_two,
    runs,
)
from trueup.parity.data.pairing.span import Span

integers = st.integers(INT8_MIN, INT8_MAX)


def contains(span: Span, key: int) -> bool:
    return (span.low is None or span.low <= key) and (span.high is None or key < span.high)


@given(bounds=st.sets(integers, max_size=9).map(sorted), key=integers)
def test_a_key_lies_in_the_span_of_its_bucket_alone(bounds: list[int], key: int) -> None:
    grid = RangeGrid(tuple(bounds))

    holding = [bucket for bucket in grid.numbers if contains(grid.span(bucket, bucket), key)]

    assert holding == [grid.bucket(key)]


@given(ends=st.lists(integers, min_size=2, max_size=2).map(sorted), key=integers, steps=st.integers(1, 500))
def test_a_key_lies_in_the_span_of_its_step_alone(ends: list[int], key: int, steps: int) -> None:
    least, greatest = ends
    grid = StepGrid(((greatest - least) // steps).bit_length(), least, greatest)

    [holding] = [bucket for bucket in grid.numbers if contains(grid.span(bucket, bucket), key)]

    assert grid.numbers[0] <= holding <= grid.numbers[-1]
    assert holding == grid.bucket(key) or not least <= key <= greatest


@given(keys=st.sets(integers, min_size=2, max_size=200), buckets=st.integers(1, MOST))
def test_bounds_ascend_between_the_ends(keys: set[int], buckets: int) -> None:
    bounds = even_bounds(keys, buckets=buckets)

    assert len(bounds) <= buckets
    assert all(low < high for low, high in pairwise(bounds))
    assert all(min(keys) < bound <= max(keys) for bound in bounds)


CROWDS = {
    "dense": range(1, 100_001),
    "sparse": range(-(2**62), 2**62, 2**63 // 100_000),
    "one far key": [*range(100_000), INT8_MAX],
    "two crowds": [*range(-(2**40), -(2**40) + 50_000), *range(2**40, 2**40 + 50_000)],
    "ten times as far apart": [*range(50_000), *range(50_000, 550_000, 10)],
    "growing": [number**3 for number in range(100_000)],
}


@pytest.mark.parametrize("name", CROWDS)
def test_buckets_are_even_however_the_keys_are_spread(name: str) -> None:
    """Between the least and the greatest key alone, nearly all keys of a crowd would lie in one bucket."""
    keys = CROWDS[name]

    grid = even_grid({keys[0], keys[-1], *keys[:: len(keys) // 5_000]}, buckets=128)
    sizes = Counter(map(grid.bucket, keys))

    assert isinstance(grid, StepGrid) == (name in {"dense", "sparse"})
    assert 64 <= len(sizes) <= 2 * 128
    assert max(sizes.values()) <= 4 * len(keys) / 128


def test_buckets_are_even_where_sampled_keys_are_neighbours() -> None:
    """A sample is of pages: with as many knots as it has keys, most buckets would lie within those pages."""
    rows_of_a_page, chance = 60, Random(1)
    pages = chance.sample(range(16_000), 1_024)
    sample = {page * rows_of_a_page + row for page in pages for row in chance.sample(range(rows_of_a_page), 4)}

    bounds = (0, *even_bounds(sample, buckets=2_048), 16_000 * rows_of_a_page)

    sizes = sorted(high - low for low, high in pairwise(bounds))
    assert sum(size * size for size in sizes) / sum(sizes) < 1.3 * sum(sizes) / len(sizes), "of a row's bucket"


def test_nothing_is_cut_where_there_is_at_most_one_key() -> None:
    assert even_bounds([], buckets=64) == even_bounds([7], buckets=64) == ()
    assert even_grid([], buckets=64) == even_grid([7], buckets=64) == RangeGrid(())


@given(first=integers, length=st.integers(1, 2**40), buckets=st.integers(1, MOST))
def test_steps_are_about_as_many_as_buckets(first: int, length: int, buckets: int) -> None:
    grid = even_grid([first, first + length], buckets=buckets)

    assert isinstance(grid, StepGrid)
    assert len(grid.numbers) - 1 <= min(2 * buckets, length)
    assert grid.shift == 0 or length / 2**grid.shift >= buckets / 2


@pytest.mark.parametrize(
    ("table_bytes", "buckets"), [(0, FEWEST), (8192, FEWEST), (10_000_000, 128), (200_000_000, 2048), (10**12, MOST)]
)
def test_buckets_grow_with_the_table(table_bytes: int, buckets: int) -> None:
    assert bucket_count(table_bytes) == buckets


@given(st.integers(0, 2**40))
def test_a_power_of_two_exceeds_its_number(number: int) -> None:
    found = power_of_two(number)

    assert found // 2 <= number < found
    assert found.bit_count() == 1


def test_a_finer_grid_of_hashes_looks_into_the_buckets_that_were_too_full() -> None:
    assert HashGrid(64).within([3, 5]) == HashGrid(64 * 64, (64, (3, 5)))


@given(st.sets(st.integers(0, 30)).map(sorted))
def test_runs_are_the_buckets_again(buckets: list[int]) -> None:
    found = runs(buckets)

    assert [bucket for first, last in found for bucket in range(first, last + 1)] == buckets
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(found))


ranges = st.builds(Span, low=st.none() | integers, high=st.none() | integers)


@given(one=ranges, other=ranges, key=integers)
def test_a_span_inside_of_another_has_what_both_have(one: Span, other: Span, key: int) -> None:
    assert contains(one.inside(other), key) == (contains(one, key) and contains(other, key))


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (Span(), "all rows"),
        (Span(low=5), "keys from 5 on"),
        (Span(high=0), "keys below 0"),
        (Span(low=-5, high=5), "keys from -5, below 5"),
        (Span(part=0, parts=4), "part 1 of 4"),
    ],
)
def test_a_span_says_what_it_is_of(span: Span, text: str) -> None:
    assert str(span) == text
