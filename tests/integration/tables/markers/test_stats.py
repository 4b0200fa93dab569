"""How much test data there is, by marker and by journal."""

import pytest
from tests.integration.tables.markers.conftest import BOOKINGS, CLIENTS, ROOMS, TABLES

from trueup.db import Database
from trueup.errors import PermissionMissing, RowsHidden
from trueup.tables import ContractError, Table
from trueup.tables.markers import TableStats, clean, stats


def test_rows_are_counted_by_marker_and_by_journal(db, make, observer):
    """W-T9: leftovers of every table are seen, whatever their marker is."""
    client = make(CLIENTS, phone="+70001")
    make(CLIENTS, phone="+70002")
    make(ROOMS, is_test=True)
    observer.execute("insert into bookings values (%s, 1)", [client.id])
    observer.execute("insert into clients (phone) values ('+70003'), ('+49')")
    observer.execute("update clients set phone = '+48' where phone = '+70002'")

    found = stats(db, TABLES)

    assert found == (
        TableStats(table="public.bookings", marked=1, made=1, foreign=0, changed=0),
        TableStats(table="public.rooms", marked=1, made=1, foreign=0, changed=0),
        TableStats(table="public.clients", marked=2, made=2, foreign=1, changed=1),
    )
    assert found[0].disagreements == ()
    assert found[2].disagreements == (
        "1 row with the marker, and no test made it",
        "1 row made by tests, without the marker now",
    )


def test_nothing_is_written(db, make, database, observer):
    make(CLIENTS, phone="+70001")
    observer.execute(f"alter database {database.parameters['dbname']} set default_transaction_read_only = on")

    with Database(db.settings) as reader:
        assert stats(reader, TABLES)[2].made == 1


def test_table_without_a_marker_is_left_out(db, make):
    make(CLIENTS, phone="+70001")
    unmarked = Table("public.rooms", ROOMS.row, primary_key=("id",))

    assert [each.table for each in stats(db, [CLIENTS, unmarked])] == ["public.clients"]
    assert clean(db, [CLIENTS, unmarked]).tables == {"public.clients": 1}
    with pytest.raises(ContractError, match="no contract has a marker"):
        stats(db, [unmarked])


def test_contract_that_is_given_twice_counts_once(db, make):
    make(CLIENTS, phone="+70001")

    assert len(stats(db, [CLIENTS, CLIENTS, BOOKINGS])) == 2
    assert clean(db, [CLIENTS, CLIENTS]).rows == 1


def test_hidden_rows_and_missing_permission_are_errors(db, observer, login):
    observer.execute("alter table clients enable row level security")
    with login() as limited:
        with pytest.raises(RowsHidden):
            stats(limited, TABLES)
        observer.execute(f"revoke select on rooms from {limited.settings.conninfo.parameters['user']}")
        with pytest.raises(PermissionMissing):
            stats(limited, [ROOMS])
