"""Plans run on real servers: the target becomes like the source, and the way back leads to the start."""

import itertools
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from tests.integration.parity.schema import test_objects
from tests.integration.parity.schema.planning.case_table import CASES
from tests.integration.parity.schema.planning.company import Pair, failures, is_lone

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.parity.schema.planning import steps
from trueup.parity.schema.planning.plan import unreached
from trueup.parity.schema.planning.proof import structure
from trueup.servers import EmbeddedServer

NUMBERS = itertools.count()


@contextmanager
def databases(server: EmbeddedServer) -> Iterator[Pair]:
    names = [f"plan_{next(NUMBERS)}" for _ in Pair._fields]
    yield Pair(*map(server.create_database, names))
    for name in names:
        server.drop_database(name)


@pytest.fixture
def pair(server: EmbeddedServer) -> Iterator[Pair]:
    with databases(server) as made:
        yield made


def run(conninfo: ConnInfo, statements: str) -> None:
    with connect(conninfo) as connection:
        connection.execute(statements)


def batches() -> dict[str, list[str]]:
    """Return the names of the cases that are tried side by side: those of a kind; some alone."""
    found: dict[str, list[str]] = {}
    for name, case in CASES.items():
        found.setdefault(name if is_lone(case) else name.partition(":")[0], []).append(name)
    return found


BATCHES = batches()


@pytest.mark.parametrize("batch", BATCHES)
def test_targets_become_like_their_sources_and_go_back(server: EmbeddedServer, batch: str) -> None:
    """A case that fails among others is tried again alone, and both is told."""
    if batch.startswith("newest") and server.version < 18:
        pytest.skip("PostgreSQL 18 is the first that has it")

    failed = tried(server, BATCHES[batch])

    assert failed == {}, {name: tried(server, [name]) or "holds alone" for name in failed}


def tried(server: EmbeddedServer, names: Iterable[str]) -> dict[str, str]:
    with databases(server) as made:
        return failures(server, made, {name: CASES[name] for name in names})


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


ALIKE = {
    "tables", "partitions", "columns", "constraints", "indexes", "types", "views", "sequences", "reactions"
}  # fmt: skip
MANY = [
    source
    for name, (_, source, *_) in CASES.items()
    if name.partition(":")[0] in ALIKE
    if not re.search(r'schema|public|create domain d as int|event trigger|has another|"Q"', source)
]


def test_catalogs_are_read_whole(pair: Pair) -> None:
    run(pair.source, "create domain d as int constraint named check (value > 0)")

    found = structure(pair.source).catalog

    assert found.not_compared == {"name of a domain's check": 1}
