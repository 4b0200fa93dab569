"""Nothing stands between the store and the database: no value in memory, no file, no write for later.

An earlier store had a cache for outages. What it kept could not be used, and was on disk for whoever looked.
"""

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from tests.repositories.sessions.conftest import COMPANY

from ai_admin.sessions.errors import StaleWrite
from ai_admin.sessions.store import SessionStore
from trueup.errors import SchemaMismatch

SECRET = "c2VjcmV0"
CREDS = {"registrationId": 7, "noiseKey": {"type": "Buffer", "data": SECRET}}

opened: list[str] | None = None
"""Files that were opened to be written to, while somebody listens."""


def listen(event, arguments):
    if opened is not None and event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        opened.append(str(arguments[0]))


sys.addaudithook(listen)


@contextmanager
def written_files() -> Iterator[list[str]]:
    """Give the list of the files that the block opens to write to."""
    global opened  # noqa: PLW0603 — a hook can't be taken back
    opened = []
    try:
        yield opened
    finally:
        opened = None


def test_files_that_are_written_to_are_noticed(tmp_path):
    with written_files() as files:
        (tmp_path / "creds.json").write_text(SECRET)

    assert files == [str(tmp_path / "creds.json")]


def test_no_call_writes_a_file(store, sample):
    """W-C4, W-C5: credentials were written to a file, by way of a temporary one that everybody could read."""
    with written_files() as files:
        store.save_creds(CREDS)
        store.load_creds()
        store.set(sample.keys)
        store.get("session", list(sample.keys["session"]))
        store.clear()

    assert files == []


def test_every_read_asks_the_database(store, observer):
    """W-C3: of keys there was a mark in the cache that there were some, and no key."""
    store.set({"session": {"a": {"turn": 1}}})
    store.save_creds(CREDS)
    assert store.get("session", ["a"]) == {"a": {"turn": 1}}
    observer.execute("update whatsapp_keys set value = '{\"turn\": 2}'")
    observer.execute("update whatsapp_auth set creds = '{\"registrationId\": 8}'")

    assert store.get("session", ["a"]) == {"a": {"turn": 2}}
    assert store.load_creds() == {"registrationId": 8}


def test_no_key_is_found_while_the_database_is_away(store, observer):
    """W-C3: as long as the mark was there, keys were "none", and new sessions were made."""
    store.set({"session": {"a": {"turn": 1}}})
    store.get("session", ["a"])
    observer.execute("alter table whatsapp_keys rename to away")

    for _ in range(2):
        with pytest.raises(SchemaMismatch):
            store.get("session", ["a"])


def reachable(thing: object, seen: set[int]) -> Iterator[object]:
    """Yield what a store holds, but for the database behind it."""
    if id(thing) in seen or type(thing).__module__.startswith("trueup"):
        return
    seen.add(id(thing))
    yield thing
    inner = thing.items() if isinstance(thing, dict) else thing if isinstance(thing, list | tuple | set) else ()
    for each in [*inner, *getattr(thing, "__dict__", {}).values()]:
        yield from reachable(each, seen)


def test_no_value_stays_in_memory(store):
    """W-C5: secrets stayed in a map for five minutes, and in a file for longer."""
    store.save_creds(CREDS)
    store.set({"session": {"a": {"secret": SECRET}}})
    assert store.load_creds() == CREDS
    assert store.get("session", ["a"]) == {"a": {"secret": SECRET}}

    assert not [held for held in reachable(store, set()) if isinstance(held, str) and SECRET in held]


@pytest.mark.parametrize("write", ["save_creds", "set"])
def test_write_is_committed_when_it_returns(store, observer, write):
    """W-C5: saves were begun and left alone, any number at once, and nobody heard of one that failed."""
    store.load_creds()
    threads = threading.active_count()
    for turn in range(20):
        if write == "set":
            store.set({"session": {"a": {"turn": turn}}})
        else:
            store.save_creds({"turn": turn})

        table, column = ("whatsapp_keys", "value") if write == "set" else ("whatsapp_auth", "creds")
        assert observer.execute(f"select {column} from {table}".encode()).fetchall() == [({"turn": turn},)]

    assert threading.active_count() == threads


def test_saves_at_once_are_each_whole_or_refused(db):
    """W-C4: all saves had one temporary file, and what was read back was parts of two."""
    writers = [SessionStore(db, COMPANY) for _ in range(8)]
    SessionStore(db, COMPANY).save_creds({"writer": -1})
    for writer in writers:
        writer.load_creds()
    together = threading.Barrier(len(writers))

    def save(number):
        together.wait(30)
        try:
            writers[number].save_creds({"writer": number, "filled": [number] * 5000})
        except StaleWrite:
            return None
        return number

    with ThreadPoolExecutor(len(writers)) as pool:
        (saved,) = [number for number in pool.map(save, range(len(writers))) if number is not None]

    assert SessionStore(db, COMPANY).load_creds() == {"writer": saved, "filled": [saved] * 5000}
