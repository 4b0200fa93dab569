"""`trueup schema diff` and `trueup schema snapshot`: live databases, saved structures, hosts and contracts."""

import json
import sys
from dataclasses import dataclass
from types import ModuleType

import pytest

from trueup.cli.exits import ExitCode
from trueup.tables import Table

SHOP = """
create type mood as enum ('happy', 'sad');
create table client (
  id bigint generated always as identity primary key, phone text not null unique, active boolean, mood mood
);
create table visit (
  id int primary key, client bigint references client on delete cascade, at timestamptz default now()
);
create index on visit (client) where at is not null;
create view phones as select id, phone from client;
comment on table client is 'people';
"""
HOST = """
create schema auth;
create table auth.users (id uuid primary key);
create function auth.uid() returns uuid language sql as 'select null::uuid';
create publication supabase_realtime;
"""


@pytest.fixture
def shop(databases):
    databases.run(SHOP)
    return databases


def saved(trueup, database, name):
    """Keep a structure as cron would: trueup schema snapshot DB > FILE."""
    done = trueup("schema", "snapshot", database)
    assert (done.code, done.err) == (ExitCode.PASSED, "")
    with open(name, "w") as file:  # noqa: PTH123 - the folder is the command's own
        file.write(done.out)
    return name


# -- saved structures --------------------------------------------------------------------------------------------------


def test_saved_structure_is_that_of_its_database_on_another_server(trueup, shop):
    file = saved(trueup, shop.source, "night.json")

    done = trueup("schema", "diff", file, shop.target, "--json")

    assert (done.code, done.json["verdict"], done.json["differences"]) == (ExitCode.PASSED, "passed", [])
    assert done.json["compared"]["tables"] == 2


def test_change_since_last_night_is_found_and_undone_by_its_plan(trueup, shop):
    night = saved(trueup, shop.target, "night.json")
    shop.run_on(shop.target, "alter table client rename active to is_active; drop index visit_client_idx")
    today = saved(trueup, shop.target, "today.json")

    live, kept = (trueup("schema", "diff", night, target, "--json") for target in (shop.target, today))
    plan = trueup("schema", "plan", night, shop.target, "--json", "--allow-loss")

    assert live.code == kept.code == ExitCode.FAILED
    assert live.json["differences"] == kept.json["differences"]
    assert [(each["object"], each["change"]) for each in live.json["differences"]] == [
        ("public.client.active", "missing"),
        ("public.client.is_active", "extra"),
        ("public.visit_client_idx", "missing"),
    ]
    assert (plan.code, plan.json["proved"]) == (ExitCode.PASSED, True)


def test_saved_structure_holds_no_row(trueup, shop):
    shop.run_on(shop.source, "insert into client (phone) values ('a secret of somebody')")

    done = trueup("schema", "snapshot", shop.source)

    assert "secret of" not in done.out
    assert json.loads(done.out)["format"] == "trueup structure"


def test_file_is_not_held_against_itself(trueup, shop):
    night = saved(trueup, shop.source, "night.json")

    done = trueup("schema", "diff", night, f"./{night}", "--json")

    assert (done.code, done.json["verdict"]) == (ExitCode.REFUSED, "refused")


def test_other_json_is_told_from_a_structure(trueup, shop):
    with open("report.json", "w") as file:  # noqa: PTH123
        file.write("{}")

    done = trueup("schema", "diff", "report.json", shop.source)

    assert done.code == ExitCode.USAGE
    assert "report.json is not a structure that `trueup schema snapshot` wrote" in done.err


# -- hosts -------------------------------------------------------------------------------------------------------------


def test_what_a_host_adds_is_left_out_by_its_profile_and_counted(trueup, shop):
    shop.run_on(shop.source, HOST)

    without = trueup("schema", "diff", shop.source, shop.target)
    done = trueup("schema", "diff", shop.source, shop.target, "--profile", "supabase", "--json")

    assert without.code == ExitCode.FAILED
    assert (done.code, done.json["differences"]) == (ExitCode.PASSED, [])
    assert done.json["ignored"] == {
        "source": {"publication supabase_realtime (profile supabase)": 1, "schema auth (profile supabase)": 3},
        "target": {},
    }
    assert any("schema auth (profile supabase) (3)" in note for note in done.json["notes"])


def test_profile_of_the_project_counts_unless_another_is_named(trueup, shop, tmp_path):
    shop.run_on(shop.source, HOST)
    (tmp_path / "trueup.toml").write_text(
        'host_profile = "ours"\n[host_profiles.ours]\nschemas = ["auth"]\npublications = ["supabase_realtime"]\n'
    )

    own, none = (trueup("schema", "diff", shop.source, shop.target, *words) for words in ((), ("--profile", "none")))

    assert (own.code, none.code) == (ExitCode.PASSED, ExitCode.FAILED)
    assert "schema auth (profile ours) (3)" in own.out


def test_plan_leaves_alone_what_the_profile_names(trueup, shop):
    shop.run_on(shop.target, HOST)

    done = trueup("schema", "plan", shop.source, shop.target, "--profile", "supabase", "--json")

    assert (done.code, done.json["up"]) == (ExitCode.PASSED, [])
    assert "schema auth (profile supabase)" in done.json["ignored"]["target"]


def test_unknown_profile_says_which_there_are(trueup, shop):
    done = trueup("schema", "diff", shop.source, shop.target, "--profile", "azure")

    assert done.code == ExitCode.USAGE
    assert "known: none, supabase" in done.err


# -- contracts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A row as the code believes it is."""

    id: int
    telephone: str


@pytest.fixture
def declared(monkeypatch, tmp_path):
    """Declare contracts for the tables of these names."""
    module = ModuleType("shop_contracts")
    monkeypatch.setitem(sys.modules, "shop_contracts", module)
    (tmp_path / "trueup.toml").write_text('contracts = ["shop_contracts:TABLES"]\n')

    def declare(*names):
        module.TABLES = [Table(name, Client, primary_key=("id",)) for name in names]

    return declare


def test_code_and_database_are_in_the_same_report(trueup, shop, declared):
    declared("public.client")

    done = trueup("schema", "diff", shop.source, shop.target, "--json")

    assert (done.code, done.json["differences"]) == (ExitCode.FAILED, [])
    assert [(each["check"], each["verdict"]) for each in done.json["checks"]] == [
        ("schema", "passed"), ("contracts", "failed")
    ]  # fmt: skip
    assert ("contracts", "public.client.telephone") in {
        (each["check"], each["object"]) for each in done.json["findings"]
    }


def test_contracts_that_nothing_can_be_held_against_are_told(trueup, shop, declared):
    declared("public.client")
    night = saved(trueup, shop.target, "night.json")
    kept = trueup("schema", "diff", shop.source, night, "--json")
    declared("shop.orders")
    foreign = trueup("schema", "diff", shop.source, shop.target)

    assert kept.code == foreign.code == ExitCode.PASSED
    assert (
        "Contracts: not looked at, a file keeps the target's structure: name the database itself."
        in (kept.json["notes"])
    )
    assert "Contracts: not looked at, the target has none of their tables." in foreign.out


# -- what is no difference ---------------------------------------------------------------------------------------------


def test_other_order_of_columns_is_said_and_fails_nothing(trueup, databases):
    databases.run_on(databases.source, "create table t (a int, b text)")
    databases.run_on(databases.target, "create table t (b text, a int)")

    done = trueup("schema", "diff", databases.source, databases.target, "--json")
    plan = trueup("schema", "plan", databases.source, databases.target)

    assert (done.code, done.json["reordered"]) == (ExitCode.PASSED, ["public.t"])
    assert "Columns stand in another order in public.t" in done.json["notes"][0]
    assert "-- Columns stand in another order in public.t" in plan.out
