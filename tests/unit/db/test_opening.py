"""What the runtime adds to a connection string, and to whom it answers."""

import os
from pathlib import Path

import pytest

from trueup.conninfo import ConnInfo
from trueup.db.parameters import parameters
from trueup.db.refusals import refusal
from trueup.errors import ConnectionFailed, TooManyConnections
from trueup.settings import DatabaseSettings


@pytest.fixture(autouse=True)
def no_choice_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGSSLMODE", "PGSSLROOTCERT"):
        monkeypatch.delenv(name, raising=False)


def found(text: str, **settings: object) -> dict[str, str]:
    return dict(parameters(DatabaseSettings(conninfo=ConnInfo.parse(text), **settings)).parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "remote"),
    [
        ("host=db.example dbname=d", True),
        ("host=10.0.0.7", True),
        ("host=localhost", False),
        ("host=127.0.0.1", False),
        ("host=127.8.8.8", False),
        ("host=::1", False),
        ("host=/run/postgresql", False),
        ("host=@abstract", False),
        ("host=db.example hostaddr=127.0.0.1", False),
        ("host=localhost,db.example", True),
        ("host=localhost.example", True),
        ("dbname=d", False),
        ("service=unknown", True),
    ],
)
def test_tls_is_verified_in_full_off_loopback(text: str, remote: bool) -> None:
    assert found(text).get("sslmode") == ("verify-full" if remote else None)


@pytest.mark.parametrize(
    ("text", "variables", "mode"),
    [
        ("service=far", {}, "verify-full"),
        ("service=near", {}, None),
        ("service=chosen", {}, None),
        ("service=chosen sslmode=verify-ca", {}, "verify-ca"),
        ("service=far host=localhost", {}, None),
        ("service=near host=db.example", {}, "verify-full"),
        ("dbname=d", {"PGSERVICE": "far"}, "verify-full"),
        ("dbname=d", {"PGSERVICE": "chosen"}, None),
        ("dbname=d", {"PGHOST": "db.example"}, "verify-full"),
        ("dbname=d", {"PGHOSTADDR": "10.0.0.7"}, "verify-full"),
        ("dbname=d", {"PGHOST": "/run/postgresql"}, None),
        ("dbname=d", {"PGHOST": "db.example", "PGSSLMODE": "require"}, None),
        ("host=db.example", {"PGSSLMODE": "require"}, None),
        ("service=far", {"PGSSLMODE": "require"}, None),
        ("host=localhost", {"PGHOST": "db.example"}, None),
    ],
)
def test_tls_is_verified_wherever_the_host_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, variables: dict[str, str], mode: str | None
) -> None:
    """What the string, its service or PGSSLMODE choose is left to libpq, in its own order."""
    file = tmp_path / "services.conf"
    file.write_text("[far]\nhost=db.example\n[near]\nhost=127.0.0.1\n[chosen]\nhost=db.example\nsslmode=require\n")
    for name, value in ({"PGSERVICEFILE": str(file)} | variables).items():
        monkeypatch.setenv(name, value)

    assert found(text).get("sslmode") == mode


def test_tls_is_what_the_connection_string_says_if_it_says_so() -> None:
    assert found("host=db.example sslmode=require")["sslmode"] == "require"


def test_timeouts_travel_with_the_login_before_what_the_user_sets() -> None:
    options = found("host=localhost options='-c work_mem=1MB'", statement_timeout_s=1.5)["options"]

    assert options == (
        "-c statement_timeout=1500 -c lock_timeout=30000 -c idle_in_transaction_session_timeout=60000 -c work_mem=1MB"
    )


def test_pooler_gets_no_session_settings() -> None:
    assert "options" not in found("host=localhost", pooler=True)


def test_connection_says_which_process_of_which_service_it_serves() -> None:
    assert found("host=localhost", service="api")["application_name"] == f"api:{os.getpid()}"


def test_dead_peer_is_noticed_whether_it_owes_an_answer_or_an_acknowledgement() -> None:
    whole = found("host=localhost", network_timeout_s=20)

    after_s = int(whole["keepalives_idle"]) + int(whole["keepalives_interval"]) * int(whole["keepalives_count"])
    assert (after_s, whole["tcp_user_timeout"]) == (20, "20000")


@pytest.mark.parametrize(
    ("reason", "final"),
    [
        ('FATAL:  password authentication failed for user "u"', True),
        ('FATAL:  database "d" does not exist', True),
        ("server certificate for x does not match host name y: certificate verify failed", True),
        ("FATAL:  no such user: u", True),
        ("FATAL:  no such database: d", True),
        ('root certificate file "/x.pem" does not exist', True),
        ("server does not support SSL, but SSL was required", True),
        ("SSL SYSCALL error: EOF detected", False),
        ("SSL connection has been closed unexpectedly", False),
        ("connection refused", False),
        ("FATAL:  the database system is starting up", False),
        ("FATAL:  sorry, too many clients already", False),
        ('connection to server on socket "/run/.s.PGSQL.5432" failed: No such file or directory', False),
    ],
)
def test_login_is_tried_again_only_if_that_may_help(reason: str, final: bool) -> None:
    assert refusal(ConnInfo.parse("host=localhost"), reason).is_final is final


@pytest.mark.parametrize(
    ("sqlstate", "final", "advice"),
    [
        ("28P01", True, "the password"),
        ("28000", True, "does not let this user in"),
        ("42501", True, "does not let this user in"),
        ("3D000", True, "the name of the database"),
        ("53300", False, "trueup budget"),
        ("57P03", False, "not ready"),
        ("XX000", False, "the connection string"),
    ],
)
def test_refusal_in_another_language_is_known_by_its_sqlstate(sqlstate: str, final: bool, advice: str) -> None:
    found = refusal(ConnInfo.parse("host=localhost"), "ВАЖНО:  никак", sqlstate)

    assert (found.is_final, found.sqlstate) == (final, sqlstate)
    assert advice in str(found)
    assert isinstance(found, TooManyConnections) == (sqlstate == "53300")


def test_what_a_server_says_of_a_value_is_not_about_the_address() -> None:
    said = 'connection failed: FATAL:  invalid sslmode value: "x"'

    assert type(refusal(ConnInfo.parse("host=127.0.0.1"), said)) is ConnectionFailed
