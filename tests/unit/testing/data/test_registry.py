import sys
from dataclasses import dataclass
from types import ModuleType

import pytest

from trueup.errors import UsageError
from trueup.tables import Table
from trueup.testing import factory
from trueup.testing.data.registry import read_registry


@dataclass(frozen=True, slots=True)
class BigClient:
    id: int


@dataclass(frozen=True, slots=True)
class Room:
    id: int


CLIENTS = Table("public.clients", BigClient, primary_key=("id",))
ROOMS = Table("public.rooms", Room, primary_key=("id",))


@pytest.fixture
def module(monkeypatch):
    """Return what puts factories into a module that can be imported."""

    def fill(*found):
        made = ModuleType("some_factories")
        vars(made).update({f"F{number}": each for number, each in enumerate(found)})
        monkeypatch.setitem(sys.modules, "some_factories", made)
        return ["some_factories"]

    return fill


def test_contract_without_a_factory_gets_one(module):
    mine = factory(CLIENTS, "client")

    registry = read_registry(module(mine), (CLIENTS, ROOMS))

    assert registry.by_table["public.clients"] is registry.named("client") is mine
    assert registry.named("room").table is ROOMS


def test_factory_is_called_after_its_row():
    assert factory(CLIENTS).name == "big_client"


@pytest.mark.parametrize(
    "factories", [(factory(CLIENTS), factory(CLIENTS, "other")), (factory(CLIENTS, "room"), factory(ROOMS))]
)
def test_two_factories_for_one_thing_are_an_error(module, factories):
    with pytest.raises(UsageError, match="two factories are for"):
        read_registry(module(*factories), ())


def test_factory_that_is_imported_twice_counts_once(module):
    mine = factory(CLIENTS)

    assert list(read_registry([*module(mine), *module(mine)], ()).by_name) == ["big_client"]


def test_module_without_a_factory_is_an_error(module):
    with pytest.raises(UsageError, match="some_factories has no factory"):
        read_registry(module(), ())
    with pytest.raises(UsageError, match="No module named"):
        read_registry(["nosuch.factories"], ())
