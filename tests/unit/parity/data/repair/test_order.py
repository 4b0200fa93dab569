"""Rows are written in an order that keeps foreign keys."""

import pytest
from tests.unit.parity.data.repair.rows import row, table

from trueup.parity.data.beyond.foreign_keys import ForeignKey
from trueup.parity.data.repair import Change
from trueup.parity.data.repair.order import ROWS_AT_ONCE, circles_of, steps
from trueup.parity.schema import Table

PARENT, CHILD, GRANDCHILD = table("z_parent"), table("child", "parent"), table("a_grandchild", "child")


def points(child: Table, column: str, parent: Table) -> ForeignKey:
    return ForeignKey(child=child.name, parent=parent.name, name="f", columns=(column,), parent_columns=("id",))


KEYS = (points(CHILD, "parent", PARENT), points(GRANDCHILD, "child", CHILD))


def order(*rows: Change, keys: tuple[ForeignKey, ...] = KEYS) -> list[list[str]]:
    """Return the statements, each with its rows as `delete child 1`."""
    return [
        [f"{one.kind} {one.written.name.name} {one.key[0]}" for group in groups for one in group]
        for groups in steps(rows, keys)
    ]


def test_children_are_deleted_first_and_parents_inserted_first() -> None:
    found = order(
        row("delete", PARENT, "1"), row("delete", CHILD, "2"), row("delete", GRANDCHILD, "3"),
        row("update", PARENT, "4", x="a"),
        row("insert", GRANDCHILD, "5", x="a"), row("insert", CHILD, "6", x="a"), row("insert", PARENT, "7", x="a"),
    )  # fmt: skip

    assert [each for [each] in found] == [
        "delete a_grandchild 3", "delete child 2", "delete z_parent 1",
        "insert z_parent 7", "insert child 6", "insert a_grandchild 5",
        "update z_parent 4",
    ]  # fmt: skip


def test_row_to_which_another_points_until_it_is_updated_is_deleted_last() -> None:
    found = order(
        row("delete", PARENT, "1"),
        row("delete", PARENT, "2"),
        row("insert", PARENT, "3", id="3"),
        row("update", CHILD, "9", held={"parent": "1"}, parent="3"),
    )

    assert [each for [each] in found] == [
        "delete z_parent 2",
        "insert z_parent 3",
        "update child 9",
        "delete z_parent 1",
    ]


def test_row_to_which_a_row_points_that_is_deleted_last_is_deleted_behind_it() -> None:
    found = order(
        row("delete", PARENT, "1"),
        row("delete", CHILD, "2", held={"parent": "1"}),
        row("update", GRANDCHILD, "3", held={"child": "2"}, child="4"),
    )

    assert [each for [each] in found] == ["update a_grandchild 3", "delete child 2", "delete z_parent 1"]


def test_update_of_another_column_delays_no_delete() -> None:
    found = order(row("delete", PARENT, "1"), row("update", CHILD, "9", held={"parent": "1"}, note="a"))

    assert [each for [each] in found] == ["delete z_parent 1", "update child 9"]


def test_one_statement_writes_a_circle_whatever_its_size() -> None:
    keys = (points(CHILD, "parent", PARENT), points(PARENT, "child", CHILD))
    rows = [row("insert", one, str(number), id="1") for one in (CHILD, PARENT) for number in range(ROWS_AT_ONCE)]

    [found] = order(*rows, keys=keys)

    assert len(found) == 2 * ROWS_AT_ONCE


@pytest.mark.parametrize(("is_own", "statements"), [(False, [ROWS_AT_ONCE, 1]), (True, [ROWS_AT_ONCE + 1])])
def test_many_rows_are_written_in_batches_unless_they_may_point_to_each_other(
    statements: list[int], *, is_own: bool
) -> None:
    rows = [row("insert", CHILD, str(number), id="1") for number in range(ROWS_AT_ONCE + 1)]

    found = order(*rows, keys=(points(CHILD, "parent", CHILD),) if is_own else ())

    assert [len(each) for each in found] == statements


def test_updates_of_other_columns_are_other_statements() -> None:
    found = order(*(row("update", CHILD, str(number), **{f"c{number % 2}": "a"}) for number in range(4)))

    assert [len(each) for each in found] == [2, 2]


def test_tables_that_nothing_connects_are_in_the_order_of_their_names() -> None:
    assert circles_of({PARENT.name, CHILD.name}, ()) == [(CHILD.name,), (PARENT.name,)]
