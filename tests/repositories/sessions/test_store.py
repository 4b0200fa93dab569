"""What the store keeps is what Baileys gave it: whole, once, and never from somebody who knew less."""

from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Thread

import pytest
from psycopg import sql
from psycopg.types.json import Jsonb
from tests.repositories.sessions.conftest import COMPANY

from ai_admin.errors import InvalidPhone
from ai_admin.sessions.errors import MixedIds, StaleWrite
from ai_admin.sessions.store import SessionStore
from ai_admin.sessions.values import canonical_hash
from trueup.db import Database, connect
from trueup.errors import ConnectionFailed, DatabaseError, PoolTimeout, SchemaMismatch
from trueup.settings import DatabaseSettings
from trueup.tables import InvalidValue

BYTES = {"type": "Buffer", "data": "AQID"}
PHONE, OTHER_PHONE = "+70001230000", "+70001230099"


def creds_of(phone=None, **more):
    me = {"me": {"id": f"{phone[1:]}:12@s.whatsapp.net", "name": "Салон 💇"}} if phone else {}
    return {"registrationId": 7, "noiseKey": BYTES, "registered": bool(phone), **me, **more}


# -- what goes in comes out --------------------------------------------------------------------------------------------


def test_whole_session_comes_back_deep_equal(store, sample):
    store.save_creds(sample.creds)
    store.set(sample.keys)

    fresh = SessionStore(store.db, COMPANY)
    assert fresh.load_creds() == sample.creds
    assert {kind: fresh.get(kind, ids) for kind, ids in sample.keys.items()} == sample.keys
    assert sum(map(len, sample.keys.values())) == 1088


def test_every_stored_value_keeps_its_canonical_hash(store, sample, stored):
    store.set(sample.keys)

    assert {(kind, key): canonical_hash(value) for kind, key, value in stored("key_type, key_id, value")} == {
        (kind, key): canonical_hash(value) for kind, ids in sample.keys.items() for key, value in ids.items()
    }


def with_old_bytes(value, form):
    """Return a value with its bytes as lists of numbers, as other times wrote them."""
    if isinstance(value, list):
        return [with_old_bytes(item, form) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "Buffer":
        numbers = list(b64decode(value["data"]))
        return {"type": "Buffer", "data": numbers} if form == "Node" else {"buffer": True, "value": numbers}
    return {key: with_old_bytes(item, form) for key, item in value.items()}


@pytest.mark.parametrize("form", ["Node", "older"])
def test_both_old_forms_of_bytes_are_read_in_the_form_that_baileys_understands(store, sample, observer, form):
    """W-C1: what came back was a plain object that could not be used."""
    rows = [(kind, key, with_old_bytes(value, form)) for kind, ids in sample.keys.items() for key, value in ids.items()]
    with observer.cursor() as cursor:
        cursor.executemany(
            "insert into whatsapp_keys (company_id, key_type, key_id, value) values ('962302', %s, %s, %s)",
            [(kind, key, Jsonb(value)) for kind, key, value in rows],
        )
        cursor.execute(
            "insert into whatsapp_auth (company_id, creds) values ('962302', %s)",
            [Jsonb(with_old_bytes(sample.creds, form))],
        )

    assert store.load_creds() == sample.creds
    assert {kind: store.get(kind, ids) for kind, ids in sample.keys.items()} == sample.keys
    store.set(sample.keys)
    store.save_creds(sample.creds)


def test_text_of_digits_stays_a_text(store, observer):
    """M-23: stored unquoted, it became a number."""
    store.set({"lid-mapping": {"70001231001": "020000005000"}})

    assert observer.execute("select jsonb_typeof(value) from whatsapp_keys").fetchone() == ("string",)
    assert store.get("lid-mapping", ["70001231001"]) == {"70001231001": "020000005000"}


@pytest.mark.parametrize("value", ["", 0, False, [], {}, 1.5, 2**53, "Имя 💇", {"a": None}])
def test_only_none_deletes(store, value):
    store.set({"device-list": {"a": value}})

    assert store.get("device-list", ["a"]) == {"a": value}


@pytest.mark.parametrize("value", ["a\0b", "\ud800", float("nan"), float("inf"), {1: 2}, b"x"])
def test_what_jsonb_would_change_is_refused_before_anything_is_stored(store, stored, value):
    with pytest.raises(InvalidValue, match=r"public\.whatsapp_keys\.value: the value of a session") as refused:
        store.set({"session": {"70001231001.0": {"deep": [value]}}, "pre-key": {"1": BYTES}})

    assert "70001231001" not in str(refused.value)
    assert stored("key_id") == []


def test_ids_are_told_apart_exactly(store):
    ids = ["a", "A", " a", "a ", "ä", "a::b", "a.0", "a@g.us", "a_reverse", "", "💇", "x" * 1000]
    store.set({"sender-key": {key: {"n": number} for number, key in enumerate(ids)}})

    assert store.get("sender-key", ids) == {key: {"n": number} for number, key in enumerate(ids)}
    assert store.get("session", ids) == {}


def test_sessions_of_companies_never_meet(db, store):
    store.set({"session": {"a": BYTES}})
    store.save_creds(creds_of(PHONE))

    neighbour = SessionStore(db, 7)
    assert neighbour.load_creds() is None
    assert neighbour.get("session", ["a"]) == {}
    neighbour.set({"session": {"a": None}})
    assert neighbour.clear().keys == 0
    assert store.get("session", ["a"]) == {"a": BYTES}


def test_empty_call_does_nothing(store, stored):
    store.set({})
    store.set({"session": {}})

    assert store.get("session", []) == {}
    assert stored("key_id") == []


# -- all or nothing ----------------------------------------------------------------------------------------------------

REFUSE = """
create function refuse() returns trigger language plpgsql as
$$ begin raise exception 'no' using errcode = 'check_violation'; end $$;
create trigger refuse before insert or update on whatsapp_keys
for each row when (new.key_id = 'refused') execute function refuse()
"""


def test_one_set_over_several_types_is_stored_whole_or_not_at_all(store, observer, stored):
    """W-A4: deletes and batches were transactions of their own, and half of a first message lost the contact."""
    store.set({"pre-key": {"1": BYTES}})
    observer.execute(REFUSE.encode())

    with pytest.raises(DatabaseError):
        store.set({"pre-key": {"1": None}, "identity-key": {"a.0": BYTES}, "session": {"refused": BYTES}})
    assert stored("key_type, key_id") == [("pre-key", "1")]

    store.set({"pre-key": {"1": None}, "identity-key": {"a.0": BYTES}, "session": {"a.0": BYTES}})
    assert stored("key_type, key_id") == [("identity-key", "a.0"), ("session", "a.0")]


def test_error_of_the_database_reaches_the_caller_as_it_is(store, observer):
    """W-A5: the handler of the error failed itself, and hid it."""
    observer.execute(REFUSE.encode())

    with pytest.raises(DatabaseError) as failed:
        store.set({"session": {"refused": BYTES}})

    assert failed.value.sqlstate == "23514"
    assert "refused" not in str(failed.value)


def test_2000_keys_are_one_call_of_four_round_trips(server, database, store):
    """W-A6: a statement had six parameters a key, with a limit to all of them."""
    keys = {"pre-key": {str(number): {"public": BYTES, "private": BYTES} for number in range(2000)}}
    with Database(DatabaseSettings(conninfo=database)) as db:
        loud = SessionStore(db, COMPANY)
        loud.get("pre-key", ["0"])
        with db.connection() as connection:
            name = connection.info.dbname
            connection.execute(sql.SQL("alter database {} set log_statement = 'all'").format(sql.Identifier(name)))
    with Database(DatabaseSettings(conninfo=database)) as db:
        loud = SessionStore(db, COMPANY)
        loud.get("pre-key", ["0"])
        before = len(statements_in(server.log_text()))
        loud.set(keys)
        assert len(statements_in(server.log_text())) - before <= 5, "begin is two statements of one message"
        assert loud.get("pre-key", keys["pre-key"]) == keys["pre-key"]


def statements_in(log):
    return [line for line in log.splitlines() if "LOG:  statement: " in line or "LOG:  execute " in line]


def test_set_joins_the_transaction_around_it(db, store, stored):
    with suppress(LookupError), db.transaction():
        store.save_creds(creds_of(PHONE))
        store.set({"session": {"a": BYTES}})
        raise LookupError

    assert stored("key_id") == []
    assert store.load_creds() is None
    with db.transaction():
        store.save_creds(creds_of(PHONE))
        store.set({"session": {"a": BYTES}})
    assert stored("key_id") == [("a",)]


def test_sets_of_the_same_keys_in_any_order_never_deadlock(server, db, stored):
    before = server.log_text().count("deadlock detected")
    ids = [str(number) for number in range(60)]

    def write(order):
        store = SessionStore(db, COMPANY)
        for turn in range(15):
            store.versions.clear()
            store.set({kind: {key: {"turn": turn} for key in order} for kind in ("pre-key", "device-list")})

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(write, [ids, ids[::-1], ids[30:] + ids[:30]]))

    assert server.log_text().count("deadlock detected") == before
    assert len(stored("key_id")) == 120


# -- stale writers -----------------------------------------------------------------------------------------------------


def test_write_that_follows_from_something_outdated_is_refused(store, other, stored):
    """A session row that is written back lets an old message be accepted again."""
    store.set({"session": {"a": {"turn": 1}}})
    assert other.get("session", ["a"]) == {"a": {"turn": 1}}
    store.set({"session": {"a": {"turn": 2}}})

    with pytest.raises(StaleWrite, match=r"1 keys \(session\) were changed by others"):
        other.set({"session": {"a": {"turn": 1, "mine": True}}, "pre-key": {"1": BYTES}})

    assert stored("value") == [({"turn": 2},)]


def test_stale_write_stays_refused_until_the_key_is_read_again(store, other):
    store.set({"session": {"a": 1}})
    other.get("session", ["a"])
    store.set({"session": {"a": 2}})

    for _ in range(3):  # as often as Baileys tries
        with pytest.raises(StaleWrite):
            other.set({"session": {"a": 3}})

    assert other.get("session", ["a"]) == {"a": 2}
    other.set({"session": {"a": 3}})
    assert store.get("session", ["a"]) == {"a": 3}


def test_key_that_was_deleted_meanwhile_does_not_come_back(store, other, stored):
    store.set({"session": {"a": 1}})
    other.get("session", ["a"])
    store.set({"session": {"a": None}})

    with pytest.raises(StaleWrite):
        other.set({"session": {"a": 2}})

    assert stored("key_id") == []


def test_key_that_was_made_anew_meanwhile_is_another_one(store, other):
    store.set({"session": {"a": 1}})
    other.get("session", ["a"])
    store.set({"session": {"a": None}})
    store.set({"session": {"a": 9}})

    with pytest.raises(StaleWrite):
        other.set({"session": {"a": 2}})
    with pytest.raises(StaleWrite):
        other.set({"session": {"a": None}})


def test_key_that_was_not_there_and_is_now_was_somebody_elses(store, other):
    assert other.get("session", ["a"]) == {}
    store.set({"session": {"a": 1}})

    with pytest.raises(StaleWrite):
        other.set({"session": {"a": 2}})


def test_what_can_be_fetched_again_may_be_written_again_when_it_is_gone(store, other):
    store.set({"device-list": {"a": ["0"]}})
    other.get("device-list", ["a"])
    store.set({"device-list": {"a": None}})

    other.set({"device-list": {"a": ["1"]}})

    assert store.get("device-list", ["a"]) == {"a": ["1"]}


def test_key_that_was_not_looked_at_is_replaced(store, other):
    store.set({"device-list": {"a": ["0"]}})

    other.set({"device-list": {"a": ["1"]}})

    with pytest.raises(StaleWrite):
        store.set({"device-list": {"a": ["2"]}})


def test_repeating_a_call_is_harmless(store, other, sample, stored):
    """Baileys repeats a call whose answer was lost; it must not meet its own rows as somebody else's."""
    other.get("session", sample.keys["session"])
    other.get("pre-key", ["1", "none"])
    call = {"session": sample.keys["session"], "pre-key": {"1": None, "none": None}}
    store.set(call)
    before = stored("key_type, key_id, value")

    other.set(call)
    other.set(call)

    assert stored("key_type, key_id, value") == before


@pytest.mark.parametrize("has_looked", [True, False])
def test_key_that_somebody_inserts_at_the_same_moment_is_seen(database, observer, store, has_looked):
    """Both had seen that there is none; the second one's insert waits for the first one's commit."""
    with Database(DatabaseSettings(conninfo=database, service="second")) as db, ThreadPoolExecutor(1) as threads:
        second = SessionStore(db, COMPANY)
        if has_looked:
            second.get("session", ["a"])
        with observer.transaction():
            observer.execute(
                "insert into whatsapp_keys (company_id, key_type, key_id, value) values (962302, 'session', 'a', '1')"
            )
            done = threads.submit(second.set, {"session": {"a": 2}, "pre-key": {"1": BYTES}})
            wait_until_blocked(observer, "second")
        failure = done.exception(timeout=10)

    assert isinstance(failure, StaleWrite) if has_looked else failure is None
    assert store.get("session", ["a"]) == {"a": 1 if has_looked else 2}
    assert len(store.get("pre-key", ["1"])) == (0 if has_looked else 1)


def test_key_that_somebody_changes_at_the_same_moment_is_seen(database, observer, store):
    store.set({"session": {"a": 1}})
    with Database(DatabaseSettings(conninfo=database, service="second")) as db, ThreadPoolExecutor(1) as threads:
        second = SessionStore(db, COMPANY)
        second.get("session", ["a"])
        with observer.transaction():
            observer.execute("update whatsapp_keys set value = '5', version = default")
            done = threads.submit(second.set, {"session": {"a": 2}})
            wait_until_blocked(observer, "second")
        failure = done.exception(timeout=10)

    assert isinstance(failure, StaleWrite)
    assert store.get("session", ["a"]) == {"a": 5}


@pytest.mark.parametrize("is_first", [True, False])
def test_credentials_that_somebody_saves_at_the_same_moment_are_seen(database, observer, store, is_first):
    if not is_first:
        store.save_creds(creds_of(PHONE))
    with Database(DatabaseSettings(conninfo=database, service="second")) as db, ThreadPoolExecutor(1) as threads:
        second = SessionStore(db, COMPANY)
        second.load_creds()
        with observer.transaction():
            observer.execute(
                "insert into whatsapp_auth (company_id, creds) values (962302, '{}')"
                " on conflict (company_id) do update set creds = excluded.creds, version = default"
            )
            done = threads.submit(second.save_creds, creds_of())
            wait_until_blocked(observer, "second")
        failure = done.exception(timeout=10)

    assert isinstance(failure, StaleWrite)
    assert store.load_creds() == {}


def test_what_a_rolled_back_transaction_had_written_is_not_remembered(db, store):
    store.set({"session": {"a": 1}})
    store.save_creds(creds_of())
    with suppress(LookupError), db.transaction():
        store.set({"session": {"a": 2}})
        store.save_creds(creds_of(PHONE))
        raise LookupError

    store.set({"session": {"a": 3}})
    store.save_creds(creds_of(PHONE))

    assert store.get("session", ["a"]) == {"a": 3}


def test_stale_credentials_are_refused(store, other):
    store.save_creds(creds_of(PHONE, accountSyncCounter=1))
    other.load_creds()
    store.save_creds(creds_of(PHONE, accountSyncCounter=2))

    with pytest.raises(StaleWrite):
        other.save_creds(creds_of(PHONE, accountSyncCounter=1, platform="smba"))
    assert other.load_creds()["accountSyncCounter"] == 2
    other.save_creds(creds_of(PHONE, accountSyncCounter=3))
    with pytest.raises(StaleWrite):
        store.save_creds(creds_of(PHONE, accountSyncCounter=3, platform="smba"))


def test_new_credentials_never_replace_those_that_were_stored_meanwhile(store, other):
    assert store.load_creds() is None
    assert other.load_creds() is None
    store.save_creds(creds_of(PHONE))

    with pytest.raises(StaleWrite):
        other.save_creds(creds_of())
    other.save_creds(creds_of(PHONE))


@pytest.mark.parametrize("creds", [None, [], "text", 7])
def test_credentials_are_an_object(store, creds):
    with pytest.raises(InvalidValue, match="is no object"):
        store.save_creds(creds)


# -- when the database fails -------------------------------------------------------------------------------------------


@pytest.fixture
def broken(observer):
    """Return what takes a table away, and puts it back."""

    def run(table, is_back=False):
        names = (f"{table}_away", table) if is_back else (table, f"{table}_away")
        observer.execute(sql.SQL("alter table {} rename to {}").format(*map(sql.Identifier, names)))

    return run


def test_failure_to_read_is_an_error_and_never_an_empty_answer(store, broken):
    """W-A3: an error was "no keys", so that Signal made new sessions."""
    store.set({"session": {"a": BYTES}})
    broken("whatsapp_keys")
    broken("whatsapp_auth")

    with pytest.raises(SchemaMismatch):
        store.get("session", ["a"])
    with pytest.raises(SchemaMismatch):
        store.load_creds()


def test_session_that_could_not_be_read_is_not_written_anew(store, broken, stored):
    """Baileys takes an error of the store for "no session", and would store a new one over the old one."""
    store.set({"session": {"a": {"turn": 5}}, "device-list": {"a": ["0"]}})
    broken("whatsapp_keys")
    with pytest.raises(SchemaMismatch):
        store.get("session", ["a"])
    broken("whatsapp_keys", is_back=True)

    with pytest.raises(StaleWrite):
        store.set({"session": {"a": {"turn": 0}}})

    assert store.get("session", ["a"]) == {"a": {"turn": 5}}
    store.set({"session": {"a": {"turn": 6}}})


def test_credentials_that_could_not_be_read_are_not_written_anew(store, broken):
    store.save_creds(creds_of(PHONE))
    broken("whatsapp_auth")
    with pytest.raises(SchemaMismatch):
        store.load_creds()
    broken("whatsapp_auth", is_back=True)

    with pytest.raises(StaleWrite):
        store.save_creds(creds_of())
    assert store.load_creds() == creds_of(PHONE)


def test_saving_works_again_when_the_database_is_back(server, database, observer):
    """W-A7: after one outage nothing was ever saved again."""
    allow = sql.SQL("alter database {} allow_connections {}").format
    name = sql.Identifier(observer.info.dbname)
    settings = DatabaseSettings(conninfo=database, checkout_timeout_s=0.3, service="outage")
    with Database(settings) as db, connect(server.conninfo()) as admin:
        store = SessionStore(db, COMPANY)
        store.save_creds(creds_of(PHONE))
        admin.execute(allow(name, sql.SQL("false")))
        end_sessions_of(observer, "outage")

        with pytest.raises((ConnectionFailed, PoolTimeout)):
            store.save_creds(creds_of(PHONE, accountSyncCounter=1))
        with pytest.raises((ConnectionFailed, PoolTimeout)):
            store.set({"session": {"a": BYTES}})

        admin.execute(allow(name, sql.SQL("true")))
        wait_until_it_answers(db)
        store.save_creds(creds_of(PHONE, accountSyncCounter=2))
        store.set({"session": {"a": BYTES}})
        assert SessionStore(db, COMPANY).load_creds()["accountSyncCounter"] == 2


def wait_until_it_answers(db):
    for _ in range(100):
        with suppress(ConnectionFailed, PoolTimeout), db.connection():
            return
    pytest.fail("the database does not come back")


def end_sessions_of(observer, service):
    """End the service's sessions on the server, and wait until they are gone."""
    pids = [
        pid
        for (pid,) in observer.execute(
            "select pid from pg_stat_activity where application_name like %s and datname = current_database()",
            [f"{service}:%"],
        )
    ]
    for pid in pids:
        observer.execute("select pg_terminate_backend(%s, 5000)", [pid])
    assert pids


def test_session_that_the_server_ended_while_it_was_idle_goes_unnoticed(database, observer):
    """The most frequent error of all, 57P01, was not one that was tried again."""
    with Database(DatabaseSettings(conninfo=database, service="idle")) as db:
        store = SessionStore(db, COMPANY)
        store.set({"session": {"a": BYTES}})
        end_sessions_of(observer, "idle")

        assert store.get("session", ["a"]) == {"a": BYTES}
        end_sessions_of(observer, "idle")
        store.set({"session": {"a": None}})
        assert store.get("session", ["a"]) == {}


@pytest.mark.parametrize("call", ["get", "set"])
def test_call_whose_connection_is_lost_in_the_middle_is_repeated(database, observer, store, call):
    store.set({"session": {"a": {"turn": 1}}})
    done = []
    with Database(DatabaseSettings(conninfo=database, service="cut")) as db, observer.transaction():
        mine = SessionStore(db, COMPANY)
        observer.execute("lock table whatsapp_keys in access exclusive mode")
        worker = Thread(
            target=lambda: done.append(
                mine.get("session", ["a"]) if call == "get" else mine.set({"session": {"a": {"turn": 2}}})
            )
        )
        worker.start()
        wait_until_blocked(observer, "cut")
        end_sessions_of(observer, "cut")
        wait_until_blocked(observer, "cut")
        observer.execute("commit")
        worker.join()

    assert done == [{"a": {"turn": 1}} if call == "get" else None]
    assert store.get("session", ["a"]) == {"a": {"turn": 1 if call == "get" else 2}}


def wait_until_blocked(observer, service):
    for _ in range(1000):
        waiting = observer.execute(
            "select count(*) from pg_stat_activity where application_name like %s and wait_event_type = 'Lock'"
            " and datname = current_database()",
            [f"{service}:%"],
        ).fetchone()
        if waiting == (1,):
            return
        observer.execute("select pg_stat_clear_snapshot(), pg_sleep(0.01)")
    pytest.fail("nobody waits for the lock")


# -- pairing, and the end of a session ---------------------------------------------------------------------------------


def test_pairing_with_another_phone_begins_anew_and_stores_the_new_credentials(store, stored):
    """W-A1: the new credentials were kept in memory only, and the deletes were transactions of their own."""
    store.save_creds(creds_of(OTHER_PHONE))
    store.set({"session": {"a": BYTES}, "app-state-sync-key": {"b": {}}})

    assert store.pair(PHONE, creds_of(registrationId=8)) == creds_of(registrationId=8)

    assert SessionStore(store.db, COMPANY).load_creds() == creds_of(registrationId=8)
    assert stored("key_id") == []


@pytest.mark.parametrize("phone", [PHONE, "8 (000) 123-00-00", "70001230000", "0001230000"])
def test_pairing_with_the_same_phone_keeps_the_session_however_it_is_written(store, stored, phone):
    store.save_creds(creds_of(PHONE))
    store.set({"session": {"a": BYTES}})

    assert store.pair(phone, creds_of()) == creds_of(PHONE)
    assert stored("key_id") == [("a",)]


def test_session_that_is_not_paired_yet_is_kept_for_pairing(store):
    assert store.pair(PHONE, creds_of(registrationId=1)) == creds_of(registrationId=1)

    assert store.pair(PHONE, creds_of(registrationId=2)) == creds_of(registrationId=1)


def test_pairing_with_what_is_no_phone_changes_nothing(store):
    store.save_creds(creds_of(PHONE))

    with pytest.raises(InvalidPhone):
        store.pair("none", creds_of())
    assert store.load_creds() == creds_of(PHONE)


def test_failed_beginning_leaves_the_old_session(store, observer, stored):
    store.save_creds(creds_of(OTHER_PHONE))
    store.set({"session": {"a": BYTES}})
    observer.execute("alter table whatsapp_auth add check ((creds ->> 'registrationId')::int = 7)")

    with pytest.raises(DatabaseError):
        store.pair(PHONE, creds_of(registrationId=8))

    assert stored("key_id") == [("a",)]
    assert store.load_creds() == creds_of(OTHER_PHONE)


def test_clearing_deletes_both_tables_and_every_form_of_the_id(store, observer, stored):
    """M-18: an uninstall looked for another id, and removed nothing."""
    store.save_creds(creds_of(PHONE))
    store.set({"session": {"a": BYTES, "b": BYTES}})
    observer.execute("insert into whatsapp_auth (company_id, creds) values ('company_962302', '{}')")
    observer.execute("insert into whatsapp_keys (company_id, key_type, key_id, value) values (7, 'session', 'x', '1')")

    cleared = store.clear()

    assert (cleared.credentials, cleared.keys) == (2, 2)
    assert stored("key_id") == [("x",)]
    store.set({"session": {"a": BYTES}})
    store.save_creds(creds_of())
    assert store.load_creds() == creds_of()


def test_credentials_under_another_form_of_the_id_are_not_taken_for_none(store, observer):
    """M-18: one salon had two sets of credentials."""
    observer.execute("insert into whatsapp_auth (company_id, creds) values ('company_962302', '{}')")

    with pytest.raises(MixedIds, match="company_962302"):
        store.load_creds()
    with pytest.raises(MixedIds):
        store.pair(PHONE, creds_of())


@pytest.mark.parametrize("form", [962302, "962302", "company_962302"])
def test_every_form_of_an_id_is_one_company(db, store, form):
    store.set({"session": {"a": BYTES}})

    assert SessionStore(db, form).get("session", ["a"]) == {"a": BYTES}


def test_store_shows_no_secret(store):
    store.save_creds(creds_of(PHONE))

    assert repr(store) == "SessionStore('962302')"
