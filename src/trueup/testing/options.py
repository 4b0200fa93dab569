"""What a run of pytest was told: where its servers are, and what their databases are built from."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

EMBEDDED = re.compile(r"embedded(?::(\d+))?")
DEFAULT_VERSION = 18
DEFAULT_SERVER = f"embedded:{DEFAULT_VERSION}"
STARTED = "pg"
PROVIDED = "provided"
SCHEMES = ("postgresql://", "postgres://")
PLACES = ("host", "hostaddr", "service")
PLACE = re.compile(rf"(?:^|\s)(?:{'|'.join(PLACES)})\s*=\s*[^\s']")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Is where tests run: a server that is started for them, or a provided one."""

    name: str
    """As in the ids of tests that run on several: `pg18`, `provided`."""
    text: str = field(repr=False)
    """`embedded:VERSION`, or the connection string of a provided one, which may hold a password."""

    @property
    def embedded_version(self) -> int | None:
        """The major version of the server to start; None: it is provided."""
        found = EMBEDDED.fullmatch(self.text)
        return int(found[1] or DEFAULT_VERSION) if found else None

    def __str__(self) -> str:
        version = self.embedded_version
        return f"embedded PostgreSQL {version}" if version else "a provided server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Is what the command line and the ini file say."""

    servers: tuple[Server, ...]
    """Each test with a database runs on each of them."""
    schema: Path | None
    """The folder of migrations; None: that of trueup's configuration."""
    seed: tuple[Path, ...]
    """Files of SQL that run after the migrations."""
    folder: Path
    """Where the configuration of pytest is; relative paths start there."""

    is_verifying: bool
    """Whether each database that was put back is compared with its first state, row by row."""

    def named(self, name: str) -> Server:
        """Return the server of that name: one of the run's, or one that is only started for who asks for it."""
        known = (server for server in self.servers if server.name == name)
        return next(known, None) or embedded(int(name.removeprefix(STARTED)))

    def __str__(self) -> str:
        return " and ".join(map(str, self.servers))


def add_options(parser: pytest.Parser) -> None:
    """Declare them."""
    group = parser.getgroup("trueup", "tests on real PostgreSQL (trueup)")
    group.addoption(
        "--trueup-server",
        metavar="SERVER",
        action="append",
        help="embedded:18 (default), embedded:16, or the connection string of a server where databases may be created;"
        " with several, each test that asks for a database runs on each",
    )
    group.addoption(
        "--trueup-verify",
        action="store_true",
        help="prove after each test, by a fingerprint of all rows, that its database is in its first state again",
    )
    parser.addini("trueup_verify", "as --trueup-verify", type="bool", default=False)
    parser.addini("trueup_server", "the servers of the tests, as --trueup-server", default=DEFAULT_SERVER)
    parser.addini("trueup_schema", "the folder of migrations (default: that of trueup's configuration)", default="")
    parser.addini("trueup_seed", "files of SQL to run after the migrations", type="linelist", default=[])


def read_options(config: pytest.Config) -> Options:
    """Return what was given; a flag goes before the ini file.

    Raises:
        pytest.UsageError: a server is neither embedded nor a connection string that names its host, or is there twice.
    """
    folder = config.inipath.parent if config.inipath else config.rootpath
    schema = str(config.getini("trueup_schema"))
    return Options(
        servers=read_servers(config.getoption("--trueup-server") or [str(config.getini("trueup_server"))]),
        schema=folder / schema if schema else None,
        seed=tuple(folder / name for name in config.getini("trueup_seed")),
        folder=folder,
        is_verifying=bool(config.getoption("--trueup-verify") or config.getini("trueup_verify")),
    )


def read_servers(texts: Iterable[str]) -> tuple[Server, ...]:
    """Return the servers that are named, in that order.

    Raises:
        pytest.UsageError: one is none, or is named twice.
    """
    found: list[Server] = []
    for text in (check_server(part) for whole in texts for part in split_servers(whole)):
        server = read_server(text, provided=sum(other.embedded_version is None for other in found))
        if any(server.name == other.name or text == other.text for other in found):
            raise pytest.UsageError(f"--trueup-server (or trueup_server in the ini file) names {server} twice")
        found.append(server)
    return tuple(found)


def split_servers(text: str) -> list[str]:
    """Return the servers of a text: words, or else one a line, for some connection strings are several words."""
    words = text.split()
    if words and all(EMBEDDED.fullmatch(word) or word.startswith(SCHEMES) for word in words):
        return words
    return [line.strip() for line in text.splitlines() if line.strip()] or [text]


def read_server(text: str, *, provided: int = 0) -> Server:
    """Return a server that was checked; `provided` others are named before it."""
    found = EMBEDDED.fullmatch(text)
    if found:
        return embedded(int(found[1] or DEFAULT_VERSION))
    return Server(name=f"{PROVIDED}{provided + 1 if provided else ''}", text=text)


def embedded(version: int) -> Server:
    """Return the server of a version that is started for tests."""
    return Server(name=f"{STARTED}{version}", text=f"embedded:{version}")


def check_server(text: str) -> str:
    """Return the name of a server; a connection string has to say where, so that no PG* variable decides it.

    Raises:
        pytest.UsageError: it is none; a connection string is not repeated, it may hold a password.
    """
    if EMBEDDED.fullmatch(text) or names_place(text):
        return text
    raise pytest.UsageError(
        "--trueup-server (or trueup_server in the ini file) must be embedded:18, embedded:16, or a connection string"
        " that names its host, as postgresql://USER@HOST:PORT/DATABASE or service=NAME"
    )


def names_place(text: str) -> bool:
    """Say whether a connection string names a host or a service."""
    if not text.startswith(SCHEMES):
        return bool(PLACE.search(text))
    uri = urlsplit(text)
    return bool(uri.hostname) or any(name in PLACES and value for name, value in parse_qsl(uri.query))
