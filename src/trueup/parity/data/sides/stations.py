"""Where segments are compared: two connections to the two databases as they were at one moment.

A station may be opened in any process on any machine that reaches both servers, as long as the snapshots last.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from trueup.conninfo import ConnInfo
from trueup.db import Snapshot, snapshot
from trueup.parity.data.sides.lockstep import Lockstep, lockstep


class Sealed:
    """Carries a connection string with its password to another process, and shows it to nobody on the way."""

    __slots__ = ("_label", "_text")

    def __init__(self, conninfo: ConnInfo) -> None:
        self._text, self._label = conninfo.reveal(), str(conninfo)

    def __repr__(self) -> str:
        return f"Sealed({self._label!r})"

    def open(self) -> ConnInfo:
        """Return the connection string under the name that people know it by."""
        return ConnInfo.parse(self._text).labelled(self._label)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Is how a worker reaches both databases; a plain value that can be pickled."""

    source: Sealed
    target: Sealed
    exported: tuple[str, str]
    """The names of the snapshots that all workers share."""
    session: tuple[tuple[str, str], ...]
    name: str
    """What pg_stat_activity shows for every worker of this run, and for nothing else."""

    @classmethod
    def to(cls, both: Lockstep, session: tuple[tuple[str, str], ...]) -> Self:
        """Return the access to what these snapshots see."""
        name = f"trueup worker {secrets.token_hex(8)}"
        source, target = (_renamed(side, name) for side in (both.source, both.target))
        exported = (both.source.exported, both.target.exported)
        return cls(source=source, target=target, exported=exported, session=session, name=name)


def _renamed(side: Snapshot, name: str) -> Sealed:
    label = str(side.conninfo)
    return Sealed(side.conninfo.with_parameters(application_name=name).labelled(label))


@contextmanager
def station(access: Access) -> Iterator[Lockstep]:
    """Hold both connections.

    Raises:
        ConnectionFailed: a server can't be reached, or has no slot left.
        Unverifiable: the snapshots have ended.
    """
    with (
        snapshot(access.source.open(), exported=access.exported[0]) as source,
        snapshot(access.target.open(), exported=access.exported[1]) as target,
        lockstep(source, target, session=access.session) as both,
    ):
        yield both
