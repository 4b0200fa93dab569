"""The line that opens a database."""

import shlex
from types import MappingProxyType

import pytest
from psycopg.conninfo import conninfo_to_dict

from trueup.conninfo import ConnInfo
from trueup.testing.failures.psql import psql_line, told_database

PLAIN = {"host": "127.0.0.1", "port": "5432", "user": "ann", "dbname": "crm"}


@pytest.mark.parametrize(
    "parameters",
    [
        PLAIN,
        {**PLAIN, "dbname": "o'dd \\ name"},
        {**PLAIN, "host": "/a folder"},
        {"service": "tests"},
        {**PLAIN, "dbname": "ñ$x`"},
    ],
)
def test_line_is_understood_by_shell_and_libpq(parameters: dict[str, str]) -> None:
    program, argument = shlex.split(psql_line(ConnInfo(MappingProxyType(parameters))))

    assert program == "psql"
    assert conninfo_to_dict(argument) == parameters


def test_password_and_what_only_the_driver_needs_are_left_out() -> None:
    conninfo = ConnInfo.parse("host=db user=ann password=s3cret dbname=crm client_encoding=UTF8 application_name=x")

    assert told_database(conninfo) == "postgresql://ann@db/crm\npsql 'host=db user=ann dbname=crm'"
