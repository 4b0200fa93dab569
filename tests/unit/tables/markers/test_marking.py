from dataclasses import dataclass

import pytest

from trueup.tables import Begins, ContractError, Follows, Table
from trueup.tables.markers.marking import marking_of


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    name: str
    other_id: int


def table(name, marker):
    return Table(f"public.{name}", Row, primary_key=("id",), marker=marker)


ROOT = table("root", Begins("name", "test"))


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ([], "no contract has a marker"),
        ([table("a", None)], "no contract has a marker"),
        ([table("a", Follows("public.root", {"other_id": "id"}))], r"follows public\.root, of which"),
        ([table("a", Follows("public.root", {"other_id": "key"})), ROOT], r"points to public\.root\.key"),
        ([table("a", Follows("public.root", {"other_id": "name"})), ROOT], "of different types"),
        (
            [table("a", Follows("public.b", {"other_id": "id"})), table("b", Follows("public.a", {"other_id": "id"}))],
            r"public\.a, public\.b follow each other",
        ),
    ],
    ids=["none", "unmarked", "parent unknown", "column unknown", "type", "circle"],
)
def test_markers_that_do_not_fit_together_are_an_error(tables, said):
    with pytest.raises(ContractError, match=said):
        marking_of(tables, has_journal=True)


def test_chain_leads_to_the_table_with_a_mark_of_its_own():
    first = table("a", Follows("public.root", {"other_id": "id"}))
    second = table("b", Follows("public.a", {"other_id": "id"}))

    marking = marking_of([second, ROOT, first], has_journal=True)

    assert marking.chain(second) == [second, first, ROOT]
