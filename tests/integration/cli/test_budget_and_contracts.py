"""The two commands that hold a configuration against one database."""

import sys

import pytest

from trueup.cli.exits import ExitCode

SEVEN = "".join(f'[[services]]\nname = "service-{number}"\n' for number in range(7))
SHOP = """
from dataclasses import dataclass
from trueup.tables import Table

@dataclass(frozen=True, slots=True)
class Shop:
    id: int
    name: str | None

SHOPS = Table("public.shop", Shop, primary_key=("id",), conflict_key=("id",))
TABLES = [SHOPS]
NUMBER = 3
"""


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """Write a configuration, and a module of contracts that only this test imports."""

    def write(text):
        (tmp_path / "trueup.toml").write_text(text)
        (tmp_path / "shop_contracts.py").write_text(SHOP)

    monkeypatch.syspath_prepend(tmp_path)
    yield write
    sys.modules.pop("shop_contracts", None)


def test_seven_services_of_three_add_up_to_twenty_one(trueup, databases, configured):
    """W-P5: the sum over all services is checked, not a comment."""
    configured(SEVEN)

    done = trueup("budget", databases.target)

    assert done.code == ExitCode.PASSED
    assert "21 of 147 connections (150 less 3 reserved)" in done.out


def test_budget_beyond_the_server_fails_and_says_by_how_much(trueup, databases, configured):
    """W-P5, W-P8."""
    configured('[[services]]\nname = "api"\nconnections = 20\nprocesses = 10\n')

    done = trueup("budget", databases.target, "--json")

    assert done.code == ExitCode.FAILED
    assert done.json["services"][0]["most"] == 200
    assert "200 connections" in done.json["findings"][0]["message"]


def test_contract_that_holds_passes(trueup, databases, configured):
    configured('contracts = ["shop_contracts:SHOPS"]')
    databases.run_on(databases.target, "create table shop (id bigint primary key, name text)")

    done = trueup("contracts", databases.target)

    assert done.code == ExitCode.PASSED
    assert "1 table, 2 columns" in done.out


def test_contract_without_its_unique_index_fails(trueup, databases, configured):
    """M-5: ON CONFLICT without a matching unique index is found before a statement fails."""
    configured('contracts = ["shop_contracts:TABLES"]')
    databases.run_on(databases.target, "create table shop (id bigint not null, name varchar(50))")

    done = trueup("contracts", databases.target, "--json")

    found = {one["message"] for one in done.json["findings"]}
    assert done.code == ExitCode.FAILED
    assert "the conflict key is not what the contract says" in found
    assert "the type is not what the contract says" in found


@pytest.mark.parametrize(
    ("command", "configuration", "said"),
    [
        ("budget", "", "no service is declared"),
        ("contracts", "", "no contract is declared"),
        ("contracts", 'contracts = ["nosuch_module:X"]', "No module named 'nosuch_module'"),
        ("contracts", 'contracts = ["shop_contracts:NOSUCH"]', "has no attribute 'NOSUCH'"),
        ("contracts", 'contracts = ["shop_contracts:NUMBER"]', "is not a Table"),
        ("contracts", 'contracts = [""]', "contracts: '' is not of the form package.module:name"),
    ],
)
def test_what_is_not_declared_is_an_error_of_usage(trueup, databases, configured, command, configuration, said):
    configured(configuration)

    done = trueup(command, databases.target)

    assert done.code == ExitCode.USAGE
    assert said in done.err
