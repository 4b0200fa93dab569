from pathlib import Path

from pytest_postgresql import factories
from work import insert_three

server = factories.postgresql_noproc(load=[Path("schema.sql")])
postgresql = factories.postgresql("server")


def test_pytest_postgresql(postgresql, number):
    insert_three(postgresql)
