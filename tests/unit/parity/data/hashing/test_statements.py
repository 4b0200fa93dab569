import re
from dataclasses import replace

import pytest

from trueup.parity.data.hashing import looks, passes, selection
from trueup.parity.data.hashing.grid import INT8_MIN, HashGrid, RangeGrid, StepGrid
from trueup.parity.data.hashing.rows import column_hashes
from trueup.parity.data.pairing.forms import INTEGER, TEXT, Form
from trueup.parity.data.pairing.pairs import Floor, ReadColumn, Reading
from trueup.parity.data.pairing.span import Span
from trueup.parity.schema import QualifiedName, ValueType

INT8 = ValueType(name=QualifiedName("pg_catalog", "int8"), kind="base", category="N")
ID = ReadColumn(name="id", form=Form(value=INTEGER), value_type=INT8)
NOTE = ReadColumn(name="note", form=Form(value=TEXT), value_type=INT8)
COUNTED = ReadColumn(name="visits", form=Form(value=INTEGER), value_type=INT8)
KEYLESS = Reading(table=QualifiedName("s", "t"), has_partitions=False, columns=(ID, NOTE))
KEYED = replace(KEYLESS, key=(ID,), is_key_enforced=True, has_integer_key=True)
HASHED = replace(KEYLESS, has_partitions=True, key=(NOTE,), to_utf8=True)
GRID = RangeGrid(tuple(range(0, 1_000, 2)))


def test_every_hash_of_a_column_is_seeded_by_the_integer_key_and_by_a_number_of_its_own() -> None:
    reading = replace(KEYED, columns=(ID, NOTE, replace(NOTE, name="name"), COUNTED))

    text = passes.checksums(reading, GRID, 5).as_string()

    seeds = re.findall(r"""\("t"\."id"::int8 # '(-?\d+)'::int8\)""", text)
    assert len(seeds) == len(set(seeds)) == 5, "two of each text, whether it is NULL or not, and one of the others"
    assert text.count("hashtextextended(") == 4
    assert 'hash_record_extended(row(int8send(("t"."visits")::int8)), ("t"."id"::int8 # \'5\'::int8))' in text


def test_a_key_is_hashed_where_all_other_columns_may_be_null() -> None:
    """NULL has the hash 0 in a row, whatever the seed."""
    numbers, key_alone = (replace(KEYED, columns=columns) for columns in ((ID, COUNTED), (ID,)))

    assert "row(true, int8send" in passes.checksums(numbers, GRID, 5).as_string()
    assert "row(true)" in passes.checksums(key_alone, GRID, 5).as_string()
    assert "coalesce(hashtextextended" in passes.checksums(KEYED, GRID, 5).as_string()


def test_text_in_another_encoding_is_hashed_as_part_of_the_row() -> None:
    text = passes.checksums(replace(KEYED, to_utf8=True), GRID, 5).as_string()

    assert 'row(true, convert_to(("t"."note")::text collate "C", \'UTF8\'))' in text


def test_a_bucket_of_steps_is_a_range_of_keys() -> None:
    grid = StepGrid(9, -5_000, 5_000)

    assert '("t"."id"::int8 >> 9) as "bucket"' in passes.checksums(KEYED, grid, 5).as_string()
    assert '"t"."id" >= \'-512\'::int8 and "t"."id" < \'512\'::int8' in (
        passes.packed(KEYED, grid, [-1, 0], 5).as_string()
    )


def test_the_least_integer_is_written_without_a_bare_minus() -> None:
    reading = replace(KEYED, span=Span(low=INT8_MIN))

    assert '"t"."id" >= \'-9223372036854775808\'::int8' in passes.checksums(reading, GRID, 5).as_string()


@pytest.mark.parametrize("reading", [HASHED, KEYLESS], ids=["hashed", "keyless"])
def test_other_rows_are_cut_by_hash(reading: Reading) -> None:
    assert "& '63'::int8" in passes.checksums(reading, HashGrid(64), 5).as_string()


def test_a_row_without_a_key_is_hashed_twice_and_computed_once() -> None:
    text = passes.checksums(KEYLESS, HashGrid(64), 5).as_string()

    assert text.count("hash_record_extended") == 2
    assert "offset '0'::int8" in text


def test_128_bits_are_summed_by_two_functions() -> None:
    text = passes.checksums(replace(KEYED, hashing="both"), GRID, 5).as_string()

    assert text.count("sum(") == 2
    assert (text.count("coalesce(hashtextextended"), text.count("md5(")) == (1, 1)


def test_servers_that_hash_otherwise_are_asked_for_md5_alone() -> None:
    text = passes.checksums(replace(HASHED, hashing="text"), HashGrid(64), 5).as_string()

    assert "hash_record_extended" not in text


def test_only_the_table_itself_is_read_unless_it_has_partitions() -> None:
    assert 'from only "s"."t"' in looks.count(KEYED).as_string()
    assert 'from "s"."t"' in looks.count(HASHED).as_string()


def test_text_of_unlike_encodings_is_converted() -> None:
    assert (
        'convert_to(("t"."note")::text collate "C", \'UTF8\')' in passes.checksums(HASHED, HashGrid(64), 5).as_string()
    )


def test_few_runs_of_buckets_are_read_by_ranges_and_many_by_one_pass() -> None:
    one = passes.packed(KEYED, GRID, range(300), 5).as_string()
    few = passes.packed(KEYED, GRID, [3, 5, 7], 5).as_string()
    many = passes.packed(KEYED, GRID, range(0, 400, 2), 5).as_string()

    assert (one.count(" or "), "any(" in one) == (0, False)
    assert (few.count(" or "), "any(" in few) == (2, False)
    assert (many.count(" or "), "any(" in many) == (0, True)


def test_neighbouring_buckets_of_hashes_are_a_range_too() -> None:
    assert "between '8'::int8 and '15'::int8" in passes.packed(HASHED, HashGrid(64), range(8, 16), 5).as_string()
    assert "any('{1,4}'::int8[])" in passes.packed(HASHED, HashGrid(64), [1, 4], 5).as_string()


def test_buckets_that_are_looked_into_leave_out_the_others() -> None:
    text = passes.checksums(HASHED, HashGrid(64).within([3]), 5).as_string()

    assert "& '4095'::int8" in text
    assert "& '63'::int8) = any('{3}'::int8[])" in text


def test_a_segment_reads_its_span_alone() -> None:
    ranged = replace(KEYED, span=Span(low=-5, high=7))
    part = replace(HASHED, span=Span(part=3, parts=4))

    for text in (
        passes.checksums(ranged, GRID, 5),
        passes.packed(ranged, GRID, [0], 5),
        looks.cuts(ranged, 9),
    ):
        assert '"t"."id" >= \'-5\'::int8 and "t"."id" < \'7\'::int8' in text.as_string()
    for text in (passes.checksums(part, HashGrid(64), 5), looks.count(part)):
        assert "& '3'::int8) = '3'::int8" in text.as_string()


def test_a_part_is_the_same_whatever_the_salt() -> None:
    part = replace(HASHED, span=Span(part=3, parts=4))

    conditions = {passes.checksums(part, HashGrid(64), salt).as_string().partition("where")[2] for salt in (5, 6)}

    assert len(conditions) == 1


@pytest.mark.parametrize("reading", [KEYED, HASHED, KEYLESS], ids=["keyed", "hashed", "keyless"])
def test_a_condition_of_the_user_holds_in_every_statement(reading: Reading) -> None:
    reading = replace(reading, where=("note like '{}%' or id % 2 = 0 -- or so",))
    texts = [looks.count(reading), passes.checksums(reading, HashGrid(64), 5)]
    if reading.key:
        texts.append(column_hashes(reading, [("1",)], 5))

    for text in texts:
        assert text.as_string().count("(note like '{}%' or id % 2 = 0 -- or so\n)") == 1


def test_keys_are_looked_up_by_their_type() -> None:
    text = column_hashes(KEYED, [("1",), ("2",)], 5).as_string()

    assert '"t"."id" = "trueup key"."trueup key 0"::"pg_catalog"."int8"' in text


def test_a_declared_conversion_stands_inside_every_form() -> None:
    converted = Form(value=TEXT, conversion="({0} at time zone {1})", argument="O'Clock")
    reading = replace(KEYED, columns=(ID, replace(NOTE, form=converted)))

    text = passes.checksums(reading, GRID, 5).as_string()

    assert "(\"t\".\"note\" at time zone 'O''Clock')" in text


def test_no_statement_has_a_placeholder() -> None:
    odd = ReadColumn(name="%(x)s", form=Form(value=TEXT), value_type=INT8)
    hostile = Reading(table=QualifiedName("%s", '"'), has_partitions=False, columns=(odd,), key=(odd,))

    text = passes.packed(hostile, HashGrid(64), [1], 5).as_string()

    assert '"%s".""""' in text
    assert '"%(x)s"' in text


def test_text_is_held_against_a_least_value_in_an_order_that_both_servers_have() -> None:
    text = replace(NOTE, value_type=replace(INT8, category="S"))
    found = [looks.count(replace(KEYED, since=Floor(column=one, value="it's"))).as_string() for one in (text, ID)]

    assert '"t"."note" collate "C" >= \'it\'\'s\'' in found[0]
    assert "\"t\".\"id\" >= 'it''s'" in found[1]


@pytest.mark.parametrize("reading", [KEYED, HASHED, KEYLESS], ids=["keyed", "hashed", "keyless"])
def test_a_sample_is_the_same_whatever_the_salt_and_is_no_part(reading: Reading) -> None:
    sampled = replace(reading, sample_parts=99)

    condition = looks.count(sampled).as_string().partition("where ")[2]

    assert condition.endswith("& '1048575'::int8) < '99'::int8)")
    assert all(condition in passes.checksums(sampled, HashGrid(64), salt).as_string() for salt in (5, 6))
    assert f"'{selection.SAMPLE_SEED}'::int8" in condition
    assert selection.SAMPLE_SEED != selection.PART_SEED


def test_the_hash_of_a_key_is_computed_once_a_row() -> None:
    """It tells the bucket, stands for the key, and seeds the hash of each column."""
    reading = replace(HASHED, to_utf8=False, span=Span(part=1, parts=4))
    key = """hash_record_extended(row(("t"."note")::text collate "C"), '5'::int8)"""

    for text in (
        passes.checksums(reading, HashGrid(64), 5).as_string(),
        passes.packed(reading, HashGrid(64).within([3]), [1, 4], 5).as_string(),
    ):
        assert text.count(key) == text.count(f'{key} as "trueup id 0"') == 1


def test_no_column_is_read_but_those_that_are_compared() -> None:
    """A role may have the right to read some columns alone."""
    inner = passes.checksums(HASHED, HashGrid(64), 5).as_string().rpartition("(select ")[2]

    assert inner.startswith('"t"."id", "t"."note", hash_record_extended(')


def test_a_column_may_have_any_name() -> None:
    reading = replace(HASHED, columns=(ID, NOTE, replace(NOTE, name="trueup id 0")))

    assert 'as "trueup id 1"' in passes.checksums(reading, HashGrid(64), 5).as_string()
