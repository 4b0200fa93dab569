"""The limits of the runtime, as the environment gives them."""

from dataclasses import fields

import pytest

from trueup.conninfo import Secret
from trueup.errors import UsageError
from trueup.settings import DatabaseSettings
from trueup.settings.database import LIMITS

HERE = {"POSTGRES_HOST": "localhost"}


def read(**variables: str) -> DatabaseSettings:
    return DatabaseSettings.from_env({**HERE, **variables})


def test_defaults_stand_in_one_place() -> None:
    found = read()

    assert (found.max_connections, found.idle_timeout_s, found.checkout_timeout_s) == (3, 30, 10)
    assert (found.statement_timeout_s, found.lock_timeout_s, found.max_lifetime_s) == (60, 30, 3600)


def test_names_of_the_plan_are_read() -> None:
    """W-P: POSTGRES_IDLE_TIMEOUT and POSTGRES_CONNECTION_TIMEOUT were never read."""
    found = read(
        POSTGRES_PORT="5433",
        POSTGRES_DATABASE="salon",
        POSTGRES_USER="api",
        POSTGRES_PASSWORD="s3cret",
        POSTGRES_SSL="true",
        POSTGRES_MAX_CONNECTIONS="5",
        POSTGRES_IDLE_TIMEOUT="30000",
        POSTGRES_CONNECTION_TIMEOUT="5s",
        DB_POOL_USAGE_THRESHOLD="0.9",
        TRUEUP_SERVICE="api",
    )

    expected = {"host": "localhost", "port": "5433", "dbname": "salon", "user": "api", "sslmode": "verify-full"}
    assert dict(found.conninfo.parameters) == expected
    assert found.conninfo.secrets["password"] == Secret("s3cret")
    assert (found.max_connections, found.idle_timeout_s, found.checkout_timeout_s) == (5, 30, 5)
    assert (found.usage_warning, found.service) == (0.9, "api")
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("text", "seconds"), [("250", 0.25), ("250ms", 0.25), ("1.5s", 1.5), ("10 min", 600), ("1h", 3600)]
)
def test_time_has_a_unit_or_is_in_milliseconds(text: str, seconds: float) -> None:
    assert read(POSTGRES_STATEMENT_TIMEOUT=text).statement_timeout_s == seconds


def test_every_setting_has_a_variable() -> None:
    read_elsewhere = {"conninfo", "service"}

    assert {name for name, _ in LIMITS.values()} == {field.name for field in fields(DatabaseSettings)} - read_elsewhere


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("POSTGRES_MAX_CONNECTIONS", "0"),
        ("POSTGRES_MAX_CONNECTIONS", "-1"),
        ("POSTGRES_MAX_CONNECTIONS", "3.5"),
        ("POSTGRES_MAX_CONNECTIONS", "many"),
        ("POSTGRES_IDLE_TIMEOUT", "0"),
        ("POSTGRES_IDLE_TIMEOUT", "30 parsecs"),
        ("DB_POOL_USAGE_THRESHOLD", "80"),
        ("POSTGRES_SSL", "maybe"),
    ],
)
def test_value_that_makes_no_sense_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=name):
        read(**{name: text})


def test_no_database_is_assumed() -> None:
    """W-P: there was a fallback to a private address in the code."""
    with pytest.raises(UsageError, match="TRUEUP_DATABASE"):
        DatabaseSettings.from_env({})


def test_connection_string_is_used_whole() -> None:
    found = read(TRUEUP_DATABASE="postgresql://me@127.0.0.1:7/x")

    assert found.conninfo.parameters["port"] == "7"


@pytest.mark.parametrize(
    ("variables", "mode"),
    [
        ({}, "require"),
        ({"TRUEUP_DATABASE": "host=db.example"}, "require"),
        ({"TRUEUP_DATABASE": "host=db.example sslmode=verify-ca"}, "verify-ca"),
        ({"TRUEUP_DATABASE": "service=salon"}, None),
        ({"TRUEUP_DATABASE": "dbname=d", "PGSERVICE": "salon"}, None),
        ({"POSTGRES_SSL": "true"}, "verify-full"),
    ],
)
def test_choice_of_tls_by_libpq_variable_is_respected(variables: dict[str, str], mode: str | None) -> None:
    """It ranks below the string and its service, as in libpq."""
    assert read(PGSSLMODE="require", **variables).conninfo.parameters.get("sslmode") == mode


def test_password_is_taken_as_it_is() -> None:
    assert read(POSTGRES_PASSWORD=" p w ").conninfo.secrets["password"].reveal() == " p w "
