"""The script for people and cron: what it takes, prints, and returns."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ai_admin.sessions.command import main

SCRIPT = Path(__file__).parents[3] / "scripts" / "cleanup_whatsapp_keys.py"


@pytest.fixture
def run(database, monkeypatch, capsys):
    """Return what runs the command on the test's database: exit code, stdout, stderr."""
    monkeypatch.setenv("TRUEUP_DATABASE", database.reveal())

    def call(*arguments):
        code = main(list(arguments))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture
def fill(observer):
    """Return what inserts keys that have expired."""

    def insert(company, kind, count):
        observer.execute(
            "insert into whatsapp_keys (company_id, key_type, key_id, value, expires_at)"
            " select %s, %s, n, '1', now() - interval '1 minute' from generate_series(1, %s) n",
            [str(company), kind, count],
        )

    return insert


@pytest.fixture
def left(observer):
    """Return what counts the keys by company and type."""

    def read():
        rows = observer.execute("select company_id, key_type, count(*) from whatsapp_keys group by 1, 2").fetchall()
        return {(company, kind): count for company, kind, count in rows}

    return read


def test_dry_run_prints_what_the_run_then_deletes(run, fill, left):
    fill(7, "device-list", 3)
    fill(8, "tctoken", 2)

    code, out, err = run("--all", "--dry-run")

    assert (code, err) == (0, "")
    *rows, last = out.splitlines()
    assert [row.split() for row in rows] == [["7", "device-list", "3"], ["8", "tctoken", "2"]]
    instant = re.fullmatch(r"Would delete 5 expired keys, as of (\S+)", last)[1]
    assert sum(left().values()) == 5

    code, out, err = run("--all", "--as-of", instant)

    assert (code, err) == (0, "")
    assert re.fullmatch(r"Deleted 5 expired keys in \d+ ms", out.splitlines()[-1])
    assert out.splitlines()[:-1] == rows
    assert left() == {}


def test_one_company_is_cleaned_up_alone(run, fill, left):
    """W-A10: the option was silently ignored, and everything was deleted."""
    fill(7, "device-list", 3)
    fill(8, "device-list", 2)

    assert run("--company-id", "company_7")[0] == 0

    assert left() == {("8", "device-list"): 2}


def test_json_is_one_object_that_says_the_same(run, fill):
    fill(7, "device-list", 3)

    code, out, _ = run("--all", "--json", "--dry-run")
    told = json.loads(out)

    assert code == 0
    assert told.pop("seconds") >= 0
    assert told.pop("as_of").endswith(("Z", "+00:00"))
    assert told == {
        "schema_version": 1,
        "dry_run": True,
        "types": ["lid-mapping", "lid-mapping-reverse", "device-list", "tctoken", "sender-key-memory"],
        "losses": {},
        "expired_keys": 3,
        "deleted_keys": 0,
        "keys": [{"company_id": "7", "type": "device-list", "keys": 3}],
    }
    assert json.loads(run("--all", "--json")[1])["deleted_keys"] == 3


def test_costly_types_are_deleted_when_named_and_their_price_is_told(run, fill, left):
    fill(7, "session", 3)
    fill(7, "device-list", 1)

    code, out, err = run("--all", "--types", "session, pre-key")

    assert code == 0
    assert err.splitlines() == [
        "session: messages of these contacts can't be read until both sides have built a new session",
        "pre-key: a first message that was encrypted with one of them can never be read",
    ]
    assert left() == {("7", "device-list"): 1}
    assert "Deleted 3 expired keys" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "give either --company-id ID or --all"),
        (("--all", "--company-id", "7"), "give either --company-id ID or --all"),
        (("--all", "--older-than", "30"), "No such option"),
        (("--all", "--verbose"), "No such option"),
        (("--all", "7"), "unexpected extra argument"),
        (("--company-id", "7; drop"), "a company's id is an int, or"),
        (("--all", "--types", "sesion"), "'sesion' is no type of key"),
        (("--all", "--types", ","), "no type of key is named"),
        (("--all", "--types", "app-state-sync-key"), "app-state-sync-key never expires"),
        (("--all", "--types", "identity-key"), "identity-key never expires"),
        (("--all", "--max-delete", "-1"), "is not in the range"),
        (("--all", "--max-delete", "many"), "is not a valid integer"),
        (("--all", "--as-of", "yesterday"), "with its offset"),
        (("--all", "--as-of", "2030-01-07T10:00:00"), "with its offset"),
        (("--al",), "--al"),
    ],
    ids=" ".join,
)
def test_what_is_not_understood_deletes_nothing(run, fill, left, arguments, told):
    fill(7, "device-list", 3)
    fill(7, "app-state-sync-key", 1)

    code, out, err = run(*arguments)

    assert (code, out) == (2, "")
    assert told in err
    assert sum(left().values()) == 4


def test_more_than_the_maximum_is_refused(run, fill, left):
    fill(7, "device-list", 3)

    code, out, err = run("--all", "--max-delete", "2")

    assert (code, out, err) == (4, "", "error: 3 keys have expired, which is more than 2: nothing was deleted\n")
    assert sum(left().values()) == 3


def test_missing_table_is_told_and_fails(run, observer):
    observer.execute("drop table whatsapp_keys")

    code, out, err = run("--all")

    assert (code, out) == (3, "")
    assert 'relation "whatsapp_keys" does not exist' in err


def test_batches_that_were_deleted_before_a_failure_are_told(run, fill, observer, left):
    fill(7, "device-list", 1500)
    observer.execute(
        b"create function refuse() returns trigger language plpgsql as"
        b" $$ begin raise exception 'no' using errcode = 'check_violation'; end $$;"
        b"create trigger refuse before delete on whatsapp_keys for each row when (old.key_id = '999')"
        b" execute function refuse()"
    )

    code, _, err = run("--all")

    assert code == 3
    assert err.splitlines()[-1] == "1000 keys were deleted before this happened"
    assert left() == {("7", "device-list"): 500}


def test_help_says_what_the_costly_types_cost(run):
    code, out, _ = run("--help")

    assert code == 0
    assert "a first message that was encrypted with one of them can never be read" in out


def test_script_is_the_command(database, fill):
    fill(7, "device-list", 3)

    done = subprocess.run(
        [sys.executable, SCRIPT, "--all"],
        env={"TRUEUP_DATABASE": database.reveal(), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "Deleted 3 expired keys" in done.stdout


def test_no_database_is_told(monkeypatch, capsys):
    for name in ("TRUEUP_DATABASE", "POSTGRES_HOST", "POSTGRES_DATABASE", "PGHOST", "PGDATABASE", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)

    assert main(["--all"]) == 2
    assert "no database is named" in capsys.readouterr().err
