"""The real Baileys package works with the store: what it has received, it can still read after anything that happens.

Node plays our phone and everybody who writes to it; our phone's store is the bridge in a process of its own.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from psycopg.types.json import Jsonb
from tests.repositories.sessions.conftest import COMPANY
from tests.repositories.sessions.test_store import with_old_bytes

from ai_admin.sessions.cleanup import Selection, clean_up
from ai_admin.sessions.model import Worth, types_worth
from trueup.conninfo import ConnInfo
from trueup.db import Connection

HERE = Path(__file__).parent / "baileys"
INSTALL = (
    "npm install --prefix tests/repositories/sessions/baileys --legacy-peer-deps --ignore-scripts --no-package-lock"
)
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="node is not installed"),
    pytest.mark.skipif(
        not (HERE / "node_modules/@whiskeysockets/baileys").is_dir(), reason=f"the npm package is missing: {INSTALL}"
    ),
]


class Phone:
    """Is a process of Node that plays our phone and its peers."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process

    def send(self, op: str, **fields: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"op": op, **fields}).encode() + b"\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, f"node has ended: {self.process.stderr.read().decode()}"  # type: ignore[union-attr]
        found: dict[str, Any] = json.loads(line)
        return found

    def answer(self) -> dict[str, Any]:
        """Return what the operation came to, past the events before it."""
        while "event" in (found := self.receive()):
            pass
        return found

    def __call__(self, op: str, **fields: Any) -> dict[str, Any]:
        """Run an operation that has to succeed."""
        self.send(op, **fields)
        found = self.answer()
        assert "error" not in found, found
        answer: dict[str, Any] = found["answer"]
        return answer

    def fail(self, op: str, **fields: Any) -> str:
        """Run an operation that has to fail, and return its error."""
        self.send(op, **fields)
        return str(self.answer()["error"])


@pytest.fixture
def phone(database: ConnInfo, tmp_path: Path) -> Iterator[Phone]:
    """Return our phone, whose store is that of the company: it is paired, and has a hundred pre-keys."""
    path = tmp_path / "socket"
    with ExitStack() as stack:
        bridge = stack.enter_context(
            subprocess.Popen(
                [sys.executable, HERE / "forking_bridge.py", path, str(COMPANY)],
                env={"TRUEUP_DATABASE": database.reveal(), "PATH": ""},
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        )
        stack.callback(os.killpg, bridge.pid, signal.SIGKILL)
        assert bridge.stdout
        assert bridge.stdout.readline() == b"ready\n"

        assert NODE
        node = stack.enter_context(
            subprocess.Popen(
                [NODE, HERE / "worker.mjs", path], **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
            )
        )
        stack.callback(node.kill)
        found = Phone(node)
        assert found("start") == {"isNew": True}
        assert found("prekeys", count=100) == {"next": 101}
        yield found


def peer(number: int) -> str:
    """Return the address of a number that nobody can have, or of a contact without a number."""
    return f"{100000000000 + number}@lid" if number % 3 == 0 else f"7000123{4000 + number}@s.whatsapp.net"


GROUP = "120363010000000001@g.us"


def talk(phone: Phone, numbers: range, *, turns: int = 2) -> int:
    """Let peers and the phone write to each other; return how many messages were read."""
    for number in numbers:
        for turn in range(turns):
            phone("write", peer=peer(number), text=f"Привет {turn}")
            assert phone("read", peer=peer(number)) == {"text": f"Привет {turn}"}
            assert phone("reply", peer=peer(number), text="💇") == {"text": "💇"}
    return 2 * turns * len(numbers)


def meet(phone: Phone, numbers: range) -> None:
    for number in numbers:
        phone("meet", peer=peer(number), **({"preKeyId": number} if number % 2 else {}))
        if number % 2 == 0:
            phone("reply", peer=peer(number), text="we begin")


def fill(phone: Phone) -> None:
    """Let the session have every kind of key."""
    meet(phone, range(1, 9))
    talk(phone, range(1, 9))
    for number in range(1, 4):
        phone("introduce", peer=peer(number), group=GROUP)
        assert phone("hear", peer=peer(number), group=GROUP, text="all") == {"text": "all"}
    phone("learn", mappings=[{"lid": "200000000001@lid", "pn": "70001239999@s.whatsapp.net"}])
    assert phone("change", name="regular", text="Аня") == {"version": 1, "names": ["Аня"]}


def check_all_is_readable(phone: Phone) -> None:
    talk(phone, range(1, 9))
    for number in range(1, 4):
        assert phone("hear", peer=peer(number), group=GROUP, text="again") == {"text": "again"}
    assert phone("change", name="regular", text="Боря") == {"version": 2, "names": ["Боря"]}
    meet(phone, range(11, 13))
    talk(phone, range(11, 13))


def test_everything_is_readable_after_a_restart(phone, stored):
    fill(phone)
    assert {kind for (kind,) in stored("key_type")} == {
        "app-state-sync-key",
        "app-state-sync-version",
        "identity-key",
        "lid-mapping",
        "pre-key",
        "sender-key",
        "session",
    }

    assert phone("start") == {"isNew": False}

    check_all_is_readable(phone)
    assert phone("resolve", phone="70001239999@s.whatsapp.net") == {"lid": "200000000001@lid"}


def test_everything_is_readable_after_a_clean_up(phone, db, expire, stored):
    """A session that a clean-up had deleted was "No session record" for good."""
    fill(phone)
    expire(ago="1 year")

    done = clean_up(db, Selection())
    assert {kind for _, kind in done.keys} == {"lid-mapping"}
    phone("start")

    check_all_is_readable(phone)
    assert phone("resolve", phone="70001239999@s.whatsapp.net") == {"lid": None}


def test_what_the_operator_is_told_about_costly_types_is_true(phone, db, expire):
    fill(phone)
    phone("write", peer=peer(1), text="lost")
    phone("meet", peer=peer(21), preKeyId=21)
    phone("write", peer=peer(21), text="lost")
    expire(*types_worth(Worth.COSTLY))

    assert clean_up(db, Selection(types=types_worth(Worth.COSTLY))).total > 100
    phone("start")

    assert "No session record" in phone.fail("read", peer=peer(1))
    assert "Invalid PreKey ID" in phone.fail("read", peer=peer(21))
    assert "No session found to decrypt message" in phone.fail("hear", peer=peer(1), group=GROUP, text="lost")


@pytest.mark.parametrize("form", ["Node", "older"])
def test_everything_is_readable_from_rows_of_other_times(phone, observer, form):
    """W-C1: bytes came back as plain objects."""
    fill(phone)
    for table, column, key in (("whatsapp_auth", "creds", "version"), ("whatsapp_keys", "value", "version")):
        for found, value in observer.execute(f"select {key}, {column} from {table}".encode()).fetchall():
            observer.execute(
                f"update {table} set {column} = %s where {key} = %s".encode(),
                [Jsonb(with_old_bytes(value, form)), found],
            )

    assert phone("start") == {"isNew": False}

    check_all_is_readable(phone)


def test_2000_pre_keys_are_one_call(phone, observer):
    assert phone("prekeys", count=2000) == {"next": 2101}

    (found,) = observer.execute(
        "select count(*), count(distinct updated_at) from whatsapp_keys where key_type = 'pre-key'"
    )
    assert found == (2100, 2)


def test_second_program_on_the_session_can_not_bring_an_old_state_back(phone, stored):
    """An old row that is written back lets a letter be accepted that was read before."""
    phone("start", cached=True)
    meet(phone, range(1, 2))
    talk(phone, range(1, 2), turns=1)
    phone("start", who="second")
    phone("write", peer=peer(1), text="once")
    assert phone("read", who="second", peer=peer(1)) == {"text": "once"}
    before = stored("key_type, key_id, version")

    refused = phone.fail("read", peer=peer(1))

    assert refused.startswith("StaleWrite: 1 keys (session) were changed by others")
    assert stored("key_type, key_id, version") == before
    phone("start", cached=True)
    talk(phone, range(1, 2))


def test_outage_makes_no_new_session(phone, observer):
    """W-A3: Baileys takes an error of the store for "no session" and begins a new one, over the old one."""
    meet(phone, range(1, 2))
    talk(phone, range(1, 2))
    before = observer.execute("select version, value from whatsapp_keys where key_type = 'session'").fetchall()
    observer.execute("alter table whatsapp_keys rename to away")

    phone("write", peer=peer(1), text="missed")
    assert "error" in (phone.send("read", peer=peer(1)) or phone.answer())

    observer.execute("alter table away rename to whatsapp_keys")
    assert observer.execute("select version, value from whatsapp_keys where key_type = 'session'").fetchall() == before
    assert phone("read", peer=peer(1)) == {"text": "missed"}
    talk(phone, range(1, 2))


# -- kills -------------------------------------------------------------------------------------------------------------

HALVES = """
select count(*) filter (where key_type = 'pre-key' and key_id = %(number)s::text),
    count(*) filter (where key_type = 'session' and key_id = %(user)s || '.0')
from whatsapp_keys
"""


def read_and_kill(phone: Phone, jid: str, delay_s: float) -> dict[str, Any]:
    """Let the phone read a letter, kill the bridge once the session is on its way; return what came of it."""
    phone.send("read", peer=jid)
    while "event" in (found := phone.receive()) and "session" not in found["types"]:
        pass
    if "event" in found:
        Event().wait(delay_s)
        os.kill(found["pid"], signal.SIGKILL)
        found = phone.answer()
    return found


def survive(phone: Phone, observer: Connection, *, kills: int, tries: int) -> Counter[str]:
    """Kill the bridge in the middle of so many sets, of first letters and of later ones; count what came of it.

    After each: no half of a set is stored, the letter was read or can be, and so can the next one.
    """
    chance, about_s = random.Random(kills), 0.003
    came: Counter[str] = Counter()
    phone("start", tries=tries)
    phone("prekeys", count=2 * kills)
    for number in count(1):
        user = f"7000123{1000 + number}"
        jid = f"{user}@s.whatsapp.net"
        phone("meet", peer=jid, preKeyId=number)
        for text in ("first", "later"):
            phone("write", peer=jid, text=text)
            found = read_and_kill(phone, jid, chance.uniform(0, 2 * about_s))
            stored = observer.execute(HALVES, {"number": number, "user": user}).fetchone()
            assert stored in {(1, 0), (0, 1)}, "half of a set is stored"
            if "answer" in found:
                assert found["answer"] == {"text": text}
                came["too late" if tries == 1 else "repeated"] += 1
                about_s = max(0.7 * about_s, 0.0002)
            else:
                came[read_again(phone, jid, text)] += 1
                about_s = min(1.1 * about_s, 0.05)
            if came.total() - came["too late"] == kills:
                return came
            phone("write", peer=jid, text="and on")
            assert phone("read", peer=jid) == {"text": "and on"}, "the contact is lost"
            assert phone("reply", peer=jid, text="yes") == {"text": "yes"}
    raise AssertionError


READ_BEFORE = ("No matching sessions found for message", "Key used already or never filled")
"""What Baileys says of a later letter and of a first one that it has read before."""


def read_again(phone: Phone, jid: str, text: str) -> str:
    """Deliver a letter again, as the server does; return what the kill had left."""
    phone.send("read", peer=jid)
    found = phone.answer()
    if "answer" in found:
        assert found["answer"] == {"text": text}
        return "rolled back"
    assert any(told in found["error"] for told in READ_BEFORE), found
    return "committed"


def test_contacts_survive_kills_in_the_middle_of_set(phone, observer):
    """Twenty-five for each version of PostgreSQL; a thousand in the run that takes minutes."""
    came = survive(phone, observer, kills=25, tries=1)

    assert came["rolled back"] + came["committed"] == 25
    assert came["rolled back"] > 0


def test_call_that_baileys_repeats_after_a_kill_is_harmless(phone, observer):
    came = survive(phone, observer, kills=15, tries=3)

    assert came == {"repeated": 15}


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_contacts_survive_a_thousand_kills_in_the_middle_of_set(phone, observer):
    came = survive(phone, observer, kills=1000, tries=1)

    assert came["rolled back"] > 100
    assert came["committed"] > 10
