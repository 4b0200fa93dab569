"""A night: a profile, a role that may only read, what is remembered, who is told."""

import json
import sys

import pytest

from trueup.cli.exits import ExitCode

SHOP = "create table shop (id int primary key, name text); insert into shop values (1, 'Anna'), (2, null)"
TOLD = "import sys; open('told.jsonl', 'ab').write(sys.stdin.buffer.read() + b'\\n')"
NIGHT = f"""
[profiles.night]
checks = ["identity", "data", "constraints"]
deadlines = {{ data = 30 }}

[alerts]
command = [{json.dumps(sys.executable)}, "-c", {json.dumps(TOLD)}]
"""


@pytest.fixture
def night(trueup, databases, tmp_path, monkeypatch):
    """Run the profile of a configuration from one database to the other."""
    (tmp_path / "trueup.toml").write_text(NIGHT)
    monkeypatch.setenv("TRUEUP_STATE_DIR", str(tmp_path / "state"))
    databases.run(SHOP)

    def run(*words):
        return trueup(
            "verify", "--profile", "night", "--source", databases.source, "--target", databases.target, *words
        )

    return run


def test_nights_tell_what_is_new_and_gone_and_alert_once_an_episode(night, databases, tmp_path):
    passed = night()
    databases.run_on(databases.target, "update shop set name = 'Bella' where id = 1")
    failed, again = night(), night()
    databases.run_on(databases.target, "update shop set name = 'Anna' where id = 1")
    recovered = night("--json")

    assert [one.code for one in (passed, failed, again, recovered)] == [
        *(ExitCode.PASSED, ExitCode.FAILED, ExitCode.FAILED, ExitCode.PASSED),
    ]
    assert "1 new, 0 still there, 0 gone" in failed.out
    assert "0 new, 1 still there, 0 gone" in again.out
    assert [one["object"] for one in recovered.json["changes"]["gone"]] == ["public.shop"]
    told = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    assert [one["event"] for one in told] == ["failed", "recovered"]
    assert "Bella" not in (tmp_path / "told.jsonl").read_text() + (tmp_path / "reports/history.jsonl").read_text()
    assert "4 runs: 2 passed, 2 failed" in (tmp_path / "reports/index.html").read_text()


def test_workflow_of_github_gets_annotations_and_a_summary(night, databases, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    databases.run_on(databases.target, "delete from shop where id = 2")

    done = night()

    assert "::error title=data%3A public.shop::1 row is in the source only" in done.err
    assert (tmp_path / "summary.md").read_text().startswith("## ❌ The two databases are not the same")


def test_check_that_the_profile_names_and_that_has_nothing_to_look_at_is_open(night, tmp_path):
    (tmp_path / "trueup.toml").write_text('[profiles.night]\nchecks = ["data", "contracts"]')

    done = night("--json")

    assert done.code == ExitCode.UNVERIFIED
    assert done.json["findings"][0]["message"].endswith("no table contract is declared in the configuration")


def test_one_database_is_held_against_its_own_promises(trueup, databases):
    databases.run_on(databases.target, SHOP)
    databases.run_on(databases.target, "create table tour (id int)")
    databases.run_on(databases.target, "alter table tour add foreign key (id) references shop not valid")

    done = trueup("verify", "--profile", "nightly", "--target", databases.target)

    assert done.code == ExitCode.FAILED
    assert "public.tour.tour_id_fkey" in done.out
    assert "Structure: not looked at, no source is named." in done.out


def test_report_makes_its_front_page_of_whatever_is_there(trueup, tmp_path):
    done = trueup("report")

    assert done.code == ExitCode.PASSED
    assert "holds no result yet" in (tmp_path / "reports/index.html").read_text()
