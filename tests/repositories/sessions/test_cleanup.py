"""What a clean-up deletes has expired, was counted before, and is all that was."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread

import pytest
from tests.repositories.sessions.conftest import COMPANY

from ai_admin.sessions.cleanup import Selection, clean_up, plan_cleanup
from ai_admin.sessions.model import KINDS, Worth, types_worth
from ai_admin.sessions.store import SessionStore
from trueup.db import Database
from trueup.errors import CheckFailed, LockTimeout, Refused, UsageError
from trueup.settings import DatabaseSettings


@pytest.fixture
def fill(observer):
    """Return what inserts keys that have been expired for a minute, or will in a minute."""

    def run(company=COMPANY, kind="device-list", count=5, ago="1 minute", prefix="k"):
        observer.execute(
            "insert into whatsapp_keys (company_id, key_type, key_id, value, expires_at)"
            " select %s, %s, %s || n, '[\"0\"]', now() - %s::interval from generate_series(1, %s) n",
            [str(company), kind, prefix, ago, count],
        )

    return run


@pytest.fixture
def left(observer):
    """Return what lists the keys that there are."""

    def read(columns="company_id, key_type, key_id"):
        return set(observer.execute(f"select {columns} from whatsapp_keys".encode()).fetchall())

    return read


def test_expired_keys_are_deleted_and_counted(db, fill, left):
    fill(7, "device-list", 3)
    fill(7, "lid-mapping", 2)
    fill(8, "device-list", 4)
    fill(7, "device-list", 6, ago="-1 minute", prefix="live")

    done = clean_up(db, Selection())

    assert done.keys == {("7", "device-list"): 3, ("7", "lid-mapping"): 2, ("8", "device-list"): 4}
    assert (done.total, done.is_dry_run) == (9, False)
    assert left() == {("7", "device-list", f"live{number}") for number in range(1, 7)}


@pytest.mark.parametrize("batch_rows", [1, 3, 4, 1000])
def test_batches_of_any_size_find_everything_once(db, fill, left, batch_rows):
    for company in (7, 8):
        fill(company, count=5)
        fill(company, "tctoken", 3)

    planned = plan_cleanup(db, Selection(), batch_rows=batch_rows)
    assert len(left()) == 16
    done = clean_up(db, Selection(), batch_rows=batch_rows)

    assert (
        planned.keys
        == done.keys
        == {
            ("7", "device-list"): 5,
            ("7", "tctoken"): 3,
            ("8", "device-list"): 5,
            ("8", "tctoken"): 3,
        }
    )
    assert left() == set()


def test_one_company_is_cleaned_up_alone(db, fill, left):
    """W-A10: the option was ignored, and the keys of every company were deleted."""
    fill(7)
    fill(8)

    assert clean_up(db, Selection(company_id=7)).keys == {("7", "device-list"): 5}

    assert {company for company, _, _ in left()} == {"8"}


def test_company_is_found_under_every_form_of_its_id(db, fill, left):
    fill("962302")
    fill("company_962302", "tctoken")

    assert clean_up(db, Selection(company_id="company_962302")).total == 10
    assert left() == set()


def test_keys_that_never_expire_are_never_deleted(db, fill, left):
    """W-A9: the nightly clean-up took every key that had not been written for 30 days."""
    kept = {*types_worth(Worth.IRREPLACEABLE, Worth.COSTLY), "a-type-of-next-year"}
    for kind in {*KINDS, "a-type-of-next-year"}:
        fill(7, kind, 1, ago="1 year")

    done = clean_up(db, Selection())

    assert {kind for _, kind, _ in left()} == kept
    assert {kind for _, kind in done.keys} == set(types_worth(Worth.REFETCHED))
    assert done.losses == {}


def test_age_alone_is_no_reason(db, fill, observer, left):
    """W-A9: a key counted as expired by its last change, whatever its end was."""
    fill(count=3, ago="-1 minute")
    fill(kind="session", count=1)
    observer.execute("update whatsapp_keys set updated_at = now() - interval '1 year', created_at = '2020-01-01Z'")

    assert clean_up(db, Selection()).total == 0
    assert len(left()) == 4


@pytest.mark.parametrize("kind", types_worth(Worth.COSTLY))
def test_costly_type_is_deleted_when_it_is_named_and_the_price_is_told(db, fill, left, kind):
    fill(kind=kind, count=2)
    fill(kind=kind, count=1, ago="-1 minute", prefix="live")
    fill(kind="device-list", count=1)

    done = clean_up(db, Selection(types=(kind,)))

    assert done.losses == {kind: KINDS[kind].loss}
    assert {(found, key) for _, found, key in left()} == {(kind, "live1"), ("device-list", "k1")}


@pytest.mark.parametrize("kind", [*types_worth(Worth.IRREPLACEABLE), "creds", "sesion"])
def test_irreplaceable_type_can_not_be_named(kind):
    with pytest.raises(UsageError, match="never expires"):
        Selection(types=(kind,))


def test_nothing_is_deleted_beyond_the_maximum(db, fill, left):
    fill(count=5)

    with pytest.raises(Refused, match="5 keys have expired, which is more than 4: nothing was deleted"):
        clean_up(db, Selection(), max_delete=4)

    assert len(left()) == 5
    assert clean_up(db, Selection(), max_delete=5).total == 5


def test_dry_run_changes_nothing_at_all(db, fill, observer):
    fill()
    columns = b"select xmin::text, ctid::text, whatsapp_keys::text from whatsapp_keys order by 2"
    before = observer.execute(columns).fetchall()

    done = plan_cleanup(db, Selection())

    assert (done.total, done.is_dry_run) == (5, True)
    assert observer.execute(columns).fetchall() == before


def test_key_that_is_renewed_while_the_clean_up_waits_for_it_is_kept(database, db, fill, observer, left):
    fill(count=3)
    with ThreadPoolExecutor(1) as threads, Database(DatabaseSettings(conninfo=database, service="sweep")) as mine:
        with observer.transaction():
            observer.execute("update whatsapp_keys set expires_at = now() + interval '1 day' where key_id = 'k2'")
            done = threads.submit(clean_up, mine, Selection())
            wait_until_blocked(observer, "sweep")
        assert done.result().total == 2

    assert left("key_id") == {("k2",)}


def wait_until_blocked(observer, service):
    for _ in range(1000):
        (waiting,) = observer.execute(
            "select count(*) from pg_stat_activity where application_name like %s and wait_event_type = 'Lock'",
            [f"{service}:%"],
        )
        if waiting == (1,):
            return
        observer.execute("select pg_stat_clear_snapshot(), pg_sleep(0.01)")
    pytest.fail("nobody waits for the lock")


def test_run_deletes_just_what_the_dry_run_counted_while_others_write(database, db, observer, fill):
    """Whatever is missing in the end was counted; whatever was counted and is left was renewed by somebody."""
    for company in (7, 8):
        fill(company, "device-list", 600)
        fill(company, "session", 200)
        fill(company, "tctoken", 200, ago="-1 day")
    over = Event()
    renewed = set()

    def work(company):
        with Database(DatabaseSettings(conninfo=database)) as own:
            store = SessionStore(own, company)
            turn = 0
            while not over.is_set():
                ids = [f"k{(turn * 37 + step) % 600 + 1}" for step in range(5)]
                store.set(
                    {"device-list": {key: [str(turn)] for key in ids[:3]}, "session": {f"k{turn % 200 + 1}": turn}}
                )
                renewed.update((str(company), "device-list", key) for key in ids[:3])
                store.get("tctoken", ids)
                turn += 1

    threads = [Thread(target=work, args=(7,)), Thread(target=work, args=(8,))]
    before = {tuple(row) for row in observer.execute("select company_id, key_type, key_id from whatsapp_keys")}
    planned = plan_cleanup(db, Selection(), batch_rows=50)
    fill(9, count=5, ago="0 seconds")
    for thread in threads:
        thread.start()
    try:
        done = clean_up(db, replace(Selection(), as_of=planned.as_of), batch_rows=25)
    finally:
        over.set()
        for thread in threads:
            thread.join()

    left = {tuple(row) for row in observer.execute("select company_id, key_type, key_id from whatsapp_keys")}
    counted = {key for key in before if key[1] == "device-list"}
    assert planned.total == len(counted) == 1200
    assert before - left <= counted, "only what the dry run counted"
    assert counted & left <= renewed, "all of it, but for what was written in between"
    assert done.total >= len(before - left) > 0
    assert sum(company == "9" for company, _, _ in left) == 5, "what expired after the dry run waits for the next one"


def test_failure_in_the_middle_says_how_far_it_came(database, db, fill, observer, left):
    fill(count=5)
    with Database(DatabaseSettings(conninfo=database, lock_timeout_s=0.05)) as hasty, observer.transaction():
        planned = plan_cleanup(db, Selection())
        observer.execute("select from whatsapp_keys where key_id = 'k4' for update")

        with pytest.raises(LockTimeout):
            clean_up(hasty, Selection())
        assert len(left()) == planned.total == 5


def test_batches_before_a_failure_are_deleted_and_the_error_counts_them(db, fill, observer, left):
    fill(count=5)
    observer.execute(
        b"create function refuse() returns trigger language plpgsql as"
        b" $$ begin raise exception 'no' using errcode = 'check_violation'; end $$;"
        b"create trigger refuse before delete on whatsapp_keys for each row when (old.key_id = 'k4')"
        b" execute function refuse()"
    )

    with pytest.raises(CheckFailed) as failed:
        clean_up(db, Selection(), batch_rows=1)

    assert failed.value.__notes__ == ["3 keys were deleted before this happened"]
    assert left("key_id") == {("k4",), ("k5",)}


def test_clock_is_the_servers(db, fill):
    fill()
    planned = plan_cleanup(db, Selection())

    assert planned.as_of.utcoffset() == timedelta(0)
    assert plan_cleanup(db, Selection(as_of=planned.as_of - timedelta(minutes=2))).total == 0
