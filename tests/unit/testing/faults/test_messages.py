"""Where a client's messages end, whatever pieces they come in."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.testing.faults.messages import Messages

STARTUP = struct.pack("!ii", 15, 196608) + b"user\0x\0"
TLS = struct.pack("!ii", 8, 80877103)
GSSAPI = struct.pack("!ii", 8, 80877104)


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


QUERY = message(b"Q", b"select 1\0")
PARSE = message(b"P", b"\0select 1\0\0\0")
SYNC = message(b"S")
EXTENDED = PARSE + message(b"B", b"...") + message(b"D", b"P\0") + message(b"E", b"\0....") + SYNC


@pytest.mark.parametrize("whole", [STARTUP, STARTUP + QUERY, TLS + STARTUP, GSSAPI + TLS + STARTUP, STARTUP + EXTENDED])
@given(cut=st.integers(min_value=1))
def test_only_the_end_is_complete_however_it_comes(whole: bytes, cut: int) -> None:
    for length in (cut % len(whole), len(whole) - 1):
        messages = Messages()
        first = messages.take(whole[:length]) if length else False
        ends = [len(TLS), len(GSSAPI + TLS), len(STARTUP), len(TLS + STARTUP)]

        assert not first or length in ends
        assert messages.take(whole[length:])


def test_what_waits_for_a_sync_is_not_complete() -> None:
    messages = Messages()
    messages.take(STARTUP)

    assert [messages.take(part) for part in (PARSE, EXTENDED[len(PARSE) : -len(SYNC)], SYNC)] == [False, False, True]


@pytest.mark.parametrize("kind", [b"d", b"c", b"f", b"X", b"H", b"p", b"F"])
def test_what_the_server_acts_on_is_complete(kind: bytes) -> None:
    messages = Messages()
    messages.take(STARTUP)

    assert not messages.take(PARSE)
    assert messages.take(message(kind, b"1234"))


@pytest.mark.parametrize(
    "unreadable",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01", b"GET / HTTP/1.1\r\n\r\n", STARTUP + b"?\0\0\0\7", STARTUP + b"Q\0\0\0\0"],
    ids=["TLS", "HTTP", "unknown message", "impossible length"],
)
def test_what_can_not_be_read_passes_as_it_comes(unreadable: bytes) -> None:
    messages = Messages()

    assert messages.take(unreadable)
    assert messages.take(b"P")


def test_long_message_costs_no_more_than_its_length() -> None:
    messages = Messages()
    messages.take(STARTUP)
    assert not messages.take(b"Q" + struct.pack("!i", 1 << 30))

    pieces = [messages.take(bytes(1 << 16)) for _ in range((1 << 30) // (1 << 16) - 1)]

    assert not any(pieces)
    assert messages.take(bytes((1 << 16) - 4))
