"""Plans run on real servers: the target becomes like the source, and the way back leads to the start."""

import itertools
import re
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from tests.integration.parity.schema import test_differences, test_objects
from tests.integration.parity.schema.planning.cases import (
    access,
    columns,
    constraints,
    indexes,
    newest,
    others,
    partitions,
    reactions,
    routines,
    sequences,
    tables,
    types,
    views,
)

from trueup.conninfo import ConnInfo
from trueup.db import connect, snapshot
from trueup.parity.schema import Catalog, Difference, catalog, diff
from trueup.parity.schema.expressions import restored
from trueup.parity.schema.planning import (
    SETTINGS,
    Statement,
    Structure,
    dependencies,
    planned,
    stated,
    steps,
    transactions,
)
from trueup.parity.schema.planning.dumps import other_names, same_dumps
from trueup.parity.schema.planning.plan import unreached
from trueup.servers import EmbeddedServer

NUMBERS = itertools.count()
CLASS = (
    "create operator family o using btree; create operator class c for type int using btree family o as"
    " operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(int, int);"
)
MODULES = (
    tables, partitions, columns, constraints, indexes, types, views, sequences, routines, reactions, access, others,
    newest,
)  # fmt: skip


class Case(NamedTuple):
    """Is a target, a source, how they differ, and what of that the plan can't reach."""

    target: str
    source: str
    differences: str
    left: str = ""
    """`order` where columns stay in another order; else what the plan names as not reached or not compared."""


def listed(differences: tuple[Difference, ...]) -> str:
    return "; ".join(f"{each.kind} {each.object} {each.change}" for each in differences)


def gathered() -> dict[str, Case]:
    """Return the cases of every kind, those of the comparison among them."""
    own = {f"{m.__name__.rpartition('.')[2]}: {name}": Case(*case) for m in MODULES for name, case in m.CASES.items()}
    objects = {
        f"object: {name}": Case(base + added, base or "select", f"{kind} {identity} extra")
        for name, (base, added, kind, identity) in test_objects.OBJECTS.items()
    }
    changed = {
        f"change: {name}": Case(after, before, f"{kind} {identity} {part}")
        for name, (before, after, kind, identity, part) in test_objects.CHANGED.items()
    }
    settings = {
        f"setting: {name}": Case(base + added, base or "select", f"{kind} {identity} {part}")
        for name, (base, added, kind, identity, part) in test_objects.SETTINGS.items()
        if kind != "owner"
    }
    differences = {
        f"difference: {name}": Case(target, source, "; ".join(" ".join(each[:3]) for each in found))
        for name, (source, target, found) in test_differences.CASES.items()
    }  # fmt: skip
    return own | objects | changed | settings | differences | MORE


MORE = {
    "more: operator class with a family": Case(
        "select", CLASS, "operator class public.c USING btree missing; operator family public.o USING btree missing",
        "members of an operator class public.c USING btree"),
    "more: members of an operator family": Case(
        "create operator family o using btree", CLASS,
        "operator class public.c USING btree missing; operator family public.o USING btree functions;"
        " operator family public.o USING btree operators", "members of an operator class public.c USING btree"),
    "more: default conversion": Case(
        "select", "create default conversion c for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8",
        "conversion public.c missing"),
    "more: trusted language": Case(
        "select", "create trusted language l handler plpgsql_call_handler inline plpgsql_inline_handler",
        "language l missing"),
}  # fmt: skip
CASES = gathered()
ODD = {
    "difference: foreign key that nothing enforces": "table constraint t_c_fkey on public.t",
    "difference: foreign key whose parent is not watched": "table constraint t_c_fkey on public.t",
    "difference: M-7 another column and a new required one": "order",
}
"""What is left of cases that are listed elsewhere."""


class Pair(NamedTuple):
    source: ConnInfo
    target: ConnInfo


@pytest.fixture
def pair(server: EmbeddedServer) -> Iterator[Pair]:
    names = [f"plan_{next(NUMBERS)}" for _ in Pair._fields]
    yield Pair(*map(server.create_database, names))
    for name in names:
        server.drop_database(name)


def structure(conninfo: ConnInfo) -> Structure:
    with snapshot(conninfo) as seen:
        return Structure(catalog(seen), dependencies(seen))


def run(conninfo: ConnInfo, statements: str) -> None:
    with connect(conninfo) as connection:
        connection.execute(statements)


def apply(conninfo: ConnInfo, way: tuple[Statement, ...]) -> None:
    """Run statements in their transactions."""
    with connect(conninfo) as connection:
        for setting in SETTINGS:
            connection.execute(setting)
        for group in transactions(way):
            if group[0].is_alone:
                connection.execute(group[0].sql.encode())
                continue
            with connection.transaction():
                for statement in group:
                    connection.execute(statement.sql.encode())


def dump(server: EmbeddedServer, conninfo: ConnInfo) -> list[str]:
    """Return what `pg_dump -s` prints: without comments, and with checks as they read after a dump was restored."""
    program = server.installation.program("pg_dump")
    done = subprocess.run([program, "-s", "-d", conninfo.reveal()], capture_output=True, text=True, check=True)
    lines = map(restored, done.stdout.split("\n"))
    return [line for line in lines if line and not line.startswith(("--", "\\restrict", "\\unrestrict"))]


@pytest.mark.parametrize("name", sorted(CASES))
def test_target_becomes_like_the_source_and_goes_back(server: EmbeddedServer, pair: Pair, name: str) -> None:
    if name.startswith("newest") and server.version < 18:
        pytest.skip("PostgreSQL 18 is the first that has it")
    case = CASES[name]
    left = ODD.get(name, case.left)
    run(pair.source, case.source)
    run(pair.target, case.target)
    start, wanted = structure(pair.target), structure(pair.source)
    dumps = {"target": dump(server, pair.target), "source": dump(server, pair.source)}

    differences = diff(wanted.catalog, start.catalog)
    plan = planned(wanted, start, "postgres")

    assert sorted(listed(differences).split("; ")) == sorted(case.differences.split("; "))
    assert {f"{kind} {identity}" for kind, identity in plan.unreached} <= {left}
    if plan.unreached:
        return
    apply(pair.target, stated(plan.up, allow_loss=True))
    there = structure(pair.target)
    if is_said(left, wanted, there) or is_said(left, start, there):
        return
    assert diff(wanted.catalog, there.catalog) == ()
    remarks = [*same_dumps(dump(server, pair.target), dumps["source"])]
    apply(pair.target, stated(plan.down, allow_loss=True))
    remarks += same_dumps(dump(server, pair.target), dumps["target"])
    assert bool(remarks) == (left == "order")


def is_said(left: str, wanted: Structure, found: Structure) -> bool:
    """Say whether what is left is named: as not compared, as a name that stays another one, or by the comparison."""
    named = {*wanted.catalog.not_compared, *other_names(wanted, found)}
    return left in named or left == listed(diff(wanted.catalog, found.catalog)) != ""


def test_what_may_be_a_secret_is_not_made_up(pair: Pair) -> None:
    hidden = "create user mapping for public server s options (a 'b'); alter server s options (add password 'secret')"
    run(pair.target, test_objects.SERVER + "drop server s")
    run(pair.source, test_objects.SERVER + hidden)

    found = steps(structure(pair.target), structure(pair.source))

    assert {key.kind for key in unreached(found)} == {"server", "user mapping"}
    assert not any("secret" in statement for step in found for statement in step.statements)


def test_versions_of_the_two_sides_add_nothing_to_a_plan(server16: EmbeddedServer, server18: EmbeddedServer) -> None:
    sides = []
    for server in (server16, server18):
        conninfo = server.create_database("plan_versions")
        run(conninfo, "; ".join(f"create schema s{n}; set search_path to s{n}; {sql}" for n, sql in enumerate(MANY)))
        sides.append(structure(conninfo))
        server.drop_database("plan_versions")

    assert [step.statements for step in steps(*sides)] == []
    assert [step.statements for step in steps(*sides[::-1])] == []


MANY = [
    source
    for module in (tables, partitions, columns, constraints, indexes, types, views, sequences, reactions)
    for _, source, *_ in module.CASES.values()
    if not re.search(r'schema|public|create domain d as int|event trigger|has another|"Q"', source)
]


def test_catalogs_are_read_whole(pair: Pair) -> None:
    run(pair.source, "create view v as select 1 as a; alter view v alter a set default 2")

    found: Catalog = structure(pair.source).catalog

    assert found.not_compared == {"default of a view's column": 1}
