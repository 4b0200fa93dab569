"""What is done to a row follows from what both sides have."""

import pytest
from tests.unit.parity.data.repair.rows import TEXT_TYPE, table, written

from trueup.parity.data.repair.changes import change, undone
from trueup.parity.data.repair.model import Change, Image
from trueup.parity.schema import Column, Generated

TOTAL = Column(
    name="total", type="text", value_type=TEXT_TYPE, generated=Generated(storage="stored", expression="note")
)
NUMBER = Column(name="number", type="text", value_type=TEXT_TYPE, identity="always")
TABLE = written(table("t", "note", "own", total=TOTAL, number=NUMBER))
SOURCE = Image(values={"id": "1", "note": "a", "total": "a", "number": "1"})
TARGET = Image(values={"id": "1", "note": "b", "own": "o", "total": "b", "number": "1"}, digest="d")


def made(source: Image | None, target: Image | None, columns: tuple[str, ...] | None = None) -> Change:
    found = change(TABLE, ("1",), source=source, target=target, columns=columns)
    assert isinstance(found, Change)
    return found


def test_missing_row_is_inserted_without_what_is_generated() -> None:
    found = made(SOURCE, None)

    assert (found.kind, found.values, found.guarded) == ("insert", {"id": "1", "note": "a", "number": "1"}, ())


def test_extra_row_is_deleted_if_all_of_it_is_what_it_was() -> None:
    found = made(None, TARGET)

    assert (found.kind, found.guarded, found.digest) == ("delete", ("id", "note", "own", "total", "number"), "d")


def test_changed_row_is_updated_in_the_columns_that_differ() -> None:
    found = made(SOURCE, TARGET, ("note", "total"))

    assert (found.kind, found.values, found.digest) == ("update", {"note": "a"}, "d")


def test_row_that_is_there_although_it_was_listed_as_missing_is_updated() -> None:
    assert made(SOURCE, TARGET).values == {"note": "a"}


@pytest.mark.parametrize(
    ("source", "target", "columns", "reason"),
    [
        (SOURCE, TARGET, ("total",), "only generated columns differ"),
        (SOURCE, TARGET, ("number", "note"), "number is generated always as identity"),
    ],
)
def test_what_no_update_sets_is_said(source: Image, target: Image, columns: tuple[str, ...], reason: str) -> None:
    assert reason in str(change(TABLE, ("1",), source=source, target=target, columns=columns))


def test_row_that_is_nowhere_or_the_same_needs_nothing() -> None:
    same = Image(values={**TARGET.values, **SOURCE.values})

    assert change(TABLE, ("1",), source=None, target=None) is None
    assert change(TABLE, ("1",), source=SOURCE, target=same) is None


def test_insert_is_undone_where_what_was_written_is_still_there() -> None:
    found = undone(made(SOURCE, None), "w")

    assert (found.kind, found.guarded, found.digest) == ("delete", ("id", "note", "number"), "w")


def test_delete_is_undone_with_all_columns_but_generated_ones() -> None:
    found = undone(made(None, TARGET), "")

    assert (found.kind, dict(found.values)) == ("insert", {"id": "1", "note": "b", "own": "o", "number": "1"})


def test_update_is_undone_in_the_same_columns() -> None:
    found = undone(made(SOURCE, TARGET, ("note",)), "w")

    assert (found.kind, found.values, found.guarded, found.digest) == ("update", {"note": "b"}, ("note",), "w")
    assert found.held["note"] == "a"
