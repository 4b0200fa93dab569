"""A login that is refused in another language: what can't help is not tried until the deadline."""

import socket
from collections.abc import Callable, Iterator
from threading import Thread
from time import monotonic

import pytest
from tests.integration.db.conftest import Observer

from trueup.conninfo import ConnInfo
from trueup.db import Database, connect
from trueup.errors import ConnectionFailed, TooManyConnections
from trueup.settings import DatabaseSettings

ENCRYPTION_REQUESTS = {80877103, 80877104}
RUSSIAN = "пользователь не прошёл проверку подлинности"
Refusing = Callable[[str], ConnInfo]


class Peer:
    """Refuses every login with one SQLSTATE, in Russian, and counts them."""

    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate
        self.logins = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, client.makefile("rb") as incoming:
                while (packet := self.packet(incoming)) in ENCRYPTION_REQUESTS:
                    client.sendall(b"N")
                if packet:
                    self.logins += 1
                    client.sendall(self.refusal())

    @staticmethod
    def packet(incoming: object) -> int:
        """Read one packet of a login and return its code, 0 at the end."""
        length = int.from_bytes(incoming.read(4))  # type: ignore[attr-defined]
        return int.from_bytes(incoming.read(length - 4)[:4]) if length else 0  # type: ignore[attr-defined]

    def refusal(self) -> bytes:
        fields = {"S": "ВАЖНО", "V": "FATAL", "C": self.sqlstate, "M": RUSSIAN}
        body = b"".join(name.encode() + text.encode() + b"\0" for name, text in fields.items()) + b"\0"
        return b"E" + (len(body) + 4).to_bytes(4) + body

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def peers() -> Iterator[list[Peer]]:
    peers: list[Peer] = []
    yield peers
    for peer in peers:
        peer.close()


@pytest.fixture
def refusing(peers: list[Peer], may_connect: None) -> Refusing:
    def make(sqlstate: str) -> ConnInfo:
        peers.append(Peer(sqlstate))
        _, port = peers[-1].listener.getsockname()
        return ConnInfo.parse(f"host=127.0.0.1 port={port} user=u password=geheim dbname=d")

    return make


@pytest.mark.parametrize(("sqlstate", "advice"), [("28P01", "check the user and the password"), ("3D000", "database")])
def test_login_that_can_never_work_fails_at_once(refusing: Refusing, peers: list[Peer], sqlstate: str, advice: str):
    started = monotonic()

    with (
        Database(DatabaseSettings(conninfo=refusing(sqlstate), checkout_timeout_s=30)) as db,
        pytest.raises(ConnectionFailed, match=RUSSIAN) as refusal,
        db.connection(),
    ):
        pass

    assert monotonic() - started < 15
    assert (refusal.value.is_final, refusal.value.sqlstate) == (True, sqlstate)
    assert advice in str(refusal.value)
    assert "geheim" not in str(refusal.value)
    assert peers[0].logins == 2


def test_lone_connection_knows_the_state_too(refusing: Refusing):
    with pytest.raises(TooManyConnections) as refusal:
        connect(refusing("53300"))

    assert not refusal.value.is_final


def test_login_that_may_work_later_is_tried_until_the_deadline(refusing: Refusing, peers: list[Peer]):
    settings = DatabaseSettings(conninfo=refusing("57P03"), checkout_timeout_s=0.5)

    with Database(settings) as db, pytest.raises(ConnectionFailed, match="the server is not ready"), db.connection():
        pass

    assert peers[0].logins > 2


def test_state_is_found_behind_a_real_refusal(target: ConnInfo, as_role: Callable[..., ConnInfo], observer: Observer):
    """The right to connect is refused in words that are not among the known ones."""
    outsider, name = as_role(), target.parameters["dbname"]
    observer.run(f'revoke connect on database "{name}" from public')

    try:
        with pytest.raises(ConnectionFailed, match="permission denied") as refusal:
            connect(outsider)
    finally:
        observer.run(f'grant connect on database "{name}" to public')

    assert (refusal.value.is_final, refusal.value.sqlstate) == (True, "42501")


def test_words_that_are_known_need_no_second_login(target: ConnInfo):
    with pytest.raises(ConnectionFailed, match="check the name of the database") as refusal:
        connect(target.with_parameters(dbname="nowhere"))

    assert refusal.value.sqlstate is None
