"""Whole servers as fixtures: of a test, or of all tests of a process."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

from trueup.testing.guard.gate import gate
from trueup.testing.isolation import OPTIONS, told
from trueup.testing.marks import Kind, kind_of, known_server
from trueup.testing.options import DEFAULT_VERSION, Options, Server

if TYPE_CHECKING:
    from trueup.testing.lending.host import OwnServer

NOTHING: Mapping[str, str] = MappingProxyType({})


@pytest.fixture
def server(request: pytest.FixtureRequest, trueup_server: Server) -> Iterator["OwnServer"]:
    """Give a whole server of the test's own, to restart, configure or break; `server.clone()` is a database."""
    options = request.config.stash[OPTIONS]
    with ExitStack() as stack:
        with told():
            own = start(stack, trueup_server, options, kind_of(request.node, options))
        gate.allow(request.node.nodeid, own.conninfo(), fixture="server", every_database=True)
        gate.possess(request.node.nodeid, own, fixture="server")
        yield own


@pytest.fixture(scope="session")
def session_server_on(request: pytest.FixtureRequest) -> Iterator["Callable[..., OwnServer]"]:
    """Return a function that gives such a server of any version: `session_server_on("embedded:16")`.

    With `tcp` it answers on 127.0.0.1, with `configuration` its settings differ: each is another server.
    """
    options = request.config.stash[OPTIONS]
    running: dict[object, OwnServer] = {}
    with ExitStack() as stack:

        def give(text: str, *, tcp: bool = False, configuration: Mapping[str, str] = NOTHING) -> "OwnServer":
            with told():
                asked = known_server(options, text, "session_server_on")
                place = (asked, tcp, frozenset(configuration.items()))
                if place not in running:
                    kind = kind_of(request.session, options)
                    running[place] = start(stack, asked, options, kind, tcp=tcp, configuration=configuration)
                    gate.allow("", running[place].conninfo(), fixture="session_server_on", every_database=True)
                    gate.possess("", running[place], fixture="session_server_on")
            return running[place]

        yield give


@pytest.fixture(scope="session")
def session_server(session_server_on: "Callable[..., OwnServer]", trueup_server: Server) -> "OwnServer":
    """Return a whole server that all tests of a process share, for what they create and drop by themselves."""
    return session_server_on(trueup_server.name)


def start(stack: ExitStack, server: Server, options: Options, kind: Kind, **differing: Any) -> "OwnServer":
    """Return a server of its own with the template of a kind; where the run has a provided one, it is embedded."""
    from trueup.settings import Settings  # noqa: PLC0415  Only who asks for a server pays for these.
    from trueup.testing.lending.host import stocked  # noqa: PLC0415
    from trueup.testing.lending.recipes import read_recipe  # noqa: PLC0415

    settings = Settings.load(options.folder)
    recipe = read_recipe(kind if kind.schema else Kind(schema=settings.schema, seed=kind.seed))
    version = server.embedded_version or DEFAULT_VERSION
    return stack.enter_context(stocked(version, settings, recipe, "own", **differing))
