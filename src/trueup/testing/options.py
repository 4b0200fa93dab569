"""What a run of pytest was told: where the server is, and what its databases are built from."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

EMBEDDED = re.compile(r"embedded(?::(\d+))?")
DEFAULT_SERVER = "embedded:18"
PLACES = ("host", "hostaddr", "service")
PLACE = re.compile(rf"(?:^|\s)(?:{'|'.join(PLACES)})\s*=\s*[^\s']")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Is what the command line and the ini file say."""

    server: str
    """`embedded:VERSION`, or the connection string of a provided server."""
    schema: Path | None
    """The folder of migrations; None: that of trueup's configuration."""
    seed: tuple[Path, ...]
    """Files of SQL that run after the migrations."""
    folder: Path
    """Where the configuration of pytest is; relative paths start there."""

    is_verifying: bool
    """Whether each database that was put back is compared with its first state, row by row."""

    @property
    def embedded_version(self) -> int | None:
        """The major version of the server to start; None: a server is provided."""
        found = EMBEDDED.fullmatch(self.server)
        return int(found[1] or 18) if found else None


def add_options(parser: pytest.Parser) -> None:
    """Declare them."""
    group = parser.getgroup("trueup", "tests on real PostgreSQL (trueup)")
    group.addoption(
        "--trueup-server",
        metavar="SERVER",
        help="embedded:18 (default), embedded:16, or the connection string of a server where databases may be created",
    )
    group.addoption(
        "--trueup-verify",
        action="store_true",
        help="prove after each test, by a fingerprint of all rows, that its database is in its first state again",
    )
    parser.addini("trueup_verify", "as --trueup-verify", type="bool", default=False)
    parser.addini("trueup_server", "the server of the tests, as --trueup-server", default=DEFAULT_SERVER)
    parser.addini("trueup_schema", "the folder of migrations (default: that of trueup's configuration)", default="")
    parser.addini("trueup_seed", "files of SQL to run after the migrations", type="linelist", default=[])


def read_options(config: pytest.Config) -> Options:
    """Return what was given; a flag goes before the ini file.

    Raises:
        pytest.UsageError: the server is neither embedded nor a connection string that names its host.
    """
    folder = config.inipath.parent if config.inipath else config.rootpath
    schema = str(config.getini("trueup_schema"))
    return Options(
        server=check_server(str(config.getoption("--trueup-server") or config.getini("trueup_server"))),
        schema=folder / schema if schema else None,
        seed=tuple(folder / name for name in config.getini("trueup_seed")),
        folder=folder,
        is_verifying=bool(config.getoption("--trueup-verify") or config.getini("trueup_verify")),
    )


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
    if not text.startswith(("postgresql://", "postgres://")):
        return bool(PLACE.search(text))
    uri = urlsplit(text)
    return bool(uri.hostname) or any(name in PLACES and value for name, value in parse_qsl(uri.query))
