"""What expires, when, and what is never lost or hidden."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.repositories.sessions.conftest import COMPANY

from ai_admin.sessions.model import DEFAULT_TTL, KINDS, Retention, Worth, types_worth
from ai_admin.sessions.store import SessionStore

REFETCHED = types_worth(Worth.REFETCHED)
KEPT = (*types_worth(Worth.COSTLY, Worth.IRREPLACEABLE), "creds", "a-type-of-next-year")
ONE_OF_EACH = {kind: {"a": {"of": kind}} for kind in (*KINDS, "a-type-of-next-year")}


@pytest.fixture
def left(observer):
    """Return what tells how long a key has to live, None for ever."""

    def read(kind):
        (found,) = observer.execute("select expires_at - now() from whatsapp_keys where key_type = %s", [kind])
        return found[0]

    return read


def test_only_what_can_be_fetched_again_is_given_an_end(store, stored):
    """It had been given to every key, those of the app state included, which can't be replaced."""
    store.set(ONE_OF_EACH)

    ends = dict(stored("key_type, expires_at"))
    assert {kind for kind, end in ends.items() if end is not None} == set(REFETCHED) == set(DEFAULT_TTL)
    now = datetime.now(UTC)
    assert {kind: round((end - now) / timedelta(days=1)) for kind, end in ends.items() if end} == {
        kind: ttl.days for kind, ttl in DEFAULT_TTL.items()
    }


def test_expired_keys_that_can_be_fetched_again_are_not_returned(store, expire):
    """W-A2: expired keys were returned."""
    store.set(ONE_OF_EACH)
    expire()

    for _ in range(2):  # looking for them does not bring them back
        assert {kind for kind in ONE_OF_EACH if store.get(kind, ["a"])} == set(ONE_OF_EACH) - set(REFETCHED)


def test_key_is_never_hidden_because_somebody_noted_an_end_that_it_does_not_have(store, expire):
    """W-A8: quiet but live sessions expired, as their end was moved by writing alone."""
    store.set(ONE_OF_EACH)
    expire(ago="1 year")

    for kind in set(KEPT) & set(ONE_OF_EACH):
        assert store.get(kind, ["a"]) == {"a": {"of": kind}}


def test_unexpired_key_is_returned_until_its_last_moment(store, expire):
    store.set(ONE_OF_EACH)
    expire(ago="-5 seconds")

    assert {kind for kind in ONE_OF_EACH if store.get(kind, ["a"])} == set(ONE_OF_EACH)


def test_use_moves_the_end(store, expire, left):
    """W-A8: reading did not renew."""
    store.set({"device-list": {"a": ["0"]}})
    expire(ago="-1 day")
    assert left("device-list") < timedelta(days=1)

    assert store.get("device-list", ["a"]) == {"a": ["0"]}

    assert left("device-list") > timedelta(days=13.9)


def test_use_writes_only_when_half_of_the_time_is_over(store, stored, expire):
    store.set({"device-list": {"a": ["0"]}})
    expire(ago="-8 days")
    before = stored("key_type, xmin::text, ctid::text, updated_at, version")

    store.get("device-list", ["a"])
    assert stored("key_type, xmin::text, ctid::text, updated_at, version") == before

    expire(ago="-6 days")
    moment, version = stored("updated_at, version")[0]
    store.get("device-list", ["a"])
    assert stored("updated_at, version") == [(moment, version)], "use is no change: freshness and version stay"
    assert stored("expires_at > now() + interval '13 days'") == [(True,)]


def test_use_gives_an_end_to_a_key_that_should_have_one(store, observer, left):
    store.set({"device-list": {"a": ["0"]}})
    observer.execute("update whatsapp_keys set expires_at = null")

    store.get("device-list", ["a"])

    assert left("device-list") > timedelta(days=13.9)


def test_use_does_not_wait_for_who_writes_the_key(store, observer, expire):
    store.set({"device-list": {"a": ["0"]}})
    expire(ago="-1 day")

    with observer.transaction():
        observer.execute("select from whatsapp_keys for update")

        assert store.get("device-list", ["a"]) == {"a": ["0"]}


def test_expired_key_can_be_written_again(store, expire):
    store.set({"device-list": {"a": ["0"]}})
    expire()
    assert store.get("device-list", ["a"]) == {}

    store.set({"device-list": {"a": ["1"]}})

    assert store.get("device-list", ["a"]) == {"a": ["1"]}


def test_times_to_live_are_the_operators(db, left):
    retention = Retention(ttl={"device-list": timedelta(hours=1)})
    store = SessionStore(db, COMPANY, retention=retention)

    store.set(ONE_OF_EACH)

    assert timedelta(minutes=59) < left("device-list") <= timedelta(hours=1)
    assert left("lid-mapping") is None


def test_type_without_a_time_to_live_is_not_hidden(db, expire):
    store = SessionStore(db, COMPANY, retention=Retention(ttl={}))
    store.set({"device-list": {"a": ["0"]}})
    expire()

    assert store.get("device-list", ["a"]) == {"a": ["0"]}


def test_sessions_expire_where_the_operator_accepts_it_and_are_still_returned_and_renewed(db, expire, left):
    retention = Retention(ttl={"session": timedelta(days=30)}, accepts_loss_of=frozenset({"session"}))
    store = SessionStore(db, COMPANY, retention=retention)
    store.set({"session": {"a": {"turn": 1}}})
    assert left("session") > timedelta(days=29)
    expire()

    assert store.get("session", ["a"]) == {"a": {"turn": 1}}
    assert left("session") > timedelta(days=29)


def test_writing_takes_the_end_from_a_key_that_should_have_none(store, observer, left):
    store.set({"app-state-sync-key": {"a": {}}})
    observer.execute("update whatsapp_keys set expires_at = now() + interval '14 days'")

    store.set({"app-state-sync-key": {"a": {"keyData": "AA=="}}})

    assert left("app-state-sync-key") is None
