"""Columns that the configuration declares to come from others are compared by what they ought to hold."""

from typing import Any

import pytest

from trueup.report.model import Verdict
from trueup.settings import Conversion

DECLARED = (
    Conversion(column="public.staff.staff_id", source="id"),
    Conversion(column="public.staff.is_active", source="fired", by="not"),
    Conversion(column="public.staff.seen", by="at time zone Europe/Moscow"),
    Conversion(column="public.staff.tags", by="to_jsonb"),
    Conversion(column="public.staff.doc", by="jsonb"),
)
SOURCE = "create table staff (id int primary key, fired boolean, seen timestamp, tags text[], doc text)"
TARGET = "create table staff (doc jsonb, tags jsonb, seen timestamptz, is_active boolean, staff_id bigint primary key)"


def fill(databases: Any) -> None:
    """Store rows that are the same once they are converted."""
    databases.source.execute(SOURCE)
    databases.target.execute(TARGET)
    databases.source.execute(
        """insert into staff values (1, false, '2025-11-11 15:15', '{a,"b c",NULL}', '{"b": 1, "a": 2}'),
        (2, true, '2025-11-11 12:00:00.000001', '{}', '[1, "1"]'), (3, null, null, null, null)"""
    )
    databases.target.execute(
        """insert into staff (staff_id, is_active, seen, tags, doc) values
        (1, true, '2025-11-11 15:15+03', '["a", "b c", null]', '{"a": 2, "b": 1}'),
        (2, false, '2025-11-11 09:00:00.000001Z', '[]', '[1, "1"]'), (3, null, null, null, null)"""
    )


def test_what_is_the_same_after_its_conversion_passes(databases: Any) -> None:
    """M-2, M-7, M-13, M-15, M-25."""
    fill(databases)

    [found] = databases.compare(conversions=DECLARED)

    assert (found.verdict, found.columns_not_compared, found.key) == (Verdict.PASSED, (), ("staff_id",))


def test_what_a_conversion_got_wrong_is_found_by_its_column(databases: Any) -> None:
    fill(databases)
    databases.target.execute('update staff set is_active = not is_active, tags = \'["a", "b c"]\' where staff_id = 1')
    databases.target.execute("update staff set seen = seen + interval '3 hours', doc = '[1, 1]' where staff_id = 2")
    databases.target.execute("update staff set is_active = false where staff_id = 3")

    [found] = databases.compare(conversions=DECLARED)

    assert [(row.key, row.columns) for row in found.changed] == [
        (("1",), ("is_active", "tags")),
        (("2",), ("doc", "seen")),
        (("3",), ("is_active",)),
    ]


def test_a_zone_converts_both_ways(databases: Any) -> None:
    """M-15: the offset was dropped where it ought to have been applied."""
    databases.source.execute("create table t (id int primary key, at timestamptz)")
    databases.target.execute("create table t (id int primary key, at timestamp)")
    databases.source.execute("insert into t values (1, '2025-11-11 15:15+03'), (2, '2025-11-11 12:15Z')")
    databases.target.execute("insert into t values (1, '2025-11-11 15:15'), (2, '2025-11-11 12:15')")

    [found] = databases.compare(conversions=[Conversion(column="public.t.at", by="at time zone UTC")])

    assert [(row.key, row.columns) for row in found.changed] == [(("1",), ("at",))]


@pytest.mark.parametrize("value", ["", "{", "not a document"])
def test_a_text_that_is_no_document_makes_its_table_inconclusive(databases: Any, value: str) -> None:
    databases.source.execute("create table t (id int primary key, doc text)")
    databases.target.execute("create table t (id int primary key, doc jsonb)")
    databases.source.execute("insert into t values (1, %s)", [value])
    databases.target.execute("insert into t values (1, '{}')")

    [found] = databases.compare(conversions=[Conversion(column="public.t.doc", by="jsonb")])

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "SQLSTATE 22P02" in (found.reason or "")
