"""The mark on real servers."""

import psycopg
import pytest
from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.errors import Refused
from trueup.servers import EmbeddedServer
from trueup.testing.identity import (
    OWNER,
    check_owned,
    mark_database,
    mark_server,
    read_identity,
    read_place,
    server_mark,
)


@pytest.fixture
def admin(server: EmbeddedServer):
    with psycopg.connect(server.conninfo().reveal(), autocommit=True) as connection:
        if not connection.execute("select 1 from pg_roles where rolname = %s", (OWNER,)).fetchone():
            connection.execute(sql.SQL("create role {}").format(sql.Identifier(OWNER)))
        connection.execute(sql.SQL("comment on role {} is null").format(sql.Identifier(OWNER)))
        yield connection
        connection.execute(sql.SQL("comment on role {} is null").format(sql.Identifier(OWNER)))


@pytest.fixture
def name(database: ConnInfo) -> str:
    return database.parameters["dbname"]


@pytest.fixture
def owned(admin: psycopg.Connection, database: ConnInfo, name: str) -> ConnInfo:
    admin.execute(sql.SQL("alter database {} owner to {}").format(sql.Identifier(name), sql.Identifier(OWNER)))
    mark_database(admin, name)
    return database


def test_database_with_the_mark_is_owned(owned: ConnInfo, admin: psycopg.Connection, name: str) -> None:
    with psycopg.connect(owned.reveal()) as connection:
        found = check_owned(connection)

        assert found.database == name
        assert found == check_owned(admin, name)
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_database_without_the_mark_is_refused(admin: psycopg.Connection, database: ConnInfo, name: str) -> None:
    with psycopg.connect(database.reveal()) as connection, pytest.raises(Refused, match=f'own the database "{name}"'):
        check_owned(connection)


def test_every_database_of_a_marked_server_is_owned(admin: psycopg.Connection, database: ConnInfo) -> None:
    mark_server(admin)
    mark_server(admin)

    with psycopg.connect(database.reveal()) as connection:
        assert check_owned(connection).owner == "postgres"


@pytest.mark.parametrize("missing", ["nosuch", "", "Robert'); drop database postgres; --"])
def test_missing_database_is_refused(admin: psycopg.Connection, missing: str) -> None:
    with pytest.raises(Refused, match="there is no database"):
        check_owned(admin, missing)


def test_name_that_needs_quotes_is_found(server: EmbeddedServer, admin: psycopg.Connection) -> None:
    odd = 'o\'dd "ñame"\\'
    server.create_database(odd)
    admin.execute(sql.SQL("alter database {} owner to {}").format(sql.Identifier(odd), sql.Identifier(OWNER)))
    mark_database(admin, odd)

    assert check_owned(admin, odd).database == odd
    server.drop_database(odd)


def test_mark_is_not_copied_with_the_database(
    server: EmbeddedServer, admin: psycopg.Connection, owned: ConnInfo, name: str
) -> None:
    admin.execute(sql.SQL("create database copied template {} owner trueup_tests").format(sql.Identifier(name)))

    with pytest.raises(Refused, match="its comment is not the mark"):
        check_owned(admin, "copied")
    server.drop_database("copied")


def test_mark_that_was_restored_elsewhere_is_refused(
    server: EmbeddedServer, admin: psycopg.Connection, owned: ConnInfo, name: str
) -> None:
    """W-T3: `pg_dump --create` carries owner and comment along."""
    comment = read_identity(admin.pgconn, name).database_comment
    admin.execute("create database restored owner trueup_tests")
    admin.execute(sql.SQL("comment on database restored is {}").format(sql.Literal(comment)))

    with pytest.raises(Refused, match="made for another database or on another server"):
        check_owned(admin, "restored")
    server.drop_database("restored")


def test_search_path_cannot_forge_the_mark(admin: psycopg.Connection, database: ConnInfo, name: str) -> None:
    system = read_identity(admin.pgconn).system_identifier
    with connect(database) as setup:
        setup.execute("create schema forged")
        setup.execute(
            sql.SQL(
                "create function forged.pg_get_userbyid(oid) returns name language sql"
                " as $$select 'trueup_tests'::name$$;"
                " create table forged.pg_shdescription as"
                " select 1260::oid classoid, oid objoid, {}::text description from pg_roles;"
                " create table forged.pg_database as select * from pg_catalog.pg_database;"
                " create table forged.pg_roles as select * from pg_catalog.pg_roles"
            ).format(sql.Literal(server_mark(system)))
        )
    misled = database.with_parameters(options="-c search_path=forged,pg_catalog")

    with psycopg.connect(misled.reveal()) as connection, pytest.raises(Refused):
        check_owned(connection)


def test_server_that_does_not_answer_the_question_is_refused(owned: ConnInfo) -> None:
    with psycopg.connect(owned.reveal()) as connection:
        connection.execute("select 1")
        with pytest.raises(psycopg.Error):
            connection.execute("select 1/0")

        with pytest.raises(Refused, match="does not say whose its database is"):
            check_owned(connection)


def test_role_without_rights_can_be_checked(owned: ConnInfo, admin: psycopg.Connection) -> None:
    admin.execute("create role visitor login")
    try:
        with psycopg.connect(owned.with_parameters(user="visitor").reveal()) as connection:
            check_owned(connection)
    finally:
        admin.execute("drop role visitor")


def test_place_tells_databases_and_servers_apart(server16: EmbeddedServer, server18: EmbeddedServer) -> None:
    places = []
    for server, name in [
        (server16, "postgres"),
        (server18, "postgres"),
        (server18, "template1"),
        (server18, "postgres"),
    ]:
        with psycopg.connect(server.conninfo(name).reveal()) as connection:
            places.append(read_place(connection.pgconn))

    assert len(set(places)) == 3
    assert places[1] == places[3]
