"""Plans run on real servers: the target becomes like the source, and the way back leads to the start."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from tests.integration.parity.schema import test_differences, test_objects

from trueup.conninfo import ConnInfo
from trueup.db import connect, snapshot
from trueup.parity.schema import catalog, diff
from trueup.parity.schema.planning.dependencies import dependencies
from trueup.parity.schema.planning.plan import Structure, steps, unreached
from trueup.servers import EmbeddedServer

NUMBERS = itertools.count()

ADDED = test_objects.OBJECTS | test_objects.SETTINGS
CLASS = (
    "create operator family o using btree; create operator class c for type int using btree family o as"
    " operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(int, int);"
)
MORE = {
    "operator class": ("select", CLASS),
    "operator class of its own family": ("select", CLASS.replace("family o as", "as")),
    "members of an operator family": ("create operator family o using btree", CLASS),
    "user mapping of everybody": (test_objects.SERVER, test_objects.SERVER + "create user mapping for public server s"),
    "trusted language": (
        "select",
        "create trusted language l handler plpgsql_call_handler inline plpgsql_inline_handler",
    ),
    "default conversion": ("select", "create default conversion c for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8"),
}
CASES = {
    **MORE,
    **{f"{name} is gone": (base or "select", base + added) for name, (base, added, *_) in ADDED.items()},
    **{f"{name} is changed": case[:2] for name, case in test_objects.CHANGED.items()},
    **{name: case[:2] for name, case in test_differences.CASES.items()},
}
UNREACHED = frozenset({"foreign key that nothing enforces", "foreign key whose parent is not watched"})


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


def run(conninfo: ConnInfo, *statements: str) -> None:
    with connect(conninfo) as connection:
        for statement in statements:
            connection.execute(statement)


def apply(conninfo: ConnInfo, have: Structure, want: Structure) -> None:
    run(conninfo, *(statement for step in steps(have, want) for statement in step.statements))


@pytest.mark.parametrize(("source", "target"), [CASES[name] for name in sorted(CASES)], ids=sorted(CASES))
def test_target_becomes_like_the_source_and_goes_back(
    request: pytest.FixtureRequest, pair: Pair, source: str, target: str
) -> None:
    name = request.node.callspec.id.partition("-")[2]
    run(pair.source, source)
    run(pair.target, target)
    before, wanted = structure(pair.target), structure(pair.source)

    apply(pair.target, before, wanted)
    if name not in UNREACHED:
        assert diff(wanted.catalog, structure(pair.target).catalog) == ()
    assert not unreached(steps(before, wanted))

    apply(pair.target, wanted, before)
    if name not in UNREACHED:
        assert diff(before.catalog, structure(pair.target).catalog) == ()
    assert not unreached(steps(wanted, before))


def test_what_may_be_a_secret_is_not_made_up(pair: Pair) -> None:
    hidden = "create user mapping for public server s options (a 'b'); alter server s options (add password 'secret')"
    run(pair.target, test_objects.SERVER + "drop server s")
    run(pair.source, test_objects.SERVER + hidden)

    found = steps(structure(pair.target), structure(pair.source))

    assert {key.kind for key in unreached(found)} == {"server", "user mapping"}
    assert not any("secret" in statement for step in found for statement in step.statements)
