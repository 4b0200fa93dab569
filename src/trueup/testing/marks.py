"""What a test may say about its database: `@pytest.mark.trueup(seed=…, template=…, timezone=…, server=…)`."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from trueup.errors import UsageError
from trueup.testing.options import EMBEDDED, Options, Server, read_server

LINE = (
    "trueup(seed=FILES, template=FOLDER, timezone=NAME, server=SERVERS): the database of the test: SQL to run after the"
    " migrations, another folder of migrations, the time zone of its sessions, embedded:16 or what else it runs on"
)
TAKEN = "it takes seed=, template=, timezone= and server=, by name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Is what a database has to be like; tests that want the same kind share a template."""

    schema: Path | None = None
    """The folder of migrations; None: that of the project."""
    seed: tuple[Path, ...] = ()
    timezone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Is what one mark says."""

    seed: tuple[Path, ...]
    template: Path | None
    timezone: str | None
    servers: tuple[Server, ...]
    """Where the test runs; none: on those of the run."""


def trueup(
    *,
    seed: str | Path | Iterable[str | Path] = (),
    template: str | Path | None = None,
    timezone: str | None = None,
    server: str | Iterable[str] = (),
) -> Wish:
    """Return what the mark says; this signature is what it accepts.

    Raises:
        ValueError: a server is not `embedded:VERSION`.
    """
    files = [seed] if isinstance(seed, str | Path) else list(seed)
    servers = [server] if isinstance(server, str) else list(server)
    return Wish(
        seed=tuple(map(Path, files)),
        template=Path(template) if template is not None else None,
        timezone=timezone,
        servers=tuple(map(started, servers)),
    )


def started(text: str) -> Server:
    """Return a server to start.

    Raises:
        ValueError: it is none; a provided one is for the run to name.
    """
    if not EMBEDDED.fullmatch(str(text)):
        raise ValueError(f"server={text!r} is not embedded:VERSION, as embedded:16")
    return read_server(text)


def wish_of(node: pytest.Item | pytest.Collector, mark: pytest.Mark) -> Wish:
    """Return what a mark says.

    Raises:
        UsageError: it has an argument that it does not know.
    """
    try:
        return trueup(*mark.args, **mark.kwargs)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{node.nodeid}: pytest.mark.trueup: {error}; {TAKEN}") from None


def kind_of(node: pytest.Item | pytest.Collector, options: Options) -> Kind:
    """Return the kind of database that a test, or a class or module of tests, asks for; the nearest mark decides.

    A mark that only says on which servers leaves that to the one before.

    Raises:
        UsageError: a mark has an argument that it does not know.
    """
    for wish in [wish_of(node, mark) for mark in node.iter_markers("trueup")]:
        if wish.seed or wish.template or wish.timezone or not wish.servers:
            return Kind(
                schema=options.folder / wish.template if wish.template else options.schema,
                seed=tuple(options.folder / file for file in wish.seed) or options.seed,
                timezone=wish.timezone,
            )
    return Kind(schema=options.schema, seed=options.seed)


def servers_of(node: pytest.Item | pytest.Collector, options: Options) -> tuple[Server, ...]:
    """Return the servers that a test runs on, one after the other: those of the nearest mark that names any.

    A mark that is wrong is for its test to say.
    """
    for mark in node.iter_markers("trueup"):
        with suppress(UsageError):
            if found := wish_of(node, mark).servers:
                return found
    return options.servers


def known_server(options: Options, text: str, fixture: str) -> Server:
    """Return the server that a test asks a fixture for: by its name in the run, or `embedded:VERSION`.

    Raises:
        UsageError: there is none.
    """
    found = next((server for server in options.servers if server.name == text), None)
    try:
        return found or started(text)
    except ValueError:
        names = ", ".join(server.name for server in options.servers)
        raise UsageError(f"{fixture}({text!r}): the run has {names}; any embedded:VERSION can be asked for") from None
