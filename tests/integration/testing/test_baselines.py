"""The baseline that a server's first database has without anybody having looked."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from trueup.db import connect
from trueup.errors import Refused
from trueup.settings import Settings
from trueup.testing.guard.gate import gate
from trueup.testing.lending import baselines
from trueup.testing.lending.databases import Databases
from trueup.testing.lending.first import First, prepare
from trueup.testing.lending.host import Host, OwnServer, stocked
from trueup.testing.lending.orders import Order
from trueup.testing.lending.recipes import Recipe, read_recipe
from trueup.testing.marks import Kind
from trueup.testing.options import Options, embedded
from trueup.testing.rewind import Baseline, NotRewound, Rewound

RUN = "0" * 8
SCHEMA = """
-- migrate:up
create schema "Über";
create table plain (id int generated always as identity primary key, name text not null, at timestamptz default now());
create table "Über"."Ünter" (id serial, raw bytea, doubled int generated always as (7 * 2) stored);
create table empty (id int primary key references plain);
create table ruled (id int);
create materialized view looks as select name from plain;
create function one() returns int language sql as 'select 1';
create trigger suppress before update on ruled for each row execute function suppress_redundant_updates_trigger();
alter table ruled enable always trigger suppress;
comment on table plain is 'it''s plain';
grant select on plain to public;
insert into plain (name) values ('one'), (E'tab\tand\\n'), ('Größe');
insert into "Über"."Ünter" (raw) values (null), ('\\x00ff');
select nextval('"Über"."Ünter_id_seq"');
"""
ORDER = Order(kind=Kind(), is_put_back=True)


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schema")
    (folder / "1_first.sql").write_text(SCHEMA, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def recipe(schema: Path) -> Recipe:
    return read_recipe(Kind(schema=schema))


@pytest.fixture(scope="module", params=[16, 18])
def own(recipe: Recipe, request: pytest.FixtureRequest) -> Iterator[OwnServer]:
    """Give a server that was restored, with what an earlier one has saved."""
    with stocked(request.param, Settings.load(), recipe, RUN):
        pass
    with stocked(request.param, Settings.load(), recipe, RUN) as server:
        assert server.is_restored
        gate.possess(request.node.nodeid, server, fixture="own")  # No fixture of the plugin has started it.
        yield server


@pytest.fixture
def options(schema: Path) -> Options:
    return Options(servers=(embedded(18),), schema=schema, seed=(), folder=schema, is_verifying=False)


Prepare = Callable[..., First]


@pytest.fixture
def first(own: OwnServer, options: Options) -> Iterator[Prepare]:
    """Return what prepares the first database of a process."""
    opened = []

    def prepared(worker: str = "main", *, order: Order = ORDER, is_verifying: bool = False) -> First:
        host = Host(conninfo=own.conninfo(), run=RUN, is_embedded=True)
        opened.append(prepare(lambda: host, replace(options, is_verifying=is_verifying), worker, order))
        return opened[-1]

    yield prepared
    for each in opened:
        each.site.close()


def lent(first: First, options: Options) -> Databases:
    """Return the databases that go on from the first one, which is lent out."""
    databases = Databases(first, options, "main", {ORDER: 1})
    databases.lend("db", Kind())
    return databases


def test_it_is_what_looking_finds(first: Prepare) -> None:
    found = first()
    assert found.recall is not None
    assert found.lease is not None

    with found.recall() as recalled, Baseline.take(found.lease.conninfo) as taken:
        assert recalled._plans.structure == taken._plans.structure
        assert recalled._plans.is_counted == taken._plans.is_counted
        seen = taken._state.witness
        known = recalled._state.witness
        assert recalled._state == replace(taken._state, sessions=frozenset(), witness=known)
        assert len(recalled._state.copies) == 3
        assert known is None if seen is None else not known.is_comparable(seen)


def test_database_comes_back_to_it(first: Prepare, options: Options) -> None:
    found = first()
    databases = lent(found, options)
    loan = databases.lent["db"]
    with loan.database.connection() as connection:
        connection.execute("insert into plain (name) values ('two')")
        connection.execute("update plain set name = 'three' where name = 'one'")
        connection.execute('truncate "Über"."Ünter" restart identity')

    databases.take_back("db")
    with Baseline.take(loan.conninfo, verify=True) as after, loan.database.connection() as connection:
        names = connection.execute("select name from plain order by id").fetchall()
        rows = connection.execute('select id, raw from "Über"."Ünter" order by id').fetchall()
        counts = after._state.counts
    is_free = loan in databases.free[loan.lease.kind]
    databases.close()

    assert names == [("one",), ("tab\tand\n",), ("Größe",)]
    assert rows == [(1, None), (2, b"\x00\xff")]
    assert sorted(counts) == [0, 0, 0, 1, 2, 3]
    assert is_free


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("create table another ()", "another"),
        ("comment on table plain is 'otherwise'", "the structure was changed"),
        ("update ruled set id = 1; insert into ruled values (1)", "a trigger or rule on it fires"),
        ("insert into plain (name) values ('two'); refresh materialized view looks", "looks"),
    ],
)
def test_what_cannot_be_put_back_is_seen(first: Prepare, options: Options, statement: str, reason: str) -> None:
    databases = lent(first(), options)
    loan = databases.lent["db"]
    with loan.database.connection() as connection:
        connection.execute(statement.encode())

    assert loan.baseline is not None
    outcome = loan.rewind(loan.baseline)
    databases.close()

    assert isinstance(outcome, NotRewound)
    assert reason in outcome.reason


@pytest.mark.parametrize("statement", ["create role somebody", "alter system set work_mem = '5MB'"])
def test_change_of_the_server_fails_its_test(own: OwnServer, first: Prepare, options: Options, statement: str) -> None:
    databases = lent(first(), options)
    loan = databases.lent["db"]
    with loan.database.connection() as connection:
        connection.execute(statement.encode())

    with pytest.raises(Refused, match="the test changed the whole server"):
        databases.take_back("db")
    databases.close()
    with connect(own.conninfo()) as connection:
        connection.execute("alter system reset all")
        connection.execute("drop role if exists somebody")


def test_reading_the_configuration_again_is_seen(first: Prepare, options: Options) -> None:
    databases = lent(first(), options)
    loan = databases.lent["db"]
    with loan.database.connection() as connection:
        before = connection.execute("select pg_conf_load_time()").fetchone()
        connection.execute("select pg_reload_conf()")
        while connection.execute("select pg_conf_load_time()").fetchone() == before:
            continue

    with pytest.raises(Refused, match="configuration was changed or read again"):
        databases.take_back("db")
    databases.close()


@pytest.mark.parametrize(
    "choice",
    [
        pytest.param({"worker": "gw0"}, id="one of several processes"),
        pytest.param({"is_verifying": True}, id="to be proven"),
        pytest.param({"order": Order(kind=Kind(timezone="Europe/Berlin"), is_put_back=True)}, id="time zone"),
    ],
)
def test_who_cannot_rely_on_it_looks(first: Prepare, choice: dict[str, object]) -> None:
    found = first(**choice)
    assert found.baseline is not None
    found.baseline.close()

    assert found.recall is None


def test_database_that_is_gone_is_replaced(first: Prepare, options: Options) -> None:
    found = first()
    databases = lent(found, options)
    loan = databases.lent["db"]
    found.site.drop(loan.lease.name)

    databases.take_back("db")
    again = databases.lend("db", Kind())
    assert again.baseline is not None
    outcome = again.rewind(again.baseline)
    databases.close()

    assert again is not loan
    assert isinstance(outcome, Rewound)


@pytest.mark.parametrize("broken", ["delete from {}", "update {} set stored = '{{}}'", "update {} set stored = 'x'"])
def test_one_that_is_broken_is_not_believed(
    own: OwnServer, first: Prepare, recipe: Recipe, options: Options, broken: str
) -> None:
    databases = lent(first(), options)
    loan = databases.lent["db"]
    table = baselines.place_of(recipe.name).as_string()
    with connect(own.conninfo()) as connection:
        [(stored,)] = connection.execute(f"select stored from {table}".encode()).fetchall()
        connection.execute(broken.format(table).encode())

    databases.take_back("db")
    is_free = loan in databases.free[loan.lease.kind]
    databases.close()
    with connect(own.conninfo()) as connection:
        connection.execute(f"delete from {table}".encode())
        connection.execute(f"insert into {table} values (%s)".encode(), [stored])

    assert not is_free


LIGHT = """
import sys

LATER = {"fingerprints", "plans", "rewinding", "session", "state", "statements", "structure"}


def later() -> set[str]:
    return LATER & {name.removeprefix("trueup.testing.rewind.") for name in sys.modules}


def test_one(db):
    assert later() == set()
    assert not {"trueup.observe.event", "trueup.observe.outbox", "trueup.db.budgets"} & set(sys.modules)
    with db.connection() as connection:
        connection.execute("insert into plain (name) values ('two')")


def test_two(db):
    assert later() == LATER
    with db.connection() as connection:
        assert connection.execute("select count(*) from plain").fetchone() == (3,)
"""


def test_first_test_waits_for_nothing_that_puts_it_back(
    own: OwnServer, schema: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_light.py").write_text(LIGHT, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(f"[pytest]\ntrueup_schema = {schema}\n", encoding="utf-8")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    words = ("-q", "-p", "trueup.testing.plugin", "-p", "no:cacheprovider", f"--trueup-server=embedded:{own.version}")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_long_one_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "LARGEST_BYTES", 100)
    (tmp_path / "1_first.sql").write_text("-- migrate:up\ncreate table long_one ();", encoding="utf-8")
    recipe = read_recipe(Kind(schema=tmp_path))
    options = Options(servers=(embedded(18),), schema=tmp_path, seed=(), folder=tmp_path, is_verifying=False)

    with stocked(18, replace(Settings.load(), cache_folder=tmp_path / "cache"), recipe, RUN) as server:
        host = Host(conninfo=server.conninfo(), run=RUN, is_embedded=True)
        found = prepare(lambda: host, options, "main", ORDER)
        assert found.baseline is not None
        found.baseline.close()
        found.site.close()

    assert found.recall is None
