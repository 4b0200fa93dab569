"""The tables of sessions: what they refuse, that they go as they came, and that the contracts are true of them."""

import psycopg
import pytest

from ai_admin.sessions.model import CREDENTIALS, KEYS
from trueup.migrations import migrate_down, status
from trueup.tables import Repository, check_contract

VERSION = "20261123060700"


@pytest.mark.parametrize("table", [CREDENTIALS, KEYS], ids=lambda table: table.name)
def test_contract_is_true_of_the_table(observer, table):
    assert check_contract(observer, table) == ()


def test_contract_reads_a_key_back(db, store, sample):
    store.set({"session": sample.keys["session"]})

    found = Repository(db, KEYS, company_id=store.company).find_many(key_type="session", order_by="key_id", limit=500)

    assert {key.key_id: key.value for key in found} == sample.keys["session"]
    assert all(key.version > 0 and key.expires_at is None for key in found)


@pytest.mark.parametrize(
    "refused",
    [
        "insert into whatsapp_auth (company_id, creds) values ('a b', '{}')",
        "insert into whatsapp_auth (company_id, creds) values ('', '{}')",
        "insert into whatsapp_auth (company_id, creds) values (repeat('a', 51), '{}')",
        "insert into whatsapp_auth (company_id, creds) values ('7', '[]')",
        "insert into whatsapp_auth (company_id, creds) values ('7', 'null')",
        "insert into whatsapp_keys (company_id, key_type, key_id, value) values ('7''', 'session', 'a', '1')",
        "insert into whatsapp_keys (company_id, key_type, key_id, value) values ('7', '', 'a', '1')",
        "insert into whatsapp_keys (company_id, key_type, key_id, value) values ('7', 'session', 'a', 'null')",
    ],
)
def test_check_can_be_false(observer, refused):
    with pytest.raises(psycopg.errors.CheckViolation):
        observer.execute(refused.encode())


def test_version_is_never_given_by_hand(observer):
    with pytest.raises(psycopg.errors.GeneratedAlways):
        observer.execute(
            "insert into whatsapp_keys (company_id, key_type, key_id, value, version) values ('7', 'a', 'a', '1', 5)"
        )


def test_migration_goes_as_it_came(observer, migrations):
    catalog = "select relname, relkind from pg_class where relname like 'whatsapp%' order by relname"
    assert len(observer.execute(catalog).fetchall()) == 7

    for _ in range(
        sum(state.state == "applied" and state.version >= VERSION for state in status(observer, migrations))
    ):
        migrate_down(observer, migrations)

    assert observer.execute(catalog).fetchall() == []
