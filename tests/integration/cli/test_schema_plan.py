"""`trueup schema plan`: SQL that psql runs as it stands, its way back, and whether both were seen to work."""

import subprocess

import pytest

from trueup.cli.exits import ExitCode
from trueup.servers import EmbeddedServer

SOURCE = """
create type mood as enum ('happy', 'so so', 'sad');
create table client (
  id bigint generated always as identity primary key,
  phone text not null unique,
  note text not null default 'it''s (new)',
  mood mood default 'happy'
);
create view phones as select id, phone from client;
comment on view phones is 'all phones';
"""
TARGET = """
create type mood as enum ('happy', 'sad');
create table client (id integer generated always as identity primary key, phone varchar(20) not null, mood mood);
create view phones as select id, phone from client;
"""
LOSSY = ("create table client (id int)", "create table client (id int, phone text)")


def run_script(server: EmbeddedServer, conninfo, text: str) -> None:
    psql = server.installation.program("psql")
    subprocess.run([psql, "-X", "-q", "-d", conninfo.reveal()], input=text, text=True, check=True)


def uncommented(text: str) -> str:
    """Return the way back as SQL."""
    _, _, below = text.partition("The way back")
    return "\n".join(line.removeprefix("-- ") for line in below.splitlines()[2:])


def test_printed_plan_runs_in_psql_and_leads_there_and_back(trueup, databases, server18):
    databases.run_on(databases.source, SOURCE)
    databases.run_on(databases.target, TARGET + "insert into client (phone) values ('one'), ('two')")
    before = trueup("schema", "diff", databases.source, databases.target, "--json").json["differences"]

    done = trueup("schema", "plan", databases.source, databases.target, "--allow-loss")
    run_script(server18, databases.target, done.out)
    there = trueup("schema", "diff", databases.source, databases.target)
    run_script(server18, databases.target, "\\set ON_ERROR_STOP on\n" + uncommented(done.out))
    back = trueup("schema", "diff", databases.source, databases.target, "--json").json["differences"]

    assert done.code == ExitCode.PASSED, done.out
    assert "Proved on PostgreSQL 18" in done.out
    assert there.code == ExitCode.PASSED
    assert back == before


def test_json_says_what_each_statement_does_and_that_it_is_proved(trueup, databases):
    databases.run_on(databases.source, LOSSY[0])
    databases.run_on(databases.target, LOSSY[1])

    done = trueup("schema", "plan", databases.source, databases.target, "--json")

    assert done.code == ExitCode.PASSED
    assert (done.json["verdict"], done.json["proved"], done.json["unreached"]) == ("passed", True, [])
    assert done.json["up"] == [
        {"sql": "alter table public.client drop column phone", "hazards": ["loses data"], "withheld": True}
    ]
    assert done.json["down"] == [
        {"sql": "alter table public.client add column phone text", "hazards": [], "withheld": False}
    ]


@pytest.mark.parametrize(("options", "line"), [((), "-- alter table"), (("--allow-loss",), "alter table")])
def test_statement_that_loses_data_is_a_comment_unless_that_is_allowed(trueup, databases, options, line):
    databases.run_on(databases.source, LOSSY[0])
    databases.run_on(databases.target, LOSSY[1])

    done = trueup("schema", "plan", databases.source, databases.target, *options)

    assert f"\n{line} public.client drop column phone;\n" in done.out


def test_table_that_the_proof_tried_without_rows_is_named(trueup, databases):
    databases.run_on(databases.source, "create table client (id int not null check (id > 1000000))")
    databases.run_on(databases.target, "create table client (id int)")

    done = trueup("schema", "plan", databases.source, databases.target)
    as_json = trueup("schema", "plan", databases.source, databases.target, "--json")

    said = "no rows were tried in public.client: made-up ones are refused there"
    assert as_json.json["remarks"] == [said]
    assert f"-- Yet {said}." in done.out


def test_plan_that_was_not_run_is_not_called_proved(trueup, databases):
    databases.run_on(databases.source, LOSSY[0])
    databases.run_on(databases.target, LOSSY[1])

    done = trueup("schema", "plan", databases.source, databases.target, "--no-prove")
    as_json = trueup("schema", "plan", databases.source, databases.target, "--no-prove", "--json")

    assert done.code == as_json.code == ExitCode.UNVERIFIED
    assert "-- NOT PROVED: it was not run on a scratch server" in done.out
    assert (as_json.json["verdict"], as_json.json["proved"]) == ("inconclusive", False)


def test_nothing_differs_and_nothing_is_to_be_done(trueup, databases):
    databases.run(LOSSY[0])

    done = trueup("schema", "plan", databases.source, databases.target)

    assert done.code == ExitCode.PASSED
    assert "no difference was found" in done.out
    assert all(line.startswith("--") for line in done.out.splitlines())


def test_two_empty_databases_prove_nothing(trueup, databases):
    done = trueup("schema", "plan", databases.source, databases.target)

    assert done.code == ExitCode.UNVERIFIED


def test_plan_for_an_older_server_is_proved_on_one_of_its_version(trueup, databases):
    databases.run_on(databases.target, LOSSY[0])
    databases.run_on(databases.source, LOSSY[1])

    done = trueup("schema", "plan", databases.target, databases.source, "--allow-loss")

    assert done.code == ExitCode.PASSED
    assert "Proved on PostgreSQL 16" in done.out
