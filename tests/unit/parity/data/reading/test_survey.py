import pytest

from trueup.parity.data.reading.survey import MOST_READ, PAGE_BYTES, PAGES_SAMPLED, ROWS_SAMPLED, SMALL_BYTES, sampled


@pytest.mark.parametrize("table_bytes", [SMALL_BYTES, 200_000_000, 10**12])
def test_a_table_is_sampled_by_the_same_number_of_pages_whatever_its_size(table_bytes: int) -> None:
    percent, rows = sampled(table_bytes, 1)

    assert percent * table_bytes / 100 / PAGE_BYTES == pytest.approx(min(PAGES_SAMPLED, table_bytes / PAGE_BYTES))
    assert rows == ROWS_SAMPLED


@pytest.mark.parametrize("segments", [2, 40, 400, 40_000])
def test_sampling_every_segment_reads_a_small_part_of_the_table(segments: int) -> None:
    """Its cost would grow with the square of the table if each segment looked for as many pages of its own."""
    table_bytes = segments * 256 * 2**20

    percent, rows = sampled(table_bytes, 1 / segments)

    assert percent / 100 * segments <= MOST_READ
    assert ROWS_SAMPLED < rows <= 1 or segments < 40
