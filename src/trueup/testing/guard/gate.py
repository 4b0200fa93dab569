"""The one gate that every connection of a test process goes through, whoever opens it and in whatever thread.

A test may reach what a fixture gave it, and the embedded servers that it has started itself, and nothing else. The
refusal comes before anything is sent when the test has nothing, and on the connection itself when that leads to a
database that isn't the tests' own.

What it can't see: connections made by other processes, by a driver that isn't listed in `trueup.testing.guard.doors`,
and by code that calls libpq past psycopg.
"""

import os
import socket
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import current_thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar
from weakref import ref
from zlib import crc32

from trueup.errors import Refused
from trueup.testing.guard.stacks import RawStack, capture, is_own, readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from psycopg.pq.abc import PGconn

    from trueup.conninfo import ConnInfo
    from trueup.servers import EmbeddedServer
    from trueup.testing.failures.record import Ran
    from trueup.testing.guard.leaks.leak import Leak
    from trueup.testing.identity import Identity
    from trueup.testing.rewind import NotRewound, Rewound

Kind = Literal["connection", "pool", "thread", "process", "server"]
NAME_BYTES = 63
"""What PostgreSQL keeps of an application_name."""
STATEMENTS = 500
"""How many statements of a test are kept, the last ones."""
STARTER = "_trueup_starter"
"""The attribute of a thread that tells who started it."""
FIXTURES = "conn (rolled back), db (real commits), fresh_db (a new clone) or server (a server of its own)"


@dataclass(slots=True, kw_only=True, eq=False)
class Owner:
    """Is who answers for what is opened: a test, or a fixture that outlives tests."""

    node: str
    """The node id of the test, or of the class, module or session that the fixture belongs to."""
    fixture: str = ""
    asked: Callable[[], Collection[str]] = tuple
    """The fixtures that it asks for, with those that they need, as far as known by now."""
    opened: "list[Opening]" = field(default_factory=list)
    refusals: list[Refused] = field(default_factory=list)
    leaks: "list[Leak]" = field(default_factory=list)
    """What was found, and ended, before the owner's end."""
    statements: "deque[Ran]" = field(default_factory=partial(deque, maxlen=STATEMENTS))
    notices: list[str] = field(default_factory=list)
    """What servers have warned of."""
    outcome: "Rewound | NotRewound | None" = None
    """What putting back the test's database has shown."""
    started_at: float = field(default_factory=monotonic)
    has_begun: bool = False
    has_ended: bool = False

    def __str__(self) -> str:
        return f'the fixture "{self.fixture}" of {self.node or "the session"}' if self.fixture else self.node


@dataclass(slots=True, kw_only=True, eq=False)
class Opening:
    """Is one thing that was opened and has to be closed: a connection, a pool, a thread or a process."""

    kind: Kind
    thing: Any
    """A weak reference to it, or the number of the process."""
    stack: RawStack
    owner: Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Says who may reach something."""

    node: str
    """Who may: this test, or every test of this class, module or session."""
    fixture: str
    """And has to ask for this fixture; empty: need not."""

    def covers(self, owner: Owner) -> bool:
        """Return whether it is the owner's."""
        is_inside = self.node in {"", owner.node} or owner.node.startswith((f"{self.node}::", f"{self.node}/"))
        return is_inside and (not self.fixture or self.fixture in owner.asked())


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance(Permission):
    """Is the permission to reach one database, or every database of a server that was started for tests."""

    conninfo: "ConnInfo"
    is_of_server: bool = False
    """Whether it is for every database of that server."""

    @property
    def database(self) -> str | None:
        """The name of the database; None: any that is the tests' own."""
        return None if self.is_of_server else self.conninfo.parameters.get("dbname", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Possession(Permission):
    """Is the permission to reach an embedded server of this process: it can't be anybody else's."""

    server: "ref[EmbeddedServer]"


Permitted = TypeVar("Permitted", bound=Permission)

OUTSIDE = Owner(node="")
"""Who opens something while no test runs: an import, a hook, the end of the session."""


class Gate:
    """Knows who runs, what they may reach, and what they have opened."""

    def __init__(self) -> None:
        self.is_closed = False
        """Whether anybody is watched at all: ini `trueup_guard`."""
        self.shows_values = False
        """Whether statements are kept with their values."""
        self.owners: list[Owner] = [OUTSIDE]
        """The last one is at work."""
        self.allowances: list[Allowance] = []
        self.possessions: list[Possession] = []
        self.known: set[tuple[str | None, ...]] = set()
        """Databases whose mark was read in this process, by what `read_place` returns; servers, without the name."""

    @property
    def owner(self) -> Owner:
        """Who is at work: in a thread, who started that."""
        return getattr(current_thread(), STARTER, None) or self.owners[-1]

    def allow(self, node: str, conninfo: "ConnInfo", *, fixture: str = "", every_database: bool = False) -> "ConnInfo":
        """Let a test, or all tests below a node, reach a database; return its connection with the test's name.

        With `fixture`, only tests that ask for that one. `every_database`: of a server that was started for tests.
        """
        allowance = Allowance(node=node, fixture=fixture, conninfo=conninfo, is_of_server=every_database)
        self.allowances.append(allowance)
        return conninfo.with_parameters(application_name=application_name(self.owner.node or node))

    def withdraw(self, node: str, *, fixture: str = "") -> None:
        """Take back what a node was allowed; with `fixture`, only what came by that."""
        self.allowances = [a for a in self.allowances if a.node != node or (fixture and a.fixture != fixture)]
        self.possessions = [p for p in self.possessions if p.node != node or (fixture and p.fixture != fixture)]

    def possess(self, node: str, server: "EmbeddedServer", *, fixture: str = "") -> None:
        """Let a test, or all tests below a node, reach a server that was started for them; `fixture` as above."""
        self.possessions.append(Possession(node=node, fixture=fixture, server=ref(server)))

    def enter(self, owner: Owner) -> Owner:
        """Let an owner be at work."""
        self.owners.append(owner)
        return owner

    def leave(self, owner: Owner) -> None:
        """Let the owner before be at work again."""
        self.owners.remove(owner)

    def ask(self) -> RawStack:
        """Return the stack of who wants to open a connection.

        Raises:
            Refused: whoever it is was given no database.
        """
        __tracebackhide__ = True
        stack = capture()
        if self.is_closed and not is_own(stack) and not self.granted() and not self.possessed():
            self.refuse(Refused(self.objection() + f"\n{readable(stack)}"))
        return stack

    def granted(self, owner: Owner | None = None) -> list[Allowance]:
        """Return what an owner may reach; a thread may what its starter may, and the test that runs meanwhile."""
        return list(self.of_owner(self.allowances, owner or self.owner))

    def of_owner(self, permissions: "Iterable[Permitted]", owner: Owner) -> "Iterator[Permitted]":
        """Yield what holds for an owner, or for the test that runs meanwhile."""
        return (each for each in permissions if not owner.has_ended and any(map(each.covers, (owner, self.owners[-1]))))

    def possessed(self) -> "list[EmbeddedServer]":
        """Return the servers of this process that whoever is at work may reach and that have not ended."""
        servers = (possession.server() for possession in self.of_owner(self.possessions, self.owner))
        return [server for server in servers if server is not None and server.is_open]

    def is_home(self, number: int) -> bool:
        """Return whether a connected socket leads to one of these servers: then nothing has to be asked of it."""
        if servers := self.possessed():
            with suppress(OSError), socket.socket(fileno=os.dup(number)) as stream:
                peer = stream.getpeername()
                return any(server.listens_at(peer) for server in servers)
        return False

    def objection(self) -> str:
        """Return why a connection is refused, and what to ask for."""
        if self.owner.has_ended:
            return f"a thread that {self.owner} left running wants to open a database: let it end with the test"
        if self.owner is OUTSIDE:
            return (
                "a database was to be opened while no test runs, as by an import or a hook: open it in a fixture that"
                f" asks for {FIXTURES}"
            )
        return (
            f"{self.owner} asks for no database, so it can't reach one: ask for a fixture, {FIXTURES}, and open what"
            " it gives you"
        )

    def refuse(self, error: Refused) -> NoReturn:
        """Raise a refusal, and remember it: a test that swallows it has failed all the same."""
        __tracebackhide__ = True
        self.owner.refusals.append(error)
        raise error

    def is_place_of_own(self, place: "tuple[str | None, ...]") -> bool:
        """Return whether it is one of these servers that has answered, by way of something in between, as a proxy."""
        if not (servers := self.possessed()):
            return False
        from trueup.testing.identity import place_of  # noqa: PLC0415

        return any(place_of(server.conninfo())[1:] == place[1:] for server in servers if server.pid is not None)

    def check(self, login: "PGconn", stack: RawStack) -> None:
        """Let an established connection pass.

        Raises:
            Refused: it leads to a database that isn't the tests' own, or that this test wasn't given.
        """
        if not self.is_closed or is_own(stack) or self.is_home(login.socket):
            return
        from trueup.testing.identity import read_identity, read_place  # noqa: PLC0415

        try:
            place = read_place(login)
            if self.is_place_of_own(place):
                return
            identity = None if self.knows(place) else read_identity(login)
        except Refused as error:
            self.refuse(error)
        self.admit(place, identity, stack)

    def vouch(
        self, number: int, read: Callable[[str], "Sequence[Any]"], failure: type[Exception], stack: RawStack
    ) -> None:
        """Let the established connection of another driver pass, whose socket has a number.

        `read` gives the row of a query, or raises `failure`.

        Raises:
            Refused: it leads to a database that isn't the tests' own, or that this test wasn't given.
        """
        if not self.is_closed or is_own(stack):
            return
        from trueup.testing.identity import ADVICE, PLACE, WHOSE_IS_THIS, identity_of  # noqa: PLC0415

        try:
            place, whose = tuple(map(str, read(PLACE.decode()))), identity_of(read(WHOSE_IS_THIS))
        except failure as error:
            self.refuse(Refused(f"the server does not say whose its database is: {error}; {ADVICE}"))
        if not self.is_home(number) and not self.is_place_of_own(place):
            self.admit(place, whose, stack)

    def knows(self, place: "tuple[str | None, ...]") -> bool:
        """Return whether a database, or its whole server, was found to be the tests' own before."""
        return place in self.known or place[1:] in self.known

    def admit(self, place: "tuple[str | None, ...]", identity: "Identity | None", stack: RawStack) -> None:
        """Let a connection pass by what its server says of it; no identity is needed where the place is known.

        Raises:
            Refused: it leads to a database that isn't the tests' own, or that this test wasn't given.
        """
        if identity is not None and identity.objection():
            self.refuse(Refused(f"{identity.refusal()}\n{readable(stack)}"))
        self.known.add(place[1:] if identity and identity.is_on_own_server else place)
        if not any(allowance.database in {None, place[0]} for allowance in self.granted()):
            self.refuse(
                Refused(
                    f'{self.owner} was not given the database "{place[0]}": open what its own fixture gives'
                    f"\n{readable(stack)}"
                )
            )

    def note(self, kind: Kind, thing: Any, stack: RawStack, owner: Owner | None = None) -> None:
        """Remember what was opened, for the end of who opened it."""
        owner = owner or self.owner
        if owner is not OUTSIDE and not is_own(stack):
            owner.opened.append(Opening(kind=kind, thing=thing, stack=stack, owner=owner))


def application_name(node: str) -> str:
    """Return a test's id as an application_name: at most 63 bytes, and its own even when the id is longer.

    The end of an id tells more than its start, so that is what stays, behind a checksum of the whole.
    """
    text = "".join(char if " " <= char <= "~" else "?" for char in node) or "trueup"
    if len(text) <= NAME_BYTES and text == node:
        return text
    return f"{crc32(node.encode()):08x}…".replace("…", "~") + text[-(NAME_BYTES - 9) :]


gate = Gate()
"""The gate of this process."""
