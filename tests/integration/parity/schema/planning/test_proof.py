"""Plans on a scratch server: what works is called proved, and what doesn't says where it stops."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest

from trueup.conninfo import ConnInfo
from trueup.parity.schema.planning.plan import Plan, planned
from trueup.parity.schema.planning.proof import Proof, prove, structure
from trueup.parity.schema.planning.sides import Structure
from trueup.servers import EmbeddedServer
from trueup.settings import Settings

MAKER = "postgres"
NUMBERS = itertools.count()
Sides = tuple[Structure, Structure]


@pytest.fixture
def scratch(server: EmbeddedServer) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(server.version, cache_folder=Settings.load().cache_folder) as started:
        yield started


@pytest.fixture
def sides(server: EmbeddedServer) -> Iterator[Callable[[str, str], Sides]]:
    """Return what two scripts build."""
    names = [f"proof_{next(NUMBERS)}" for _ in range(2)]

    def read(name: str, script: str) -> Structure:
        conninfo = server.create_database(name)
        run(conninfo, script)
        return structure(conninfo)

    yield lambda source, target: (read(names[0], source), read(names[1], target))
    for name in names:
        server.drop_database(name)


def run(conninfo: ConnInfo, script: str) -> None:
    with psycopg.connect(conninfo.reveal(), autocommit=True) as connection:
        connection.execute(script)


@pytest.fixture
def roles(server: EmbeddedServer) -> Iterator[None]:
    """Let there be roles until all databases that name them are gone."""
    run(server.conninfo(), 'create role "an owner"; create role web')
    yield
    run(server.conninfo(), 'drop role "an owner"; drop role web')


def proof_of(scratch: EmbeddedServer, found: Sides, change: Callable[[Plan], Plan] = lambda plan: plan) -> Proof:
    return prove(change(planned(*found, MAKER)), *found, maker=MAKER, server=scratch)


def test_plan_with_roles_owners_and_sequences_is_proved(scratch, roles, sides, server):
    found = sides(
        "create table shop (id serial primary key, name text); create table rest (id bigserial);"
        'alter table shop owner to "an owner"; grant select on shop to web; alter table shop enable row level security;'
        'create policy own on shop for select to web, "an owner" using (true)',
        "create table rest (id int)",
    )

    proof = proof_of(scratch, found)

    assert proof.failures == ()
    assert proof.version == server.version


TWO = ("create table a (x int); create table b (y int)", "create table a (x int)")


def test_plan_that_stops_short_is_not_proved(scratch, sides):
    proof = proof_of(scratch, sides(*TWO), lambda plan: replace(plan, up=()))

    assert proof.failures == ("after the plan it is not like the source: table public.b (missing)",)


def test_plan_that_fails_says_at_which_object_and_why(scratch, sides):
    def break_it(plan: Plan) -> Plan:
        return replace(plan, up=tuple(replace(step, statements=("select 1/0",)) for step in plan.up))

    proof = proof_of(scratch, sides(*TWO), break_it)

    assert proof.failures == ("the plan fails: table public.b: division by zero (SQLSTATE 22012)",)


def test_way_back_that_leads_elsewhere_is_not_proved(scratch, sides):
    proof = proof_of(scratch, sides(*TWO), lambda plan: replace(plan, down=()))

    assert proof.failures == ("the way back does not lead to the start: table public.b (extra)",)


def test_way_back_to_another_name_that_only_dumps_show_is_not_proved(scratch, sides):
    def rename(plan: Plan) -> Plan:
        renamed = (*plan.down[0].statements, "alter domain public.d rename constraint d_check to other")
        return replace(plan, down=(replace(plan.down[0], statements=renamed), *plan.down[1:]))

    domain = "create domain d as int check (value > 0);"
    proof = proof_of(scratch, sides(*(domain + side for side in TWO)), rename)

    assert [each.partition(":")[0] for each in proof.failures] == ["the dumps of the outcome and of the start differ"]


def test_columns_in_another_order_are_said(scratch, sides):
    found = sides("create table a (x int, y int); create table b (z int)", "create table a (y int, x int)")

    proof = proof_of(scratch, found)

    assert proof.failures == ()
    assert proof.remarks == ("the order of columns stays another one than the source's in public.a",)


def test_start_with_something_that_nobody_can_make_is_not_proved(scratch, sides):
    odd = (
        "create foreign data wrapper w; create server s foreign data wrapper w;"
        "create user mapping for public server s options (a 'b')"
    )

    proof = proof_of(scratch, sides("create table a (x int)", odd))

    assert proof.failures == (
        "no statement is known for user mapping public on server s",
        "the start could not be rebuilt: no statement is known for user mapping public on server s",
    )


def test_constraints_and_indexes_of_other_names_are_renamed_there_and_back(scratch, sides):
    def script(*names: str) -> str:
        key, check, index, other, foreign = names
        return (
            f"create table a (x int constraint {key} primary key, constraint {check} check (x > 0));"
            f"create table b (x int, constraint {foreign} foreign key (x) references a);"
            f"create materialized view v as select 1 as y; create index {other} on v (y);"
            f"create index {index} on b (x); cluster b using {index}; comment on constraint {key} on a is 'k';"
            f"comment on index {index} is 'i'"
        )

    found = sides(script("k1", "c1", "i1", "o1", "f1") + "; create table c ()", script("k2", "c2", "i2", "o2", "f2"))
    plan = planned(*found, MAKER)

    proof = proof_of(scratch, found)

    assert proof.failures == ()
    assert [" rename " in sql for step in plan.up for sql in step.statements] == [True] * 5 + [False]


@pytest.mark.parametrize(
    "start",
    [
        "create table t (x int); create publication p for table t",
        "create schema s; create publication p for tables in schema s",
        "create table t (a int, b int); create statistics s on a, b from t; alter statistics s set statistics 5",
    ],
    ids=["publication of a table", "publication of a schema", "precise statistics"],
)
def test_start_is_rebuilt_in_an_order_that_works_and_to_the_last_detail(scratch, sides, start):
    proof = proof_of(scratch, sides(f"{start}; create table other ()", start))

    assert proof.failures == ()


def test_plan_that_loses_rows_without_saying_so_is_not_proved(scratch, sides):
    def lose(plan: Plan) -> Plan:
        first = replace(plan.up[0], statements=("delete from public.a", *plan.up[0].statements))
        return replace(plan, up=(first, *plan.up[1:]))

    proof = proof_of(scratch, sides(*TWO), lose)

    assert proof.failures == ("the plan loses, without saying so, rows of public.a",)


def test_plan_that_changes_values_on_the_way_back_is_not_proved(scratch, sides):
    def change(plan: Plan) -> Plan:
        first = replace(plan.down[0], statements=("update public.a set x = 5", *plan.down[0].statements))
        return replace(plan, down=(first, *plan.down[1:]))

    proof = proof_of(scratch, sides(*TWO), change)

    assert proof.failures == ("the way back loses, without saying so, values of public.a.x",)


def test_rows_live_through_types_that_change_and_keys_that_come(scratch, sides):
    proof = proof_of(
        scratch,
        sides(
            "create type e as enum ('a', 'b'); create table p (id bigint primary key, e e not null, n numeric(9,2));"
            "create table c (p bigint not null references p, t text not null unique)",
            "create type e as enum ('b', 'a'); create table p (id int, e e, n int);"
            "create table c (p int, t varchar(99))",
        ),
    )

    assert (proof.failures, proof.remarks) == ((), ())


@pytest.mark.parametrize(
    "source",
    [
        "create table a (x int check (x > 1000000))",
        "create table a (x int, y int not null)",
        "create table a (x boolean)",
        "create table b (y int primary key); create table a (x int references b)",
    ],
    ids=["check", "required column", "conversion", "foreign key"],
)
def test_rows_that_a_statement_may_refuse_are_left_out_and_that_is_said(scratch, sides, source):
    proof = proof_of(scratch, sides(source, "create table a (x int)"))

    assert proof.failures == ()
    assert proof.remarks[-1:] == ("no rows were tried in public.a: made-up ones are refused there",)


def test_names_that_only_dumps_show_become_those_of_the_source(scratch, sides):
    start = "create table p (a int) partition by list (a); create table p1 partition of p default"
    found = sides(
        f"{start}; create index j on p1 (a); create index i on p (a); create table more ()",
        f"{start}; create index i on p (a)",
    )

    proof = proof_of(scratch, found)

    assert (proof.failures, proof.remarks) == ((), ())
