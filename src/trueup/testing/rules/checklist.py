"""The built-in tests, as pytest runs them: a rule, what it needs, and what is said when it is broken."""

from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from trueup.db import Connection, Database, connect
from trueup.errors import Unverifiable
from trueup.migrations import read_migrations
from trueup.report.model import Finding
from trueup.settings import Settings
from trueup.tables import Table
from trueup.tables.declared import DECLARE, declared_tables
from trueup.testing.isolation import OPTIONS, told
from trueup.testing.rules.contracts import find_broken_contracts
from trueup.testing.rules.dump import dump_program, dump_structure
from trueup.testing.rules.factories import (
    find_broken_factories,
    find_factories_without_marker,
    find_tables_without_factory,
)
from trueup.testing.rules.keys import find_foreign_keys_without_index, find_tables, find_tables_without_primary_key
from trueup.testing.rules.reversal import find_irreversible_migrations

if TYPE_CHECKING:
    from trueup.testing.data.making import Make
    from trueup.testing.data.registry import Registry
    from trueup.testing.lending.databases import Databases


def every_table_has_a_primary_key(db: Database) -> None:
    """Fails with each table that has none."""
    with db.connection() as connection:
        demand_tables(connection)
        judge(find_tables_without_primary_key(connection))


def every_foreign_key_has_an_index(db: Database) -> None:
    """Fails with each foreign key that no index of its table begins with."""
    with db.connection() as connection:
        demand_tables(connection)
        judge(find_foreign_keys_without_index(connection))


def contracts_match_the_schema(db: Database, pytestconfig: pytest.Config) -> None:
    """Fails with each thing that a table contract says and the schema doesn't."""
    tables = contracts_of(pytestconfig)
    with db.connection() as connection:
        judge(find_broken_contracts(connection, tables))


def migrations_can_be_undone_and_applied_again(trueup_databases: "Databases") -> None:
    """Fails with the first migration whose down leads elsewhere than where its up came from."""
    schema = trueup_databases.schema
    if schema is None:
        pytest.skip(
            "no folder of migrations is named: trueup_schema in pytest's ini file, or schema under [tool.trueup]"
        )
    migrations = read_migrations(schema)
    site = trueup_databases.site
    name = site.next_name()
    database = site.create(name, template="template1")
    try:
        with closing(connect(database)) as connection:
            program = find_program(connection.info.server_version // 10_000)
            judge(find_irreversible_migrations(connection, migrations, partial(dump_structure, database, program)))
    finally:
        site.drop(name)


def factories_make_valid_rows_of_every_table(
    db: Database, make: "Make", trueup_factories: "Registry", pytestconfig: pytest.Config
) -> None:
    """Fails with each factory that can't make two rows, and each table that no factory makes rows of."""
    demand_factories(trueup_factories, pytestconfig)
    with db.connection() as connection:
        unmade = find_tables_without_factory(connection, trueup_factories)
    judge((*unmade, *find_broken_factories(trueup_factories, make.batch)))


def markers_cover_every_factory(trueup_factories: "Registry", pytestconfig: pytest.Config) -> None:
    """Fails with each factory whose rows no clean-up of test data would find."""
    demand_factories(trueup_factories, pytestconfig)
    found = find_factories_without_marker(trueup_factories)
    if len(found) == len(trueup_factories.by_name):
        pytest.skip("no contract declares a marker, so there is no test data on live databases: marker= in a Table")
    judge(found)


CHECKS: tuple[Callable[..., None], ...] = (
    migrations_can_be_undone_and_applied_again,
    contracts_match_the_schema,
    factories_make_valid_rows_of_every_table,
    markers_cover_every_factory,
    every_table_has_a_primary_key,
    every_foreign_key_has_an_index,
)


def contracts_of(config: pytest.Config) -> tuple[Table[Any], ...]:
    """Return the contracts of the project; without one there is nothing to check."""
    places = Settings.load(config.stash[OPTIONS].folder).contracts
    if not places:
        pytest.skip(f"no contract is declared in the configuration; {DECLARE}")
    with told():
        return declared_tables(places)


def demand_factories(registry: "Registry", config: pytest.Config) -> None:
    """Skip where a project has neither a factory nor a contract to make one of."""
    if not registry.by_name:
        contracts_of(config)


def demand_tables(connection: Connection) -> None:
    """Skip where there is nothing to look at."""
    if not find_tables(connection):
        pytest.skip("the database of the tests has no table: name the folder of migrations by trueup_schema")


def find_program(server_version: int) -> Path:
    """Return pg_dump; without it structures can't be compared."""
    try:
        return dump_program(server_version)
    except Unverifiable as error:
        pytest.skip(str(error))


def judge(findings: Iterable[Finding]) -> None:
    """Fail with what was found."""
    if told := "\n\n".join(map(text_of, findings)):
        pytest.fail(told, pytrace=False)


def text_of(finding: Finding) -> str:
    """Return a finding as lines for people: what, why, what to do, and what shows it."""
    lines = (
        f"{finding.object}: {finding.message}",
        *(f"    {line}" for line in finding.details),
        f"  {finding.meaning}",
        f"  To do: {finding.remedy}.",
    )
    return "\n".join(lines)
