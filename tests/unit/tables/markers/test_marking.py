from dataclasses import dataclass

import pytest

from trueup.tables import Begins, ContractError, Ends, Equals, Follows, Table
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


# -- SQL ---------------------------------------------------------------------------------------------------------------

LISTED = 'exists (select 1 from "journal_1" as entry where "entry"."id" = "t"."id" and {})'
PARENT = 'exists (select 1 from "public"."root" as "t_" where "t_"."id" = "t"."other_id" and {})'
CHILD_LISTED = (
    '(exists (select 1 from "journal_0" as entry where "entry"."id" = "t"."id" and "entry"."name" = "t"."name" and {0})'
    ' or exists (select 1 from "public"."root" as "t_" where "t_"."id" = "t"."other_id" and'
    ' exists (select 1 from "journal_1" as entry where "entry"."id" = "t_"."id" and {0})))'
)
OF_RUN = 'entry."$run" = %(run)s'
MARKED = '("t_"."name" like %(marker_1)s::text)'


@pytest.fixture
def child():
    return Table("public.child", Row, primary_key=("id", "name"), marker=Follows("public.root", {"other_id": "id"}))


@pytest.fixture
def marked(child):
    """Return the marking of four tables, each with a marker of its own kind, for one run."""
    root = table("root", Begins("name", "te%st"))
    return marking_of(
        [child, root, table("equal", Equals("id", -7)), table("ended", Ends("name", "@x_y"))], has_journal=True, run="r"
    )


def shown(parts):
    return {name: part.as_bytes(None).decode() for name, part in parts.items() if name != "candidates"}


def test_values_of_markers_are_parameters_and_patterns_are_texts(marked):
    relations = {f"relation_{n}": f"public.{name}" for n, name in enumerate(("child", "root", "equal", "ended"))}

    assert marked.parameters == {
        **relations, "run": "r", "marker_1": r"te\%st%", "marker_2": "-7", "marker_3": r"%@x\_y",
    }  # fmt: skip


def test_row_is_known_by_its_mark_and_by_the_journal(marked):
    root, equal, ended = marked.tables[1:]

    assert shown(marked.parts(root)) == {
        "table": '"public"."root"',
        "keys": '"t"."id"',
        "same": '"found"."id" = "t"."id"',
        "marked": '("t"."name" like %(marker_1)s::text)',
        "made": LISTED.format("true"),
        "chosen": LISTED.format(OF_RUN),
    }
    assert shown(marked.parts(equal))["marked"] == '("t"."id" = %(marker_2)s::bigint)'
    assert shown(marked.parts(ended))["marked"] == '("t"."name" like %(marker_3)s::text)'


def test_row_is_known_by_the_one_that_it_follows(marked, child):
    assert shown(marked.parts(child)) == {
        "table": '"public"."child"',
        "keys": '"t"."id", "t"."name"',
        "same": '"found"."id" = "t"."id" and "found"."name" = "t"."name"',
        "marked": PARENT.format(MARKED),
        "made": CHILD_LISTED.format("true"),
        "chosen": CHILD_LISTED.format(OF_RUN),
    }


FOUND = (
    "found as materialized (\n"
    '    select "t"."id", "t"."name" from "public"."child" as t'
    f" where {PARENT.format(MARKED)}\n"
    "    union\n"
    '    select "t"."id", "t"."name" from "public"."child" as t'
    ' join "journal_0" as entry on "entry"."id" = "t"."id" and "entry"."name" = "t"."name"\n'
    ")\n"
)


FROM_JOURNAL = (
    'run as "$run", key[1]::bigint as "id", key[2]::text as "name" from trueup.made where relation = %(relation_0)s',
    'run as "$run", key[1]::bigint as "id" from trueup.made where relation = %(relation_1)s',
)
NO_RUN = 'null::text as "$run"'
FROM_NOWHERE = (
    f'{NO_RUN}, null::bigint as "id", null::text as "name" from (select %(relation_0)s) as nothing where false',
    f'{NO_RUN}, null::bigint as "id" from (select %(relation_1)s) as nothing where false',
)


@pytest.mark.parametrize(
    ("has_journal", "entries"), [(True, FROM_JOURNAL), (False, FROM_NOWHERE)], ids=["journal", "no journal"]
)
def test_candidates_are_marked_or_in_the_journal(child, has_journal, entries):
    marking = marking_of([child, ROOT], has_journal=has_journal)

    assert marking.candidates(child).as_bytes(None).decode() == (
        f'with "journal_0" as materialized (select {entries[0]}),\n'
        f'"journal_1" as materialized (select {entries[1]}),\n{FOUND}'
    )
    assert marking.is_chosen(child, "t").as_bytes(None) == b"true", "every run"
