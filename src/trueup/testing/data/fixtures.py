"""The fixtures `make` and `rows`, the mark `rows`, and the seed of a run."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from trueup.testing.data.seeds import SEED, read_seed, seed_of
from trueup.testing.isolation import OPTIONS, told
from trueup.testing.lending.asking import SHARED, database_of
from trueup.testing.marks import kind_of

if TYPE_CHECKING:
    from trueup.tables import Connections
    from trueup.testing.data.making import Blueprints, Make, Maker
    from trueup.testing.data.registry import Registry

LINE = "rows(NAME=NUMBER, …): make so many rows before the test, as make.batch does; the fixture `rows` has them"


@dataclass(slots=True, kw_only=True)
class Shelf:
    """Is what the tests of a process share: numbers for databases that several tests use, and how rows are made."""

    numbers: Iterator[int]
    blueprints: dict[object, "Blueprints"] = field(default_factory=dict)


SHELF = pytest.StashKey[Shelf]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("trueup")
    group.addoption("--trueup-seed", metavar="N", type=int, help="make the data of the run with this seed again")
    parser.addini("trueup_factories", "modules with factories, one a line", type="linelist", default=[])
    parser.addini("trueup_locale", "the locale of Faker (default: en_US)", default="en_US")


def pytest_configure(config: pytest.Config) -> None:
    """Decide the seed, and count in steps so that no two workers give the same number."""
    config.addinivalue_line("markers", LINE)
    config.stash[SEED] = read_seed(config)
    worker = getattr(config, "workerinput", {})
    first, step = int(worker.get("workerid", "gw0")[2:]) + 1, int(worker.get("workercount", 1))
    config.stash[SHELF] = Shelf(numbers=itertools.count(first, step))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give the workers of xdist the seed of the run."""
    node.workerinput["trueup_seed"] = node.config.stash[SEED]


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test that only asks for rows run on each server, as one does that asks for their database."""
    names = metafunc.fixturenames
    asks = "make" in names or metafunc.definition.get_closest_marker("rows")
    if asks and "live" not in names and "trueup_server" not in names:
        names.append("trueup_server")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a test with the mark `rows` ask for the fixture of that name."""
    names = getattr(item, "fixturenames", [])
    if item.get_closest_marker("rows") and "rows" not in names:
        names.append("rows")


@pytest.fixture(scope="session")
def trueup_factories(request: pytest.FixtureRequest) -> "Registry":
    """Return the factories of the project."""
    from trueup.settings import Settings  # noqa: PLC0415  Only a run that makes rows pays for these.
    from trueup.tables.declared import declared_tables  # noqa: PLC0415
    from trueup.testing.data.registry import read_registry  # noqa: PLC0415

    with told():
        contracts = Settings.load(request.config.stash[OPTIONS].folder).contracts
        tables = declared_tables(contracts) if contracts else ()
        return read_registry(request.config.getini("trueup_factories"), tables)


@pytest.fixture
def make(request: pytest.FixtureRequest, trueup_factories: "Registry") -> Iterator["Make"]:
    """Give what makes rows, in the database that the test asks for; without any, in that of `conn`."""
    from factory.faker import Faker  # noqa: PLC0415  As above.

    from trueup.testing.data.making import Make  # noqa: PLC0415
    from trueup.testing.report.facts import facts_of  # noqa: PLC0415

    seed = seed_of(request.config.stash[SEED], request.node.nodeid)
    maker = maker_for(request, trueup_factories, seed)
    with Faker.override_default_locale(request.config.getini("trueup_locale")):
        yield Make(maker)
    with told():
        maker.close()
    facts_of(request.node).factories = {name: (cost.rows, cost.seconds) for name, cost in maker.costs.items()}
    told_run = f"--trueup-seed={request.config.stash[SEED]} makes the same data again"
    request.node.add_report_section("teardown", "trueup data", told_run)


def maker_for(request: pytest.FixtureRequest, registry: "Registry", seed: int) -> "Maker":
    """Return what stores the rows of a test in its database."""
    from trueup.testing.data.making import Maker  # noqa: PLC0415  As above.

    shelf = request.config.stash[SHELF]
    if "live" in request.fixturenames:
        return live_maker_for(request, registry, seed)
    name = "conn" if not {"db", "fresh_db", "conn", *SHARED} & set(request.fixturenames) else ""
    name = name or database_of(request.fixturenames)
    db = request.getfixturevalue(name)
    is_shared = bool(set(SHARED) & set(request.fixturenames))
    kind = kind_of(request.node, request.config.stash[OPTIONS])
    blueprints = blueprints_of(shelf, (request.getfixturevalue("trueup_server"), kind), db, registry)
    if not is_shared:
        blueprints.reset_sequences()
    numbers = shelf.numbers if is_shared else itertools.count(1)
    return Maker(db=db, blueprints=blueprints, seed=seed, next_number=numbers.__next__)


def live_maker_for(request: pytest.FixtureRequest, registry: "Registry", seed: int) -> "Maker":
    """Return what stores the rows of a test in the live database of the run."""
    from trueup.testing.live.making import LiveMaker  # noqa: PLC0415  As above.

    db = request.getfixturevalue("live")
    blueprints = blueprints_of(request.config.stash[SHELF], "live", db, registry)
    return LiveMaker.on(db, request.getfixturevalue("trueup_live").tables, blueprints, seed)


def blueprints_of(shelf: Shelf, key: object, db: "Connections", registry: "Registry") -> "Blueprints":
    """Return how rows are made in a kind of database; its catalog is read once."""
    from trueup.testing.data.making import Blueprints  # noqa: PLC0415  As above.
    from trueup.testing.data.relations import read_relations  # noqa: PLC0415

    if key not in shelf.blueprints:
        with db.connection() as connection:
            relations = read_relations(connection)
        shelf.blueprints[key] = Blueprints(registry=registry, relations=relations)
    return shelf.blueprints[key]


class Rows:
    """Is the rows of the mark, by the names of their factories: `rows.client[0]`."""

    def __init__(self, found: dict[str, list[Any]]) -> None:
        self._found = found

    def __getattr__(self, name: str) -> list[Any]:
        if name not in self._found:
            raise AttributeError(f'the mark rows makes no "{name}"; it makes {", ".join(self._found) or "nothing"}')
        return self._found[name]


@pytest.fixture
def rows(request: pytest.FixtureRequest, make: "Make") -> Rows:
    """Return the rows that the marks of the test, its class and its module ask for."""
    found: dict[str, list[Any]] = {}
    with told():
        for mark in reversed(list(request.node.iter_markers("rows"))):
            for name, number in numbers_of(request.node, mark).items():
                found.setdefault(name, []).extend(make.batch(name, number))
    return Rows(found)


def numbers_of(node: pytest.Item, mark: pytest.Mark) -> dict[str, int]:
    """Return how many rows a mark asks for, by factory.

    Raises:
        pytest.UsageError: it isn't NAME=NUMBER.
    """
    is_count: Callable[[object], bool] = lambda value: type(value) is int and value > 0  # noqa: E731
    if mark.args or not mark.kwargs or not all(map(is_count, mark.kwargs.values())):
        raise pytest.UsageError(
            f"{node.nodeid}: pytest.mark.rows takes the names of factories, each with a number of rows from 1:"
            " rows(client=3)"
        )
    return dict(mark.kwargs)
