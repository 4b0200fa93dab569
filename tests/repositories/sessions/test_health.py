"""Health is what is stored, counted once, by one definition of expired."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.repositories.sessions.conftest import COMPANY

from ai_admin.sessions.cleanup import Selection, plan_cleanup
from ai_admin.sessions.health import Thresholds, check_session_health, check_sessions
from ai_admin.sessions.model import Retention
from ai_admin.sessions.store import SessionStore
from ai_admin.sync.freshness import check_freshness
from trueup.db.pooled import PooledConnection
from trueup.errors import SchemaMismatch


@pytest.fixture
def fill(db, observer):
    """Return what stores credentials and a number of device lists that have expired, and of those that have not."""

    def run(company, *, expired=0, live=0):
        store = SessionStore(db, company)
        store.save_creds({"registrationId": 7})
        store.set({"device-list": {f"old-{number}": ["0"] for number in range(expired)}})
        observer.execute("update whatsapp_keys set expires_at = now() - interval '1 minute' where key_id like 'old-%'")
        store.set({"device-list": {f"new-{number}": ["0"] for number in range(live)}})

    return run


@pytest.mark.parametrize(
    ("expired", "status"), [(0, "healthy"), (99, "healthy"), (100, "warning"), (249, "warning"), (250, "critical")]
)
def test_status_follows_from_the_number_of_expired_keys(db, fill, expired, status):
    fill(COMPANY, expired=expired, live=1)

    found = check_session_health(db)

    assert (found.status, found.auth_records, found.total_keys, found.expired_keys) == (status, 1, expired + 1, expired)


def test_answer_has_the_plans_fields_with_numbers_as_thresholds(db, fill):
    """W-H11: thresholds were texts, and the time of the check had another name."""
    fill(COMPANY, expired=1, live=3)

    found = check_session_health(db, thresholds=Thresholds(warning=1, critical=2))

    assert found.status == "warning"
    assert found.message == "warning: 1 of 4 keys have expired (25%), in 1 sessions"
    assert (found.thresholds.warning, found.thresholds.critical) == (1, 2)
    assert abs(found.last_check - datetime.now(UTC)) < timedelta(minutes=1)


def test_each_company_is_judged_and_all_together(fill, db):
    fill(1, expired=60, live=2)
    fill(2, expired=100)
    fill(3)

    found = check_session_health(db)

    assert [(one.company_id, one.status, one.expired_keys, one.total_keys) for one in found.companies] == [
        ("1", "healthy", 60, 62),
        ("2", "warning", 100, 100),
        ("3", "healthy", 0, 0),
    ]
    assert (found.status, found.auth_records, found.expired_keys, found.total_keys) == ("warning", 3, 160, 162)
    assert found.expired_share == pytest.approx(160 / 162)


def test_one_company_can_be_asked_for_alone(fill, db):
    fill(1, expired=120)
    fill(2, live=5)

    found = check_session_health(db, company_id=2)

    assert (found.status, found.total_keys, len(found.companies)) == ("healthy", 5, 1)


def test_no_session_at_all_is_said(db):
    """The share of nothing was a division by zero."""
    found = check_session_health(db, company_id=9)

    assert (found.total_keys, found.expired_share) == (0, 0.0)
    assert found.problems == ("no session is stored",)


def test_keys_without_credentials_and_credentials_without_keys_are_named(db, store, fill):
    store.set({"session": {"a": 1}})
    fill(7)

    found = check_session_health(db)

    assert found.problems == ("keys without credentials: 962302", "credentials without keys: 7")
    assert found.auth_records == 1


def test_keys_that_no_clean_up_would_find_are_named(db, store, observer, fill):
    """NULL was neither active nor expired."""
    fill(COMPANY, live=3)
    store.set({"session": {"a": 1}})
    observer.execute("update whatsapp_keys set expires_at = null where key_id in ('new-1', 'a')")

    found = check_session_health(db)

    assert found.keys_without_expiry == found.companies[0].keys_without_expiry == 1, "a session never expires"
    assert found.problems == ("keys that never expire although they should: 962302",)


def test_session_in_which_nothing_was_written_for_too_long_is_named(db, observer, fill):
    fill(1, live=1)
    fill(2, live=1)
    for table in ("whatsapp_keys", "whatsapp_auth"):
        observer.execute(f"update {table} set updated_at = now() - interval '25 hours' where company_id = '1'".encode())

    found = check_session_health(db)

    assert found.problems == ("nothing written for too long: 1",)
    assert [one.is_stale for one in found.companies] == [True, False]
    assert check_session_health(db, thresholds=Thresholds(stale_after=timedelta(days=2))).problems == ()


@pytest.mark.parametrize("table", ["whatsapp_keys", "whatsapp_auth"])
def test_change_of_either_table_is_fresh(db, observer, fill, table):
    """W-C2: the age that was shown was that of a field which did not exist."""
    fill(1, live=1)
    observer.execute(f"update {table} set updated_at = now() - interval '25 hours'".encode())

    assert check_session_health(db).problems == ()


def test_two_forms_of_one_id_are_seen(db, observer, fill):
    """M-18: two sets of credentials for one salon."""
    fill(COMPANY, live=1)
    observer.execute("insert into whatsapp_auth (company_id, creds) values ('company_962302', '{}')")
    observer.execute(
        "insert into whatsapp_keys (company_id, key_type, key_id, value) values ('company_5', 's', 'x', '1')"
    )

    found = check_session_health(db)

    assert found.mixed_ids == ("5", "962302")
    assert "rows under two forms of the id: 5, 962302" in found.problems
    assert check_session_health(db, company_id=COMPANY).auth_records == 2


def test_failure_is_an_error_and_no_status(db, observer):
    observer.execute("alter table whatsapp_keys rename to away")

    with pytest.raises(SchemaMismatch):
        check_session_health(db)


def test_health_clean_up_and_reading_count_the_same_keys(db, store, sample, expire):
    """W-A9: health took the noted end, the nightly clean-up the age of 30 days. W-H10: the numbers differed."""
    store.save_creds(sample.creds)
    store.set(sample.keys)
    total = expire(ago="0 days")

    expired = check_session_health(db).expired_keys

    assert 0 < expired < total
    assert plan_cleanup(db, Selection()).total == expired
    unread = sum(len(set(ids) - store.get(kind, ids).keys()) for kind, ids in sample.keys.items())
    assert unread == expired


def test_types_that_the_operator_lets_expire_are_counted(db, store, expire):
    store.set({"session": {"a": 1}})
    expire()
    retention = Retention(ttl={"session": timedelta(days=1)}, accepts_loss_of=frozenset({"session"}))

    assert check_session_health(db).expired_keys == 0
    assert check_session_health(db, retention=retention).expired_keys == 1


# -- as a health server shows it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("expired", "status"), [(99, "ok"), (100, "warn"), (249, "warn"), (250, "fail")])
def test_check_has_the_plans_fields_and_a_status_that_a_server_understands(db, fill, expired, status):
    """W-H7: what was critical was told as an error or as nothing. W-H10: numbers were counted twice, differently."""
    fill(COMPANY, expired=expired, live=1)

    found = check_sessions(db)

    assert (found.status, found.auth_records, found.total_keys, found.expired_keys) == (status, 1, expired + 1, expired)
    assert (found.thresholds, found.faults) == (Thresholds(warning=100, critical=250), {})
    assert found.expired_share == pytest.approx(expired / (expired + 1))
    assert found.message == check_session_health(db).message
    assert abs(found.last_check - datetime.now(UTC)) < timedelta(minutes=1)


def test_check_counts_what_is_wrong_besides_and_names_no_company(db, store, observer, fill):
    """W-H1: whoever asked was told phones, texts of messages and of errors."""
    store.set({"session": {"a": 1}})
    fill(7)
    fill(8, live=1)
    observer.execute("insert into whatsapp_auth (company_id, creds) values ('company_8', '{}')")
    for table in ("whatsapp_keys", "whatsapp_auth"):
        observer.execute(f"update {table} set updated_at = now() - interval '25 hours' where company_id = '8'".encode())
    observer.execute("update whatsapp_keys set expires_at = null where company_id = '8'")

    found = check_sessions(db)

    assert found.status == "warn"
    assert found.faults == {
        "keys_without_credentials": 1,
        "credentials_without_keys": 2,
        "keys_without_expiry": 1,
        "stale": 1,
        "mixed_ids": 1,
    }
    assert str(COMPANY) not in repr(found)


def test_check_that_finds_no_session_is_not_ok(db):
    assert (check_sessions(db).status, check_sessions(db).total_keys) == ("warn", 0)


def test_check_that_can_not_read_is_an_error_and_no_status(db, observer):
    """W-H4: a query of what did not exist was an empty list, and all was well."""
    observer.execute("alter table whatsapp_auth rename to away")

    with pytest.raises(SchemaMismatch):
        check_sessions(db)


@pytest.mark.parametrize(
    "check", [check_session_health, check_sessions, check_freshness], ids=["health", "sessions", "freshness"]
)
def test_check_is_one_statement(db, monkeypatch, check):
    """W-H2, W-H5: each call sent a message to a number, took a refusal for well, and walked over a whole store."""
    check(db)
    sent = []
    send = PooledConnection.execute

    def note(connection, query, *arguments, **options):
        sent.append(query)
        return send(connection, query, *arguments, **options)

    monkeypatch.setattr(PooledConnection, "execute", note)
    check(db)

    assert len(sent) == 1
