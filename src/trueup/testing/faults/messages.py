"""Where the messages of a client end, so that what belongs together is broken off as a whole.

Source: PostgreSQL manual, "Message Formats" and "Message Flow".
"""

import struct

PREPARING = frozenset(b"PBDEC")
"""Parse, Bind, Describe, Execute, Close: nothing happens before the Sync that follows."""
OTHERS = frozenset(b"QSHFpXdcf")
"""Query, Sync, Flush, function call, password, goodbye, COPY: the server acts on each."""
STARTUP_HEAD = struct.Struct("!ii")
"""Length, and protocol version or code of a request."""
HEAD = struct.Struct("!ci")
LONGEST_STARTUP = 10_000
ENCRYPTION_REQUESTS = frozenset({80877103, 80877104})
"""TLS and GSSAPI: another startup follows, or bytes that nobody can read."""


class Messages:
    """Follows what one client sends."""

    def __init__(self) -> None:
        self._head = b""
        """What came of the next message's head."""
        self._left_bytes = 0
        """How much of the last message is still to come."""
        self._is_starting = True
        self._is_readable = True
        self._is_complete = True

    def take(self, data: bytes) -> bool:
        """Take what came, and return whether the server can act on all that came so far.

        What is encrypted, or not PostgreSQL's protocol, can't be read, so that every piece counts as complete.
        """
        position = 0
        while position < len(data) and self._is_readable:
            start, position = position, position + (self._left_bytes or self._missing_bytes())
            if self._left_bytes:
                self._left_bytes = max(0, position - len(data))
            else:
                self._head += data[start:position]
                if not self._missing_bytes():
                    self._read_head()
        return not self._is_readable or (self._is_complete and not self._left_bytes and not self._head)

    def _missing_bytes(self) -> int:
        return (STARTUP_HEAD if self._is_starting else HEAD).size - len(self._head)

    def _read_head(self) -> None:
        if self._is_starting:
            length, code = STARTUP_HEAD.unpack(self._head)
            self._is_readable = STARTUP_HEAD.size <= length <= LONGEST_STARTUP
            self._left_bytes = length - STARTUP_HEAD.size
            self._is_starting = code in ENCRYPTION_REQUESTS
        else:
            kind, length = self._head[0], HEAD.unpack(self._head)[1]
            self._is_readable = kind in PREPARING | OTHERS and length >= 4
            self._left_bytes = length - 4
            self._is_complete = kind not in PREPARING
        self._head = b""
