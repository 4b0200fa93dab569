import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.tables.markers.graph import in_order

EDGES = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")))


@pytest.mark.parametrize(
    ("edges", "order"),
    [
        ([], ["a", "b", "c"]),
        ([("a", "b"), ("b", "c")], ["c", "b", "a"]),
        ([("a", "a"), ("c", "elsewhere")], ["a", "b", "c"]),
        ([("a", "b"), ("b", "a"), ("c", "a")], ["ab", "c"]),
        ([("a", "b"), ("b", "c"), ("c", "a")], ["abc"]),
    ],
    ids=["none", "chain", "self and outside", "pair", "circle"],
)
def test_what_is_pointed_to_comes_first(edges, order):
    assert ["".join(sorted(group)) for group in in_order("abc", edges)] == order


@given(EDGES)
def test_each_table_stands_once_and_behind_all_that_it_points_to(edges):
    order = in_order("abcdef", edges)

    place = {table: number for number, group in enumerate(order) for table in group}
    assert sorted(place) == list("abcdef")
    assert sum(map(len, order)) == 6
    assert all(place[parent] <= place[table] for table, parent in edges)


@given(EDGES)
def test_only_tables_in_a_circle_stand_together(edges):
    reach = {table: {table} for table in "abcdef"}
    for _ in range(6):
        for table, parent in edges:
            reach[table] |= reach[parent]

    for group in in_order("abcdef", edges):
        assert all(other in reach[table] for table in group for other in group)
