"""The first database of a process: made before anybody asks, where its template is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from trueup.settings import Settings
from trueup.testing.lending.databases import Databases
from trueup.testing.lending.first import prepare
from trueup.testing.lending.host import Host, OwnServer, stocked
from trueup.testing.lending.orders import Order
from trueup.testing.lending.recipes import read_recipe
from trueup.testing.marks import Kind
from trueup.testing.options import Options, embedded

RUN = "0" * 8


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schema")
    (folder / "1_first.sql").write_text("-- migrate:up\ncreate table first (id int primary key);", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def own(schema: Path) -> Iterator[OwnServer]:
    with stocked(18, Settings.load(), read_recipe(Kind(schema=schema)), RUN) as server:
        yield server


@pytest.fixture
def options(schema: Path) -> Options:
    return Options(servers=(embedded(18),), schema=schema, seed=(), folder=schema, is_verifying=False)


@pytest.fixture
def host(own: OwnServer) -> Host:
    return Host(conninfo=own.conninfo(), run=RUN, is_embedded=True)


@pytest.mark.parametrize("is_put_back", [True, False])
def test_who_asks_first_gets_it(host: Host, options: Options, is_put_back: bool) -> None:
    order = Order(kind=Kind(), is_put_back=is_put_back)

    first = prepare(lambda: host, options, "main", order)
    databases = Databases(first, options, "main", {order: 1})
    loan = databases.lend("db", Kind()) if is_put_back else databases.lend_new("fresh_db", Kind())
    databases.close()

    assert loan.lease is first.lease
    assert loan.is_put_back == is_put_back


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(Kind(schema=Path("/absent")), id="no folder"),
        pytest.param(Kind(seed=(Path("/absent.sql"),)), id="no seed"),
        pytest.param(Kind(timezone="Nowhere/Nowhere"), id="no time zone"),
    ],
)
def test_what_is_wrong_is_left_to_who_asks(host: Host, options: Options, kind: Kind) -> None:
    first = prepare(lambda: host, options, "main", Order(kind=kind, is_put_back=True))
    is_open = not first.site.admin.closed
    first.site.close()

    assert is_open
    assert first.lease is None


def test_none_is_made_where_nobody_asks(host: Host, options: Options) -> None:
    first = prepare(lambda: host, options, "main", None)
    first.site.close()

    assert (first.order, first.lease) == (None, None)
