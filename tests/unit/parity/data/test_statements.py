from types import MappingProxyType

import pytest

from trueup.parity.data import statements
from trueup.parity.data.forms import INTEGER, TEXT, Form
from trueup.parity.data.grid import HashGrid, range_grid
from trueup.parity.data.pairing import Reading
from trueup.parity.schema import QualifiedName, ValueType

INT8 = ValueType(name=QualifiedName("pg_catalog", "int8"), kind="base", category="N")
FORMS = MappingProxyType({"id": Form(value=INTEGER), "note": Form(value=TEXT)})
KEYED = Reading(
    table=QualifiedName("s", "t"), has_partitions=False, forms=FORMS, key=("id",), key_types=(INT8,),
    has_integer_key=True,
)  # fmt: skip
HASHED = Reading(
    table=QualifiedName("s", "t"), has_partitions=True, forms=FORMS, key=("note",), key_types=(INT8,), to_utf8=True
)
KEYLESS = Reading(table=QualifiedName("s", "t"), has_partitions=False, forms=FORMS)
GRID = range_grid(-(2**63), 2**63 - 1, buckets=64)


def test_the_hash_of_a_row_is_seeded_by_its_integer_key() -> None:
    text = statements.checksums(KEYED, GRID, 5).as_string()

    assert 'hash_record_extended(row(int8send(("t"."id")::int8), ("t"."note")::text collate "C"),' in text
    assert '("t"."id"::int8 # \'5\'::int8)' in text


def test_the_least_integer_is_written_without_a_bare_minus() -> None:
    assert '"t"."id" >= \'-9223372036854775808\'::int8' in statements.checksums(KEYED, GRID, 5).as_string()


@pytest.mark.parametrize("reading", [HASHED, KEYLESS], ids=["hashed", "keyless"])
def test_other_rows_are_cut_by_hash(reading: Reading) -> None:
    assert "& '63'::int8" in statements.checksums(reading, HashGrid(64), 5).as_string()


def test_a_row_without_a_key_is_hashed_twice_and_computed_once() -> None:
    text = statements.checksums(KEYLESS, HashGrid(64), 5).as_string()

    assert text.count("hash_record_extended") == 2
    assert "offset 0" in text


def test_only_the_table_itself_is_read_unless_it_has_partitions() -> None:
    assert 'from only "s"."t"' in statements.count(KEYED).as_string()
    assert 'from "s"."t"' in statements.count(HASHED).as_string()


def test_text_of_unlike_encodings_is_converted() -> None:
    assert (
        'convert_to(("t"."note")::text collate "C", \'UTF8\')'
        in statements.checksums(HASHED, HashGrid(64), 5).as_string()
    )


def test_few_buckets_are_read_by_ranges_and_many_by_one_pass() -> None:
    few = statements.rows(KEYED, GRID, range(3), 5).as_string()
    many = statements.rows(KEYED, GRID, range(200), 5).as_string()

    assert (few.count(" or "), "any(" in few) == (2, False)
    assert (many.count(" or "), "any(" in many) == (0, True)


def test_keys_are_looked_up_by_their_type() -> None:
    text = statements.column_hashes(KEYED, [("1",), ("2",)], 5).as_string()

    assert '"t"."id" = "k"."k0"::"pg_catalog"."int8"' in text


def test_no_statement_has_a_placeholder() -> None:
    hostile = Reading(
        table=QualifiedName("%s", '"'), has_partitions=False, forms=MappingProxyType({"%(x)s": Form(value=TEXT)}),
        key=("%(x)s",), key_types=(INT8,),
    )  # fmt: skip

    text = statements.rows(hostile, HashGrid(64), [1], 5).as_string()

    assert '"%s".""""' in text
    assert '"%(x)s"' in text
