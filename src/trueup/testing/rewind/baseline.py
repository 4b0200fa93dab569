"""The known state of a database, and the way back to it."""

import itertools
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Self

import psycopg
from psycopg.pq import ConnStatus

from trueup.conninfo import ConnInfo
from trueup.db import Connection
from trueup.errors import Refused
from trueup.testing.rewind.fingerprints import read_fingerprint
from trueup.testing.rewind.moments import Moment
from trueup.testing.rewind.outcome import NotRewound, Rewound, Unproven
from trueup.testing.rewind.plans import Change, Plans
from trueup.testing.rewind.rewinding import Rewinding
from trueup.testing.rewind.session import open_session, stop_counting
from trueup.testing.rewind.state import State, read_state
from trueup.testing.rewind.storing import Stored
from trueup.testing.rewind.structure import read_structure

NUMBERS = itertools.count(1)


class Baseline:
    """Is what a database held at one moment, and keeps a connection to bring it back there.

    Nobody may be at work in the database while a baseline is taken or gone back to; sessions that were connected when
    it was taken may stay, idle and outside of a transaction. What they have set for themselves is theirs to undo.
    """

    def __init__(self, plans: Plans, state: State, *, is_nested: bool = False) -> None:
        self._plans = plans
        self._state = state
        self._is_nested = is_nested

    @classmethod
    def take(cls, conninfo: ConnInfo, *, verify: bool = False) -> Self:
        """Remember what the database holds now, and stay connected; `verify` compares fingerprints after each rewind.

        Raises:
            PermissionMissing: the role is no superuser.
            ConnectionFailed: the database can't be reached.
            Refused: somebody is at work in it.
        """
        session = open_session(conninfo)
        try:
            with refused(session):
                plans = plans_of(session)
                return cls(plans, state_of(plans, {}, verify=verify))
        except BaseException:
            session.close()
            raise

    @classmethod
    def recall(cls, conninfo: ConnInfo, stored: bytes, moment: Moment) -> Self:
        """Return the baseline that a new clone had at a moment, from what `store` gave for another one, and connect.

        Raises:
            PermissionMissing: the role is no superuser.
            ConnectionFailed: the database can't be reached.
            Refused: the connection was lost at once.
            Unverifiable: that is no baseline.
        """
        known = Stored.decode(stored).at(moment)
        session = open_session(conninfo)
        try:
            with refused(session):
                is_counted = stop_counting(session) and known.is_counted
        except BaseException:
            session.close()
            raise
        plans = Plans(connection=session, structure=known.structure, name=str(next(NUMBERS)), is_counted=is_counted)
        return cls(plans, known.state if is_counted else replace(known.state, witness=None))

    def store(self) -> bytes:
        """Return it as text, for `recall`; of a database in which nobody has worked since it was cloned."""
        plans = self._plans
        return Stored(structure=plans.structure, state=self._state, is_counted=plans.is_counted).encode()

    def nest(self) -> Self:
        """Take a baseline within this one, on the same connection: the state that a class or a test begins with.

        Raises:
            Refused: somebody is at work in the database, or the connection is closed or was lost.
        """
        with refused(self._plans.connection):
            return self._nest()

    def _nest(self) -> Self:
        plans, state = self._plans, self._state
        call, known = plans.call, dict(state.copies)
        if plans.run(call("catalogs", state.horizon, state.database_rows, state.server_rows))[0].rows:
            plans, known = plans_of(plans.connection), {}
        elif state.counts:
            for change in Change.of(plans.run(call("tables", state.horizon, state.counts))[0]):
                known.pop(change.number, None)
        verify = state.fingerprint is not None
        return type(self)(plans, state_of(plans, known, verify=verify), is_nested=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    @property
    def pid(self) -> int:
        """The server's process that keeps the connection: nobody's leak."""
        return self._plans.connection.info.backend_pid

    def close(self) -> None:
        """Close the connection; a nested baseline leaves that to the outermost."""
        if not self._is_nested:
            self._plans.connection.close()

    def rewind(self, *, tolerating: Collection[int] = (), told: Collection[int] = ()) -> Rewound | NotRewound:
        """Bring the database back to this baseline, or say why that is not proven: then it is to be thrown away.

        Processes in `tolerating` may stay connected, idle. Waits half a second for sessions that are just ending. It
        takes a fraction of the time when all who stay are in `told`: have run `FLUSH` after their last change.
        What interrupts a rewind closes the connection, so that no later one can say Rewound.
        """
        if self._plans.connection.closed:
            return NotRewound("its connection is closed, or was lost or interrupted earlier")
        try:
            work = Rewinding(plans=self._plans, state=self._state, tolerated=tolerating, told=told)
            self._state, outcome = work.run()
            self._verify()
        except Unproven as error:
            return error.outcome
        except psycopg.Error as error:
            reason = named(error, self._plans.connection)
            self._plans.connection.close()
            return NotRewound(reason)
        except BaseException:
            self._plans.connection.close()
            raise
        return outcome

    def _verify(self) -> None:
        """Raise when the fingerprint is not that of the baseline."""
        if self._state.fingerprint is None:
            return
        now = read_fingerprint(self._plans)
        if different := now.differences(self._state.fingerprint):
            raise Unproven(f"the fingerprint is not that of the baseline: {different}")


@contextmanager
def refused(connection: Connection) -> Iterator[None]:
    """Turn what prevents a baseline into Refused."""
    try:
        yield
    except Unproven as error:
        raise Refused(f"no baseline can be taken: {error}") from None
    except psycopg.Error as error:
        raise Refused(f"no baseline can be taken: {named(error, connection)}") from None


def plans_of(session: Connection) -> Plans:
    """Return the statements for what the session's database holds now."""
    name, structure = str(next(NUMBERS)), read_structure(session)
    return Plans(connection=session, structure=structure, name=name, is_counted=stop_counting(session))


def state_of(plans: Plans, known: Mapping[int, bytes], *, verify: bool) -> State:
    """Return what the database holds, with its fingerprint where it is to be verified."""
    state = read_state(plans, known)
    return replace(state, fingerprint=read_fingerprint(plans)) if verify else state


def named(error: psycopg.Error, connection: Connection) -> str:
    """Return what an error says without any value of a row."""
    if connection.pgconn.status != ConnStatus.OK:
        return "the connection was lost"
    if isinstance(error, psycopg.errors.UndefinedTable):
        return f"the structure was changed: {error.diag.message_primary}"
    places = (error.diag.table_name, error.diag.constraint_name)
    about = ", ".join(place for place in places if place)
    return f"{type(error).__name__} ({error.sqlstate}) while rewinding{about and f': {about}'}"
