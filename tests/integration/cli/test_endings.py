"""Every way in which two databases can't be compared ends with a message that helps, and its documented exit code."""

import os

import psycopg
import pytest

from trueup.cli.exits import ExitCode
from trueup.conninfo import ConnInfo
from trueup.servers import EmbeddedServer

SHOP = "create table shop (id int primary key, name text); insert into shop values (1, 'Anna'), (2, null)"
COMMANDS = (
    ("verify", "--source", "{}", "--target", "{}"),
    ("schema", "diff", "{}", "{}"),
    ("data", "diff", "{}", "{}"),
)


def words(command, source, target):
    sides = iter((source, target))
    return [next(sides) if word == "{}" else word for word in command]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_equal_databases_pass(trueup, databases, command):
    databases.run(SHOP)

    done = trueup(*words(command, databases.source, databases.target), "--json")

    assert done.code == ExitCode.PASSED
    assert done.json["verdict"] == "passed"
    assert done.json["schema_version"] == 1


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_two_empty_databases_are_inconclusive(trueup, databases, command):
    """5.4: two sides that hold nothing did not agree."""
    done = trueup(*words(command, databases.source, databases.target), "--json")

    assert done.code == ExitCode.UNVERIFIED
    assert done.json["verdict"] == "inconclusive"
    assert "neither" in done.out or "no table has a row" in done.out


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_one_database_on_both_sides_is_refused(trueup, databases, command):
    """5.4: a comparison of a thing with itself proves nothing."""
    databases.run(SHOP)

    done = trueup(*words(command, databases.source, databases.source), "--json")

    assert done.code == ExitCode.REFUSED
    assert done.json["verdict"] == "refused"
    assert "same database" in done.out


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_table_on_one_side_only_is_a_difference(trueup, databases, command):
    databases.run(SHOP)
    databases.run_on(databases.source, "create table lost (id int primary key); insert into lost values (1)")

    done = trueup(*words(command, databases.source, databases.target))

    assert done.code == ExitCode.FAILED
    assert "public.lost" in done.out
    assert "source only" in done.out


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_closed_port_names_the_address_and_what_to_check(trueup, databases, command):
    done = trueup(*words(command, databases.source, "postgresql://ann:hunter2@127.0.0.1:1/salon"))

    assert done.code == ExitCode.UNVERIFIED
    assert "postgresql://ann@127.0.0.1:1/salon" in done.out + done.err
    assert "check the host and the port" in done.out + done.err
    assert "hunter2" not in done.out + done.err


def test_unknown_host_says_so(trueup, databases):
    done = trueup("schema", "diff", databases.source, "host=nowhere.invalid dbname=salon")

    assert done.code == ExitCode.UNVERIFIED
    assert "check the name of the host" in done.err


def test_missing_database_says_so(trueup, databases):
    done = trueup("schema", "diff", databases.source, databases.target.with_parameters(dbname="nosuch"))

    assert done.code == ExitCode.UNVERIFIED
    assert 'database "nosuch" does not exist' in done.err
    assert "check the name of the database" in done.err


def test_wrong_password_is_named_and_not_shown(trueup, databases, cache_folder):
    with EmbeddedServer(18, cache_folder=cache_folder, tcp=True) as server:
        admin = server.conninfo()
        with psycopg.connect(admin.reveal(), autocommit=True) as connection:
            connection.execute("create role ann login password 'right'")
            (server.data_folder / "pg_hba.conf").write_text("local all all trust\nhost all ann all scram-sha-256\n")
            connection.execute("select pg_reload_conf()")
        host = {"host": "127.0.0.1", "port": admin.parameters["port"], "user": "ann", "dbname": "postgres"}
        wrong = "".join(f"{key}={value} " for key, value in host.items()) + "password=hunter2"

        done = trueup("data", "diff", databases.source, wrong, "--json")

    assert done.code == ExitCode.UNVERIFIED
    assert "password authentication failed" in done.out
    assert "check the user and the password" in done.out
    assert "hunter2" not in done.out + done.err


@pytest.fixture
def reader(databases) -> ConnInfo:
    """A role on the target that may read `shop` alone."""
    databases.run(f"{SHOP}; create table safe (id int primary key); insert into safe values (7)")
    role = f"reader_{os.getpid()}"
    databases.run_on(databases.target, f"create role {role} login; grant select on shop to {role}")
    yield databases.target.with_parameters(user=role)
    databases.run_on(databases.target, f"drop owned by {role}; drop role {role}")


def test_table_without_privilege_is_inconclusive_and_hides_no_other_difference(trueup, databases, reader):
    databases.run_on(databases.target, "update shop set name = '' where id = 2")

    done = trueup("data", "diff", databases.source, reader, "--json")

    tables = {one["table"]: one for one in done.json["tables"]}
    assert tables["public.safe"]["verdict"] == "inconclusive"
    assert "permission denied" in tables["public.safe"]["reason"]
    assert tables["public.shop"]["changed"] == [{"key": ["2"], "columns": ["name"], "representation": False}]
    assert done.code == ExitCode.FAILED


def test_table_without_privilege_is_never_green(trueup, databases, reader):
    done = trueup("verify", "--source", databases.source, "--target", reader)

    assert done.code == ExitCode.UNVERIFIED
    assert "permission denied" in done.out
    assert "grant SELECT" in done.out


def test_rows_hidden_by_row_security_are_never_green(trueup, databases, reader):
    role = reader.parameters["user"]
    databases.run_on(databases.target, f"grant select on safe to {role}; alter table shop enable row level security")
    databases.run_on(databases.source, "alter table shop enable row level security")

    done = trueup("verify", "--source", databases.source, "--target", reader, "--json")

    assert done.code == ExitCode.UNVERIFIED
    found = {one["check"]: one for one in done.json["findings"] if one["verdict"] == "inconclusive"}
    assert found["data"]["object"] == found["security"]["object"] == "public.shop"
    assert "row-level security" in found["data"]["message"]
    assert "BYPASSRLS" in found["data"]["message"]
    assert "row security hides rows of the target" in found["security"]["message"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("verify", "--source", "x.sql"), "name the target by --target"),
        (("verify", "--source", "x.sql", "--target", "y.sql", "--sample", "drifted"), "name none"),
        (("verify", "--check", "colour"), "there is no check named colour"),
        (("verify", "--profile", "weekly"), "no profile is named weekly"),
        (("verify", "--check", "data", "--skip", "data"), "no check is left"),
        (("verify", "--report", "taken/reports"), "cannot write to taken/reports"),
        (("schema", "diff", "nosuch.sql", "nosuch.sql"), "nosuch.sql"),
        (("schema", "diff", "", ""), "name of a database is empty"),
        (("schema", "diff", "env:NOSUCH_VARIABLE", "x"), "NOSUCH_VARIABLE"),
        (("schema", "diff", "embedded", "embedded"), "declare it"),
        (("data", "diff", "postgresql://ann:hunter2@[/x", "y"), "not a PostgreSQL connection string"),
        (("data", "diff", "--max-rows", "-1", "x", "y"), "--max-rows"),
        (("colour",), "No such command 'colour'"),
        (("schema", "diff", "x"), "Missing argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_usage_says_which_word_and_what_to_do(trueup, tmp_path, command, said):
    (tmp_path / "taken").touch()

    done = trueup(*command)

    assert done.code == ExitCode.USAGE
    assert said in done.err
    assert "hunter2" not in done.err


def test_unknown_table_is_an_error_of_usage(trueup, databases):
    databases.run(SHOP)

    done = trueup("data", "diff", databases.source, databases.target, "--table", "public.nosuch")

    assert done.code == ExitCode.USAGE
    assert "public.nosuch" in done.err


@pytest.mark.parametrize("address", ["service=nobody_s", "host=127.0.0.1 port=99999999", "host=127.0.0.1 sslmode=sure"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_address_that_nobody_can_use_is_an_error_of_usage(trueup, databases, monkeypatch, tmp_path, command, address):
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "none.conf"))

    done = trueup(*words(command, databases.source, address), "--json")

    assert done.code == ExitCode.USAGE
    assert done.err.startswith("error: cannot connect to ")
    assert "check the name of the service" in done.err or "correct the connection string" in done.err
    assert not done.out


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_empty_name_is_an_error_of_usage(trueup, databases, command):
    """A variable that isn't set must not turn a run into one of the sample, which passes."""
    for sides in ((databases.source, ""), ("", databases.target), ("", "")):
        done = trueup(*words(command, *sides))

        assert done.code == ExitCode.USAGE
        assert "the name of a database is empty" in done.err


@pytest.mark.parametrize(
    ("configuration", "options", "said"),
    [
        ('contracts = ["no.such.module:X"]', ["--check", "contracts"], "no.such.module:X: No module named 'no'"),
        ('contracts = ["json:dumps"]', ["--check", "residue"], "json:dumps is not a Table"),
        ('schema = "nothing"', ["--check", "drift"], "cannot read migrations from"),
        ('checks = {own = "json:nothing"}', [], "module 'json' has no attribute 'nothing'"),
        ('host_profile = "other"', [], "no profile is named other"),
        ("", ["--profile", "other"], "no profile is named other"),
        ('profiles.ci = {checks = ["other"]}', ["--profile", "ci"], "there is no check named other"),
        ("", ["--backup", "nothing.dump"], "'nothing.dump' does not exist"),
    ],
)
def test_verify_with_a_bad_configuration_ends_before_it_begins(
    trueup, databases, tmp_path, configuration, options, said
):
    (tmp_path / "trueup.toml").write_text(configuration)

    done = trueup("verify", "--target", databases.target, *options)

    assert done.code == ExitCode.USAGE
    assert said in done.err
    assert not list(tmp_path.rglob("report.json"))


def test_verify_that_cannot_keep_what_it_knows_says_so_before_it_begins(trueup, databases, tmp_path, monkeypatch):
    (tmp_path / "state").write_text("a file")
    monkeypatch.setenv("TRUEUP_STATE_DIR", str(tmp_path / "state"))

    done = trueup("verify", "--target", databases.target, "--profile", "ci")

    assert done.code == ExitCode.USAGE
    assert "name another folder by TRUEUP_STATE_DIR" in done.err


@pytest.mark.usefixtures("may_connect")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_two_databases_that_cannot_be_reached_are_both_told(trueup, command):
    done = trueup(*words(command, "host=127.0.0.1 port=1 dbname=a", "host=127.0.0.1 port=2 dbname=b"))

    assert done.code == ExitCode.UNVERIFIED
    for place in ("127.0.0.1:1/a", "127.0.0.1:2/b"):
        assert f"cannot connect to postgresql://{place}" in done.out + done.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_same_files_on_both_sides_are_refused_unless_built_on_two_versions(trueup, tmp_path, command):
    """5.4: a comparison of a thing with itself proves nothing; that a file builds the same on two versions is news."""
    (tmp_path / "shop.sql").write_text(f"{SHOP};")
    (tmp_path / "other.sql").write_text(f"{SHOP};")

    same = trueup(*words(command, "shop.sql", tmp_path / "shop.sql"))
    copied = trueup(*words(command, "shop.sql", "other.sql"))
    on_two = trueup(*words(command, "shop.sql", "shop.sql"), "--source-version", "16")

    assert same.code == ExitCode.REFUSED
    assert "it equals itself" in same.err
    assert (copied.code, on_two.code) == (ExitCode.PASSED, ExitCode.PASSED)
