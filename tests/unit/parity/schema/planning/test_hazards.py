"""What the statements of a plan do to rows and to those who write."""

from types import MappingProxyType
from typing import Any

import pytest

from trueup.parity.schema.model import (
    Catalog,
    Column,
    Constraint,
    Generated,
    Index,
    ObjectKey,
    Table,
    UserType,
    ValueType,
)
from trueup.parity.schema.names import QualifiedName
from trueup.parity.schema.planning.hazards import (
    BLOCKS,
    DUPLICATES,
    FILLED,
    LOSES,
    REWRITES,
    hazards,
    keeps_rows,
    key_of,
    loses,
)
from trueup.parity.schema.planning.locking import ALONE, APART, BROKEN
from trueup.parity.schema.planning.order import Action
from trueup.parity.schema.planning.plan import Step, steps
from trueup.parity.schema.planning.sides import Structure
from trueup.parity.schema.planning.stating import Statement, stated, transactions, withheld

T = QualifiedName("public", "t")
CATEGORIES = {"text": "S", "character varying": "S", "date": "D", "jsonb": "U"}


def column(type_: str = "integer", name: str = "c", **facts: Any) -> Column:
    base = type_.partition("(")[0].removesuffix("[]")
    category = "D" if base.startswith("time") else "A" if type_.endswith("[]") else CATEGORIES.get(base, "N")
    kind = ValueType(
        name=QualifiedName("pg_catalog", base + "[]" * type_.endswith("[]")), kind="base", category=category
    )
    return Column(name=name, type=type_, value_type=kind, **facts)


def table(*columns: Column, **facts: Any) -> Table:
    return Table(name=T, kind="table", columns={each.name: each for each in columns}, **facts)


def structure(*tables: Table, types: tuple[UserType, ...] = ()) -> Structure:
    found = Catalog(
        schemas=frozenset({"public"}),
        tables={each.name: each for each in tables},
        views={}, sequences={}, types={each.name: each for each in types}, objects={}, annotations={},
        not_compared=MappingProxyType({}), skipped=MappingProxyType({}),
    )  # fmt: skip
    return Structure(found, frozenset())


def only(have: Structure, want: Structure) -> tuple[Step, tuple[str, ...]]:
    """Return the only step between two structures, and its hazards."""
    [step] = steps(have, want)
    return step, tuple(hazards(step))


def enum(*labels: str) -> UserType:
    return UserType(name=QualifiedName("public", "mood"), kind="enum type", parts=labels)


UNIQUE_INDEX = Index(
    name="u", definition="CREATE UNIQUE INDEX ON public.t USING btree (c)", unique=True, columns=("c",)
)
UNIQUE = Constraint(name="u", kind="unique", columns=("c",), definition="UNIQUE (c)")
CHECK = Constraint(name="k", kind="check", columns=("c",), definition="CHECK ((c > 0))")
ONE = "select c, count(*) from public.t where (c) is not null group by c having count(*) > 1"
PLAIN = structure(table(column()))

CASES = {
    "table is dropped": (PLAIN, structure(), (LOSES,)),
    "table is made": (structure(), PLAIN, ()),
    "column is dropped": (structure(table(column(), column(name="d"))), PLAIN, (LOSES,)),
    "computed column is dropped": (
        structure(table(column(), column(name="d", generated=Generated(storage="stored", expression="(c)")))), PLAIN, ()
    ),
    "column is added": (PLAIN, structure(table(column(), column(name="d"))), ()),
    "column is added that must be filled": (
        PLAIN, structure(table(column(), column(name="d", nullable=False))), (FILLED,)
    ),
    "column is added with a constant": (
        PLAIN, structure(table(column(), column(name="d", nullable=False, default="0"))), ()
    ),
    "column is added with a value a row": (
        PLAIN, structure(table(column(), column(name="d", default="random()"))), (REWRITES, BLOCKS)
    ),
    "computed column is added": (
        PLAIN,
        structure(table(column(), column(name="d", generated=Generated(storage="stored", expression="(c)")))),
        (REWRITES, BLOCKS),
    ),
    "column gets room": (
        PLAIN, structure(table(column("bigint"))), (REWRITES, BLOCKS, "converts: values stay as they are")
    ),
    "limit is lifted": (
        structure(table(column("character varying(9)"))),
        structure(table(column("text"))),
        (BLOCKS, "converts: each becomes its text"),
    ),
    "limit is set": (
        structure(table(column("text"))), structure(table(column("character varying(9)"))),
        (REWRITES, BLOCKS, "converts: values longer than 9 characters are cut", LOSES),
    ),
    "null is refused": (PLAIN, structure(table(column(nullable=False))), (BLOCKS, BROKEN)),
    "null is allowed": (structure(table(column(nullable=False))), PLAIN, ()),
    "table is not logged": (PLAIN, structure(table(column(), persistence="unlogged")), (REWRITES, BLOCKS)),
    "unique index": (PLAIN, structure(table(column(), indexes=(UNIQUE_INDEX,))), (BLOCKS, f"{DUPLICATES}: {ONE}")),
    "unique constraint": (PLAIN, structure(table(column(), constraints=(UNIQUE,))), (BLOCKS, f"{DUPLICATES}: {ONE}")),
    "check": (PLAIN, structure(table(column(), constraints=(CHECK,))), (BLOCKS, BROKEN)),
    "check is dropped": (structure(table(column(), constraints=(CHECK,))), PLAIN, ()),
    "label is added": (structure(types=(enum("a"),)), structure(types=(enum("a", "b"),)), (ALONE,)),
}  # fmt: skip


@pytest.mark.parametrize(("have", "want", "expected"), CASES.values(), ids=CASES)
def test_step_has_its_hazards(have, want, expected):
    _, found = only(have, want)

    assert found == expected


def test_what_is_made_with_its_table_has_no_hazards():
    found = steps(structure(), structure(table(column(), constraints=(UNIQUE,), indexes=(UNIQUE_INDEX,))))

    assert len(found) == 3
    assert [tuple(hazards(step)) for step in found] == [(), (), ()]


def test_rows_of_an_added_column_have_its_default_at_once():
    step, _ = only(PLAIN, structure(table(column(), column(name="d", nullable=False, default="0"))))

    assert step.statements == ("alter table public.t add column d integer default 0 not null",)


@pytest.mark.parametrize(
    ("have", "want", "does"),
    [
        ("timestamp with time zone", "timestamp without time zone", False),
        ("timestamp with time zone", "time without time zone", True),
        ("timestamp with time zone", "date", True),
        ("date", "timestamp with time zone", False),
        ("bigint", "integer", False),
        ("numeric", "integer", True),
        ("double precision", "real", True),
        ("integer", "character varying(3)", True),
        ("jsonb", "text[]", True),
        ("text", "integer", False),
    ],
)
def test_conversion_loses_data_where_a_value_comes_out_as_less(have, want, does):
    assert loses(column(have), column(want)) is does


@pytest.mark.parametrize(
    ("have", "want", "does"),
    [
        ("character varying(3)", "character varying(9)", True),
        ("character varying(9)", "character varying(3)", False),
        ("numeric(8,2)", "numeric(10,2)", True),
        ("numeric(8,2)", "numeric(10,3)", False),
        ("numeric(8,2)", "numeric", True),
        ("text[]", "text", False),
    ],
)
def test_rows_are_kept_as_they_are_where_all_values_fit(have, want, does):
    assert keeps_rows(column(have), column(want)) is does


@pytest.mark.parametrize(
    ("definition", "key"),
    [
        ("UNIQUE (a, b)", "a, b"),
        ("CREATE UNIQUE INDEX ON public.t USING btree (lower((a)::text), b) WHERE (b > (1))", "lower((a)::text), b"),
    ],
)
def test_key_is_read_out_of_a_definition(definition, key):
    assert key_of(definition) == key


def test_duplicates_are_looked_for_where_the_index_looks():
    definition = "CREATE UNIQUE INDEX ON public.t USING btree (lower(c) DESC) NULLS NOT DISTINCT WHERE (c > 'x'::text)"
    index = Index(name="u", definition=definition, unique=True, columns=())

    _, found = only(PLAIN, structure(table(column(), indexes=(index,))))

    query = "select lower(c), count(*) from public.t where (c > 'x'::text) group by lower(c) having count(*) > 1"
    assert found[1] == f"{DUPLICATES}: {query}"


def test_what_follows_a_loss_is_withheld_with_it():
    computed = Generated(storage="stored", expression="(1)")
    found = steps(PLAIN, structure(table(column(generated=computed))))

    held, free = stated(found, allow_loss=False), stated(found, allow_loss=True)

    assert [each.is_withheld for each in held] == [True, True]
    assert [each.is_withheld for each in free] == [False, False]


def script(have: Structure, want: Structure) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.sql, each.hazards) for each in stated(steps(have, want), allow_loss=True)]


def test_check_is_added_first_and_validated_in_a_transaction_of_its_own():
    assert script(PLAIN, structure(table(column(), constraints=(CHECK,)))) == [
        ("alter table public.t add constraint k CHECK ((c > 0)) NOT VALID", ()),
        ("alter table public.t validate constraint k", (APART, BROKEN)),
    ]


def test_check_that_is_not_to_be_validated_is_not():
    loose = Constraint(name="k", kind="check", columns=("c",), definition="CHECK ((c > 0)) NOT VALID")

    [(sql, hazards)] = script(PLAIN, structure(table(column(), constraints=(loose,))))

    assert (sql.count("NOT VALID"), hazards) == (1, ())


def test_unique_constraint_takes_an_index_that_is_built_beside_the_writers():
    assert script(PLAIN, structure(table(column(), constraints=(UNIQUE,)))) == [
        ("create unique index concurrently u on public.t (c)", (ALONE, f"{DUPLICATES}: {ONE}")),
        ("alter table public.t add constraint u unique using index u", ()),
    ]


def test_all_that_a_unique_constraint_says_is_kept():
    full = 'UNIQUE NULLS NOT DISTINCT ("a )", b) INCLUDE (c) DEFERRABLE INITIALLY DEFERRED'
    constraint = Constraint(name="u", kind="unique", columns=("a )", "b"), definition=full)

    first, second = script(PLAIN, structure(table(column(), constraints=(constraint,))))

    assert first[0] == 'create unique index concurrently u on public.t ("a )", b) include (c) nulls not distinct'
    assert second[0].endswith("add constraint u unique using index u DEFERRABLE INITIALLY DEFERRED")


def test_key_without_overlaps_can_only_be_added_as_a_whole():
    key = Constraint(name="u", kind="unique", columns=("c",), definition="UNIQUE (c, d WITHOUT OVERLAPS)")

    [(sql, hazards)] = script(PLAIN, structure(table(column(), constraints=(key,))))

    assert sql.startswith("alter table public.t add constraint u UNIQUE")
    assert BLOCKS in hazards


def test_index_is_built_and_dropped_beside_the_writers():
    with_it = structure(table(column(), indexes=(UNIQUE_INDEX,)))

    [(made, _)], [(dropped, alone)] = script(PLAIN, with_it), script(with_it, PLAIN)

    assert made == "CREATE UNIQUE INDEX CONCURRENTLY u ON public.t USING btree (c)"
    assert (dropped, alone) == ("drop index concurrently public.u", (ALONE,))


def test_null_is_refused_after_a_check_has_proved_that_there_is_none():
    assert [sql for sql, _ in script(PLAIN, structure(table(column(nullable=False))))] == [
        "alter table public.t add constraint trueup_not_null check (c is not null) not valid",
        "alter table public.t validate constraint trueup_not_null",
        "alter table public.t alter column c set not null",
        "alter table public.t drop constraint trueup_not_null",
    ]


def test_partitioned_tables_get_their_indexes_and_keys_as_a_whole():
    def parted(**facts: Any) -> Structure:
        whole = Table(name=T, kind="partitioned table", columns={"c": column()}, partition_key="LIST (c)", **facts)
        return structure(whole)

    [(index, blocks)] = script(parted(), parted(indexes=(UNIQUE_INDEX,)))

    assert index == "CREATE UNIQUE INDEX u ON public.t USING btree (c)"
    assert BLOCKS in blocks


def test_statements_that_hang_on_a_withheld_one_are_withheld_too():
    have = structure(table(column("text"), column(name="d")))
    want = structure(table(column("character varying(9)"), indexes=(UNIQUE_INDEX,)))
    needs = frozenset({(ObjectKey("index", "public.u"), ObjectKey("table column", "public.t.c"))})

    found = stated(steps(have, want._replace(needs=needs)), allow_loss=False)

    assert [each.is_withheld for each in found] == [True, True, True]
    assert {each.about.kind for each in found} == {"table column", "index"}


def test_what_has_nothing_to_do_with_a_withheld_statement_is_run():
    found = stated(
        steps(structure(table(column(), column(name="d"))), structure(table(column(), constraints=(CHECK,)))),
        allow_loss=False,
    )

    assert [each.sql for each in found if each.is_withheld] == ["alter table public.t drop column d"]
    assert len(found) == 3


def test_what_only_makes_room_for_something_withheld_stays():
    """W: a view was dropped for a change that was not made, and was gone."""
    one, two, three = (Action(verb, ObjectKey("view", "v")) for verb in ("drop", "alter", "make"))
    lossy = Action("alter", ObjectKey("table column", "t.c"))
    listed = [step_of(one), step_of(lossy, one), step_of(three, lossy), step_of(two)]

    assert withheld({lossy}, listed) == {one, lossy, three}


def step_of(action: Action, *follows: Action) -> Step:
    return Step(
        action=action, statements=("select 1",), have=None, want=None, is_on_new=False, follows=frozenset(follows)
    )


@pytest.mark.parametrize(
    ("type_", "text", "condition"),
    [("public.mood", "text", "c::text in ('b')"), ("public.mood[]", "text[]", "c::text[] && array['b']")],
)
def test_enum_that_loses_a_label_fails_where_rows_hold_it_and_says_how_to_find_them(type_, text, condition):
    key = ObjectKey("type", "public.mood")
    mood = Column(
        name="c",
        type=type_,
        value_type=ValueType(name=QualifiedName("public", "mood"), kind="enum", category="E"),
    )
    needs = frozenset({(ObjectKey("table column", "public.t.c"), key)})
    have = structure(table(mood), types=(enum("a", "b"),))._replace(needs=needs)
    want = structure(table(mood), types=(enum("a"),))._replace(needs=needs)

    [step] = steps(have, want)

    assert step.statements == (
        "alter type public.mood rename to trueup_former",
        "create type public.mood as enum ('a')",
        f"alter table public.t alter column c type {type_} using c::{text}::{type_}",
        "drop type public.trueup_former",
    )
    assert set(hazards(step)) == {
        REWRITES,
        BLOCKS,
        "converts: each value is the same label in the new type",
        f"{BROKEN}: select count(*) from public.t where {condition}",
    }
    assert set(hazards(*steps(want, have))) == {ALONE}


def test_what_cannot_share_a_transaction_stands_alone():
    def statement(sql: str, *dangers: str) -> Statement:
        return Statement(sql=sql, about=ObjectKey("type", sql), hazards=dangers)

    one, two, three, four = statement("1"), statement("2", ALONE), statement("3", ALONE), statement("4")

    assert list(transactions((one, two, three, four))) == [(one,), (two,), (three,), (four,)]
    assert list(transactions((one, four))) == [(one, four)]
