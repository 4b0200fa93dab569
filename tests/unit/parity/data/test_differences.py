from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from trueup.parity.data.differences import Differences, changed_row

rows = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 2))


@given(source=rows, target=rows, limit=st.integers(0, 4))
def test_rows_are_told_apart_by_key_and_hash(source: dict[str, int], target: dict[str, int], limit: int) -> None:
    found = Differences(limit=limit)

    found.add(*(Counter({((key,), hash_): 1 for key, hash_ in side.items()}) for side in (source, target)))
    kept = [len(kind.keys) for kind in (found.missing, found.extra, found.changed)]
    found.trim()

    assert max(kept) <= limit
    assert found.missing.count == len(source.keys() - target.keys())
    assert found.extra.count == len(target.keys() - source.keys())
    assert found.changed.count == sum(source[key] != target[key] for key in source.keys() & target.keys())
    listed = sum(len(kind.keys) for kind in (found.missing, found.extra, found.changed))
    assert listed == min(limit, found.missing.count + found.extra.count + found.changed.count)
    assert bool(found) == (source != target)


def test_a_key_that_one_side_has_twice_is_extra_once() -> None:
    found = Differences(limit=9)

    found.add(Counter({(("k",), 1): 1}), Counter({(("k",), 1): 2}))

    assert (found.extra.keys, found.missing.count, found.changed.count) == ([("k",)], 0, 0)


def test_a_key_that_is_changed_and_doubled_is_both() -> None:
    found = Differences(limit=9)

    found.add(Counter({(("k",), 1): 1}), Counter({(("k",), 2): 1, (("k",), 3): 1}))

    assert (found.changed.keys, found.extra.keys) == ([("k",)], [("k",)])


def test_the_list_is_shared_fairly() -> None:
    found = Differences(limit=10)
    found.add(
        Counter({((f"m{n}",), n): 1 for n in range(20)} | {(("c",), 1): 1}),
        Counter({((f"e{n}",), n): 1 for n in range(20)} | {(("c",), 2): 1}),
    )

    found.trim()

    assert sorted(len(kind.keys) for kind in (found.missing, found.extra, found.changed)) == [1, 4, 5]


def test_a_column_differs_by_its_value_and_is_the_same_by_its_type() -> None:
    row = changed_row(("1",), ("a", "b"), [((1, 5), (1, 7))], [((1, 6), (1, 7))])

    assert (row.columns, row.representation) == (("b",), True)


def test_one_real_difference_outweighs_a_representation() -> None:
    row = changed_row(("1",), ("a", "b"), [((1, 5), (1, 7))], [((2, 6), (2, 7))])

    assert (row.columns, row.representation) == (("a", "b"), False)


def test_a_row_that_could_not_be_read_again_has_no_column() -> None:
    row = changed_row((None,), ("a",), [], [])

    assert (row.columns, row.representation) == ((), False)
