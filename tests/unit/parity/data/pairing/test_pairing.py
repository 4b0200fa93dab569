import pickle
from dataclasses import fields
from types import MappingProxyType
from typing import Any

import pytest

from trueup.errors import UsageError
from trueup.parity.data.pairing.columns import pair
from trueup.parity.data.pairing.forms import DOCUMENT, INTEGER, NUMBER, PADDED_TEXT, TEXT, converted_forms, form_of
from trueup.parity.data.pairing.pairs import ReadColumn, TablePair, Unpaired
from trueup.parity.data.pairing.rules import Rules
from trueup.parity.data.pairing.span import Span
from trueup.parity.data.pairing.tables import pair_tables
from trueup.parity.schema import Catalog, Column, QualifiedName, Table, ValueType
from trueup.settings import Conversion


def value_type(name: str, **facts: Any) -> ValueType:
    schema, _, plain = name.rpartition(".")
    return ValueType(name=QualifiedName(schema or "pg_catalog", plain), **{"kind": "base", "category": "U", **facts})


def column(name: str, type_: str = "int4", **facts: Any) -> Column:
    return Column(name=name, type=facts.pop("declared", type_), value_type=value_type(type_), **facts)


def table(*columns: Column, name: str = "t", **facts: Any) -> Table:
    known = MappingProxyType({one.name: one for one in columns})
    return Table(name=QualifiedName("public", name), **{"kind": "table", **facts}, columns=known)


def catalog(*tables: Table) -> Catalog:
    nothing: dict[str, Any] = {field.name: MappingProxyType({}) for field in fields(Catalog)}
    return Catalog(**{**nothing, "tables": MappingProxyType({one.name: one for one in tables})})


def names(columns: tuple[ReadColumn, ...]) -> tuple[str, ...]:
    return tuple(one.name for one in columns)


ID, CODE, NOTE = column("id", nullable=False), column("code", "text", nullable=False), column("note", "text")


@pytest.mark.parametrize(
    ("source", "target", "key"),
    [
        ({"primary_key": ("id",)}, {"primary_key": ("id",)}, ("id",)),
        ({"primary_key": ("id",)}, {"unique_keys": (("id",),)}, ("id",)),
        ({"primary_key": ("id",)}, {}, ("id",)),
        ({}, {"primary_key": ("id",)}, ("id",)),
        ({"primary_key": ("id",)}, {"primary_key": ("code",)}, ("id",)),
        ({"primary_key": ("id",), "unique_keys": (("code",),)}, {"unique_keys": (("code",),)}, ("code",)),
        ({"primary_key": ("code", "id")}, {"primary_key": ("id", "code")}, ("code", "id")),
        ({"unique_keys": (("code",), ("id", "code"))}, {"unique_keys": (("id", "code"), ("code",))}, ("code",)),
        ({}, {}, ()),
    ],
)
def test_rows_are_told_apart_by_the_best_key_of_both(
    source: dict[str, Any], target: dict[str, Any], key: tuple[str, ...]
) -> None:
    found = pair(table(ID, CODE, **source), table(ID, CODE, **target))

    assert names(found.source.key) == names(found.target.key) == key


def test_a_key_with_a_column_that_is_not_compared_is_no_key() -> None:
    source = table(ID, column("doc", "jsonb"), primary_key=("doc",), unique_keys=(("id",),))

    found = pair(source, table(ID, column("doc", "_text"), primary_key=("doc",)))

    assert names(found.source.key) == ("id",)
    assert found.unlike == ("doc (jsonb, _text)",)


def test_an_integer_key_must_be_enforced_on_both_sides_to_be_cut_into_ranges() -> None:
    keyed, loose = table(ID, primary_key=("id",)), table(ID)

    assert pair(keyed, keyed).source.has_integer_key
    assert not pair(keyed, loose).source.has_integer_key
    assert not pair(table(CODE, primary_key=("code",)), table(CODE, primary_key=("code",))).source.has_integer_key


def test_columns_of_both_sides_are_read_in_one_order() -> None:
    found = pair(table(ID, CODE, NOTE), table(NOTE, ID, CODE))

    assert names(found.source.columns) == names(found.target.columns) == ("code", "id", "note")


def test_columns_of_one_side_are_named_with_the_side() -> None:
    found = pair(table(ID, NOTE), table(ID, CODE))

    assert found.columns_not_compared == ("note: in the source only", "code: in the target only")
    assert found.gap == "columns not compared: note is missing in the target"
    assert pair(table(ID), table(ID, CODE)).gap is None


def test_a_partition_is_read_as_part_of_its_parent() -> None:
    parent = table(ID, name="p", kind="partitioned table")
    part = table(ID, name="p1", partition_bound="FOR VALUES FROM (1) TO (2)")

    found = pair_tables(catalog(parent, part), catalog(parent, part))

    assert [one.table.name for one in found] == ["p"]
    assert isinstance(found[0], TablePair)
    assert found[0].source.has_partitions


def test_a_partition_that_stands_alone_on_the_other_side_is_compared() -> None:
    part, alone = table(ID, name="p1", partition_bound="FOR VALUES FROM (1) TO (2)"), table(ID, name="p1")

    found = pair_tables(catalog(part), catalog(alone))

    assert [(type(one), one.table.name) for one in found] == [(TablePair, "p1")]


def test_a_foreign_table_is_no_counterpart() -> None:
    found = pair_tables(catalog(table(ID, kind="foreign table")), catalog(table(ID)))

    assert isinstance(found[0], Unpaired)
    assert (found[0].in_source, found[0].is_absent) == (False, False)
    assert found[0].reason == "it is a foreign table in the source, whose rows are not compared"


def test_a_chosen_table_may_be_spelled_plainly_or_quoted() -> None:
    here = catalog(table(ID, name="Odd Name"), table(ID, name="other"))

    for spelling in ("public.Odd Name", 'public."Odd Name"'):
        assert [one.table.name for one in pair_tables(here, here, tables=[spelling])] == ["Odd Name"]


def test_an_unknown_table_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"no such table on either side: public\.nothing"):
        pair_tables(catalog(table(ID)), catalog(), tables=["public.nothing"])


@pytest.mark.parametrize(
    ("source", "target", "value"),
    [
        (column("c", "int4"), column("c", "int4"), "{0}"),
        (column("c", "int8"), column("c", "int8"), INTEGER),
        (column("c", "int4"), column("c", "int8"), INTEGER),
        (column("c", "int4"), column("c", "numeric"), NUMBER),
        (column("c", "numeric"), column("c", "numeric"), "numeric_send({0})"),
        (column("c", "numeric", declared="numeric(9,2)"), column("c", "numeric"), NUMBER),
        (column("c", "bpchar", declared="character(3)"), column("c", "bpchar", declared="character(5)"), TEXT),
        (column("c", "varchar"), column("c", "text"), TEXT),
        (column("c", "point"), column("c", "point"), TEXT),
        (column("c", "public.numeric"), column("c", "public.numeric"), TEXT),
    ],
)
def test_each_type_has_its_form(source: Column, target: Column, value: str) -> None:
    form = form_of(source, target)

    assert form is not None
    assert form.value == value


@pytest.mark.parametrize(
    ("source", "target"),
    [("jsonb", "_text"), ("timestamptz", "timestamp"), ("bool", "int4"), ("float8", "text"), ("public.a", "public.b")],
)
def test_types_without_a_form_in_common_have_none(source: str, target: str) -> None:
    assert form_of(column("c", source), column("c", target)) is None


def test_a_collation_that_calls_different_strings_equal_makes_a_representation() -> None:
    plain, loose = column("c", "text"), column("c", "text", deterministic=False)

    same, other = form_of(plain, plain), form_of(loose, loose)

    assert same is not None
    assert other is not None
    assert (same.equal, same.value) == (None, TEXT)
    assert (other.equal is not None, other.value) == (True, TEXT)


def test_a_type_that_servers_write_otherwise_is_compared_as_text() -> None:
    unlike = frozenset({"numeric", "bpchar"})

    forms = [form_of(column("c", type_), column("c", type_), as_text=unlike) for type_ in ("numeric", "bpchar", "int8")]

    assert [form and form.value for form in forms] == [TEXT, PADDED_TEXT, INTEGER]


STAFF = table(ID, column("fired", "bool"), column("seen", "timestamp"), primary_key=("id",))
ROSTER = table(column("key"), column("is_active", "bool"), column("seen", "timestamptz"), primary_key=("key",))


def declared(*conversions: tuple[str, str | None, str]) -> Rules:
    return Rules(
        conversions=tuple(Conversion(column=f"public.t.{name}", source=of, by=by) for name, of, by in conversions)
    )


def test_declared_columns_are_held_against_each_other() -> None:
    """M-2, M-7, M-15: another name, another meaning, another type."""
    rules = declared(("key", "id", ""), ("is_active", "fired", "not"), ("seen", None, "at time zone Europe/Moscow"))

    found = pair(STAFF, ROSTER, rules)

    assert found.columns_not_compared == ()
    assert names(found.source.columns) == ("fired", "id", "seen")
    assert found.names == names(found.target.columns) == ("is_active", "key", "seen")
    assert [one.form.conversion for one in found.source.columns] == ["(not {0})", None, "({0} at time zone {1})"]
    assert [one.form.conversion for one in found.target.columns] == [None, None, None]
    assert found.source.has_integer_key
    assert (names(found.source.key), names(found.target.key)) == (("id",), ("key",))


def test_a_column_whose_name_now_means_another_is_not_compared_with_it() -> None:
    source = table(ID, column("is_active", "bool"), column("fired", "bool"))

    found = pair(source, table(ID, column("is_active", "bool")), declared(("is_active", "fired", "not")))

    assert found.only_in_source == ("is_active",)


@pytest.mark.parametrize(
    ("conversion", "message"),
    [
        (("key", "code", ""), "the conversion of public.t.key: public.t has no column code"),
        (("key", "id", "not"), "the conversion of public.t.key by 'not' doesn't fit int4 and int4"),
        (("seen", None, "jsonb"), "by 'jsonb' doesn't fit timestamp and timestamptz"),
        (("is_active", "fired", "at time zone UTC"), "doesn't fit bool and bool"),
        (("nothing", "id", ""), "a conversion is declared for what is no column of the target: public.t.nothing"),
    ],
)
def test_a_conversion_that_can_not_be_is_an_error(conversion: tuple[str, str | None, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        pair(STAFF, ROSTER, declared(conversion))


def test_a_conversion_of_another_table_is_left_alone() -> None:
    rules = Rules(conversions=(Conversion(column="public.other.c", source="d"),))

    assert pair(STAFF, STAFF, rules) == pair(STAFF, STAFF)


@pytest.mark.parametrize(
    ("by", "source", "target"),
    [
        ("jsonb", "text", "jsonb"),
        ("jsonb", "json", "json"),
        ("to_jsonb", "_text", "jsonb"),
        ("to_jsonb", "jsonb", "_text"),
    ],
)
def test_documents_are_compared_as_jsonb(by: str, source: str, target: str) -> None:
    """M-13, M-25."""
    forms = converted_forms(column("c", source), column("c", target), by)

    assert forms is not None
    assert {form.value for form in forms} == {DOCUMENT}


def test_a_pair_of_tables_can_be_sent_to_another_process() -> None:
    found = pair(STAFF, ROSTER).within(Span(low=1, high=5))

    assert pickle.loads(pickle.dumps(found)) == found
    assert found.source.span == found.target.span == Span(low=1, high=5)
