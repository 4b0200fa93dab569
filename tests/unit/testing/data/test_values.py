from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest

from trueup.tables import Sql, Table
from trueup.testing.data.values import boring, can_be_unique, unique


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    id: int
    small: Annotated[int, Sql("smallint")]
    name: str
    code: Annotated[str, Sql("varchar(3)")]
    paid: Annotated[Decimal, Sql("numeric(8,2)")]
    born: date
    opens: time
    at: datetime
    wall: Annotated[datetime, Sql("timestamp")]
    takes: timedelta
    active: bool
    share: float
    token: UUID
    photo: bytes
    tags: list[str]
    level: Literal["new", "gold"]
    stars: Annotated[Literal[1, 2] | None, Sql("bigint")]
    prefs: Annotated[Any, Sql("jsonb")]
    raw: Annotated[Any, Sql("json")]


TABLE = Table("public.everything", Everything, primary_key=("id",))
COLUMNS = pytest.mark.parametrize("column", TABLE.columns, ids=lambda column: column.name)


@COLUMNS
def test_boring_value_fits_its_column_and_is_always_the_same(column):
    value = boring(TABLE, column)

    assert value == boring(TABLE, column)
    assert isinstance(column.type.encode(value), str)
    assert column.most is None or len(value) <= column.most


def test_boring_choice_is_the_first():
    assert [boring(TABLE, TABLE.column(name)) for name in ("level", "stars")] == ["new", 1]


@pytest.mark.parametrize("column", [each for each in TABLE.columns if can_be_unique(TABLE, each)], ids=lambda c: c.name)
def test_unique_values_fit_and_differ(column):
    values = [unique(column, number, "0123456789") for number in range(1, 100)]

    assert len(set(values)) == 99
    assert all(isinstance(column.type.encode(value), str) for value in values)
    assert column.most is None or max(map(len, values)) <= column.most


def test_columns_with_few_values_are_not_made_unique():
    found = {column.name for column in TABLE.columns if not can_be_unique(TABLE, column)}

    assert found == {"active", "tags", "level", "stars", "prefs", "raw"}


@pytest.mark.parametrize("name", ["name", "token", "photo"])
def test_tag_of_a_test_makes_values_differ_from_those_of_others(name):
    """W-T8: what two workers or two runs make is never the same."""
    column = TABLE.column(name)

    assert unique(column, 1, "0123456789") != unique(column, 1, "9876543210")
