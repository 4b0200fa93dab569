from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from trueup.tables import UNSET, StatementRefused, Table, UnknownColumn
from trueup.tables.rows import maker_of, written


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    id: int
    name: str | None = UNSET


@dataclass
class Plain:
    id: int
    name: str | None = UNSET


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str | None = UNSET


@dataclass(frozen=True, slots=True)
class Checked:
    id: int
    name: str | None = UNSET

    def __post_init__(self) -> None:
        if self.id < 0:
            raise ValueError("negative")


ROWS = [Slots, Plain, Struct, Checked]


def table_of(row: type[Any]) -> Table[Any]:
    return Table("public.rows", row, primary_key=("id",))


@pytest.mark.parametrize("row", ROWS)
def test_made_row_equals_a_constructed_one(row: type[Any]):
    assert maker_of(table_of(row))((1, "x")) == row(id=1, name="x")


def test_constructor_with_checks_is_not_skipped():
    with pytest.raises(ValueError, match="negative"):
        maker_of(table_of(Checked))((-1, "x"))


def test_field_that_no_constructor_sets_is_refused():
    @dataclass
    class Odd:
        id: int
        name: str = field(init=False, default="x")

    with pytest.raises(StatementRefused, match="not set by its constructor"):
        maker_of(table_of(Odd))


@pytest.mark.parametrize("row", ROWS)
def test_unset_is_left_out_and_none_is_not(row: type[Any]):
    table = table_of(row)

    assert written(table, row(id=1)) == (("id",), [1])
    assert written(table, row(id=1, name=None)) == (("id", "name"), [1, None])
    assert written(table, {"id": 1, "name": UNSET}) == (("id",), [1])


@pytest.mark.parametrize("row", [None, 7, "x", [("id", 1)], Plain(id=1)])
def test_what_is_no_row_is_refused_with_its_class(row: Any):
    """W-R11: upsert(null) ends in an error of the error handler."""
    with pytest.raises(StatementRefused, match=f"not {type(row).__name__}"):
        written(table_of(Slots), row)


def test_hostile_key_of_a_row_never_reaches_sql():
    """W-R1: data keys are interpolated unchecked."""
    with pytest.raises(UnknownColumn):
        written(table_of(Slots), {"id": 1, 'name" = now(); --': 2})


def test_generated_columns_are_never_written():
    table = Table("public.rows", Slots, primary_key=("id",), generated=("name",))

    assert written(table, Slots(id=1, name="from a row that was read")) == (("id",), [1])
    with pytest.raises(StatementRefused, match="the server makes it"):
        written(table, {"id": 1, "name": "asked for"})
