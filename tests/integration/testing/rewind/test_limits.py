"""Interruptions, large tables, many dead rows, and what only a fingerprint sees."""

import json
import subprocess
import sys

import pytest
from tests.integration.testing.rewind.conftest import Run

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.testing.rewind import Baseline, NotRewound, Rewound, fingerprint

PROGRAM = "tests.integration.testing.rewind.interrupted"


def test_interrupted_rewind_is_never_taken_for_one(filled: ConnInfo, pytestconfig: pytest.Config) -> None:
    command = [sys.executable, "-X", "faulthandler", "-m", PROGRAM, filled.reveal()]

    ended = subprocess.run(
        command, env={}, cwd=pytestconfig.rootpath, capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode == 0, ended.stderr
    aftermaths = json.loads(ended.stdout)
    assert all(left["is_true"] and left["is_rescued"] and left["is_as_before"] for left in aftermaths)
    refusals = {left["refusal"] for left in aftermaths} - {None}
    assert refusals == {"its connection is closed, or was lost or interrupted earlier"}


def test_new_rows_of_a_large_table_are_deleted(filled: ConnInfo, run: Run) -> None:
    run("insert into parents select repeat('x', 1000) from generate_series(1, 3000)")
    with Baseline.take(filled) as baseline:
        run("insert into parents values ('new')")

        assert baseline.rewind() == Rewound(deleted=1, tables=("public.parents",))


def test_changed_rows_of_a_large_table_are_answered(filled: ConnInfo, run: Run) -> None:
    run("insert into parents select repeat('x', 1000) from generate_series(1, 3000)")
    with Baseline.take(filled) as baseline:
        run("delete from parents where ctid = (select max(ctid) from parents)")

        assert baseline.rewind() == NotRewound(
            "rows of public.parents were changed, and it is too large to keep a copy of it"
        )


def test_large_values_count_as_large(filled: ConnInfo, run: Run) -> None:
    run(
        "alter table parents alter note set storage external;"
        " insert into parents select repeat('x', 100000) from generate_series(1, 30)"
    )
    with Baseline.take(filled) as baseline:
        run("delete from parents")

        assert "too large" in str(baseline.rewind())


def test_dead_rows_do_not_pile_up(filled: ConnInfo, baseline: Baseline, run: Run) -> None:
    for _ in range(3):
        run("insert into scratch select generate_series(1, 3000)")
        assert isinstance(baseline.rewind(), Rewound)

    with connect(filled) as connection:
        ((pages,),) = connection.execute("select pg_relation_size('scratch') / 8192").fetchall()
    assert pages < 15


def test_fingerprint_sees_what_a_generated_column_became(filled: ConnInfo, run: Run) -> None:
    """A function that lies about being immutable gives another value when its row is put back."""
    run(
        "create function lie(int) returns float immutable language sql as 'select random()';"
        "create table odd (n int, twice float generated always as (lie(n)) stored); insert into odd values (1)"
    )
    with Baseline.take(filled, verify=True) as baseline:
        run("update odd set n = 2")

        assert baseline.rewind() == NotRewound("the fingerprint is not that of the baseline: rows")


def test_effect_of_putting_rows_back_is_answered(filled: ConnInfo, run: Run) -> None:
    run(
        "create function lie(int) returns bigint immutable language sql as 'select nextval(''public.tickets'')';"
        "create table odd (n int, twice bigint generated always as (lie(n)) stored); insert into odd values (1)"
    )
    with Baseline.take(filled) as baseline:
        run("update odd set n = 2")

        assert baseline.rewind() == NotRewound("something else was changed while rows were put back")


def test_fingerprint_does_not_depend_on_the_session(filled: ConnInfo) -> None:
    with connect(filled) as plain, connect(filled) as odd:
        odd.execute("set datestyle = 'German'; set bytea_output = 'escape'; set timezone = 'Asia/Tokyo'")
        odd.execute("set extra_float_digits = 0; set search_path = pg_temp")

        assert fingerprint(odd) == fingerprint(plain)
        assert odd.execute("show datestyle").fetchone() == ("German, DMY",)


@pytest.mark.parametrize(
    "change",
    [
        "update notes set body = 'x' where body is null",
        "insert into flags default values",
        "select nextval('tickets')",
        "comment on table notes is 'x'",
        "delete from bookings_2026",
        "update clients set prefs = '{\"n\": 1}' where id = 1",
    ],
)
def test_fingerprint_sees_any_change(filled: ConnInfo, run: Run, change: str) -> None:
    with connect(filled) as connection:
        before = fingerprint(connection)

        run(change)

        assert fingerprint(connection) != before
