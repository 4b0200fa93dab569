from hypothesis import given
from hypothesis import strategies as st

from trueup.parity.data.reading.differences import Differences, changed_row, even_shares

Rows = dict[int, int]
rows = st.dictionaries(st.integers(-3, 3), st.integers(0, 2))


def packed(*rows: tuple[int, ...]) -> bytes:
    """Return rows as a server sends them: 8 bytes for each of their numbers."""
    return b"".join(number.to_bytes(8, signed=True) for row in rows for number in row)


def ids(*found: int) -> list[bytes]:
    return [one.to_bytes(8, signed=True) for one in found]


@given(source=rows, target=rows, limit=st.integers(0, 4), unlike=st.integers(0, 600))
def test_rows_are_told_apart_by_id_and_hash(source: Rows, target: Rows, limit: int, unlike: int) -> None:
    found = Differences(limit=limit)
    same = dict.fromkeys(range(100, 100 + unlike), 0)

    found.add(packed(*(same | source).items()), packed(*(target | same).items()))
    kept = [len(kind.ids) for kind in (found.missing, found.extra, found.changed)]
    found.trim()

    assert max(kept) <= limit
    assert found.missing.count == len(source.keys() - target.keys())
    assert found.extra.count == len(target.keys() - source.keys())
    assert found.changed.count == sum(source[key] != target[key] for key in source.keys() & target.keys())
    listed = sum(len(kind.ids) for kind in (found.missing, found.extra, found.changed))
    assert listed == min(limit, found.missing.count + found.extra.count + found.changed.count)
    assert bool(found) == (source != target)
    assert (found.source_rows, found.target_rows) == (len(source) + unlike, len(target) + unlike)


def test_the_second_hash_tells_rows_apart_too() -> None:
    found = Differences(limit=9, hashes=2)

    found.add(packed((1, 5, 6), (2, 5, 6)), packed((1, 5, 6), (2, 5, 7)))

    assert (found.changed.ids, found.missing.count, found.extra.count) == (ids(2), 0, 0)


def test_a_key_that_one_side_has_twice_is_extra_once() -> None:
    found = Differences(limit=9)

    found.add(packed((7, 1)), packed((7, 1), (7, 1)))

    assert (found.extra.ids, found.missing.count, found.changed.count) == (ids(7), 0, 0)


def test_a_key_that_is_changed_and_doubled_is_both() -> None:
    found = Differences(limit=9)

    found.add(packed((7, 1)), packed((7, 2), (7, 3)))

    assert (found.changed.ids, found.extra.ids) == (ids(7), ids(7))


def test_rows_without_a_key_are_counted_by_their_hash() -> None:
    """A hash and how often: three rows of one value travel as one."""
    found = Differences(limit=9, has_counts=True)

    found.add(packed((7, 3), (8, 1)), packed((7, 1), (8, 1), (9, 1)))

    assert (found.missing.ids, found.extra.ids, found.changed.count) == (ids(7, 7), ids(9), 0)


def test_the_list_is_shared_fairly() -> None:
    found = Differences(limit=10)
    found.add(
        packed(*((100 + n, 0) for n in range(20)), (1, 1)),
        packed(*((200 + n, 0) for n in range(20)), (1, 2)),
    )

    found.trim()

    assert sorted(len(kind.ids) for kind in (found.missing, found.extra, found.changed)) == [1, 4, 5]


@given(limit=st.integers(0, 20), wanted=st.lists(st.integers(0, 20), max_size=4))
def test_shares_are_full_and_no_more_than_wanted(limit: int, wanted: list[int]) -> None:
    shares = even_shares(limit, wanted)

    assert all(share <= want for share, want in zip(shares, wanted, strict=True))
    assert sum(shares) == min(limit, sum(wanted))
    assert all(share == want or share >= limit // len(wanted) for share, want in zip(shares, wanted, strict=True))


def test_a_column_differs_by_its_value_and_is_the_same_by_its_type() -> None:
    row = changed_row(("1",), ("a", "b"), [((1, 5), (1, 7))], [((1, 6), (1, 7))])

    assert (row.columns, row.representation) == (("b",), True)


def test_one_real_difference_outweighs_a_representation() -> None:
    row = changed_row(("1",), ("a", "b"), [((1, 5), (1, 7))], [((2, 6), (2, 7))])

    assert (row.columns, row.representation) == (("a", "b"), False)


def test_rows_of_one_key_have_no_order() -> None:
    one, other = ((1, 5), (1, 5)), ((2, 6), (2, 6))

    row = changed_row(("1",), ("a", "b"), [one, other, one], [other, one, one])

    assert (row.columns, row.representation) == ((), False)


def test_a_row_that_could_not_be_read_again_has_no_column() -> None:
    row = changed_row((None,), ("a",), [], [])

    assert (row.columns, row.representation) == ((), False)
