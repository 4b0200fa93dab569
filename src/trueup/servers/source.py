"""From the name of a database to a connection: the forms that a user may write."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.errors import UsageError
from trueup.migrations import Migrations, migrate_up, read_migrations
from trueup.servers.embedded import EmbeddedServer
from trueup.settings import Settings

FORMS = (
    "a postgresql:// URI, a conninfo string (host=… dbname=…), service=NAME, env:NAME, FILE.sql,"
    " a folder of migrations, or embedded"
)
DECLARE = 'declare it by schema = "FOLDER" under [tool.trueup] in pyproject.toml, or in trueup.toml'
CONNINFO = re.compile(r"postgres(ql)?://|\s*[a-z_]+\s*=")
EMBEDDED = re.compile(r"embedded(?::(\d+))?")
STANDARD = frozenset({"postgres", "template0", "template1"})
NAME_BYTES = 63

SCRIPT_ERROR = re.compile(r"^psql:.*:(\d+): (?:ERROR|FATAL|PANIC):  (?:(\w{5}): )?(.*)$", re.MULTILINE)
SCRIPT_ADVICE = (
    (r'role ".*" does not exist', "make the file without owners and grants (pg_dump --no-owner --no-privileges)"),
    (
        r"extension .* is not available|extension control file",
        "embedded servers have no extensions: name a real server",
    ),
    (r"unrecognized configuration parameter", "the file was made for another version of PostgreSQL"),
)


@contextmanager
def open_source(name: str, settings: Settings, *, version: int = 18) -> Iterator[ConnInfo]:
    """Give the connection that `name` stands for; what was built for it lasts as long as the context.

    `version` is the PostgreSQL that a file or a folder is built on, unless the name says so itself (`embedded:16`).

    Raises:
        UsageError: the name is in no known form, or what it names is missing or empty.
        MigrationFailed: a migration is malformed or failed.
        ServerUnavailable: no server could be started for it.
    """
    if not name.strip():
        raise UsageError(f"the name of a database is empty; expected {FORMS}")
    if found := EMBEDDED.fullmatch(name):
        folder = declared_schema(settings)
        with built(read_migrations(folder), settings, "embedded", int(found[1] or version)) as conninfo:
            yield conninfo.labelled(f"{name} ({folder})")
    elif name.startswith("env:"):
        yield read_variable(name.removeprefix("env:"), settings.variables)
    elif CONNINFO.match(name):
        yield ConnInfo.parse(name)
    else:
        with open_path(name, settings, version) as conninfo:
            yield conninfo


def declared_schema(settings: Settings) -> Path:
    """Return the folder of migrations that the project declares."""
    if settings.schema is None:
        raise UsageError(f"`embedded` stands for the project's schema, but none is declared: {DECLARE}")
    return settings.schema


def read_variable(variable: str, variables: Mapping[str, str]) -> ConnInfo:
    """Return the connection that an environment variable holds."""
    if not variable:
        raise UsageError("env: names no variable: write env:NAME, where the variable NAME holds a connection string")
    text = variables.get(variable, "")
    if not text.strip():
        state = "is empty" if variable in variables else "is not set"
        raise UsageError(f"env:{variable}: the environment variable {variable} {state}: set it to a connection string")
    try:
        return ConnInfo.parse(text)
    except UsageError as error:
        raise UsageError(f"env:{variable}: {error}") from None


@contextmanager
def open_path(name: str, settings: Settings, version: int) -> Iterator[ConnInfo]:
    """Give a connection to what a file or a folder builds."""
    path = existing(name)
    if path.is_dir():
        with built(read_migrations(path), settings, database_name(path), version) as conninfo:
            yield conninfo.labelled(name)
    elif path.is_file() and path.suffix.lower() == ".sql":
        with EmbeddedServer(version, cache_folder=settings.cache_folder) as server:
            conninfo = server.create_database(database_name(path))
            run_script(path, server, conninfo)
            yield conninfo.labelled(name)
    else:
        raise UsageError(f"{name} is not a .sql file; expected {FORMS}")


def existing(name: str) -> Path:
    """Return the file or the folder of a name.

    Raises:
        UsageError: there is none, or it can't be looked at.
    """
    try:
        path = Path(name).expanduser()
        path.stat()
    except (FileNotFoundError, NotADirectoryError, RuntimeError, ValueError):
        shown = name if re.fullmatch(r"[^@:=?&]+", name) else "that (not shown, it may hold a password)"
        raise UsageError(f"no file or folder is named {shown}; expected {FORMS}") from None
    except OSError as error:
        raise UsageError(
            f"the file or folder that is named can't be read: {error.strerror}; expected {FORMS}"
        ) from None
    return path


@contextmanager
def built(migrations: Migrations, settings: Settings, database: str, version: int) -> Iterator[ConnInfo]:
    """Give a connection to a new database with all migrations applied."""
    with EmbeddedServer(version, cache_folder=settings.cache_folder) as server:
        conninfo = server.create_database(database)
        connection = connect(conninfo)
        try:
            migrate_up(connection, migrations)
        finally:
            connection.close()
        yield conninfo


def database_name(path: Path) -> str:
    """Return a name for the database that a file or folder builds, as people know it."""
    name = path.absolute().stem.encode()[:NAME_BYTES].decode(errors="ignore")
    return name if name and name not in STANDARD else "source"


def run_script(file: Path, server: EmbeddedServer, conninfo: ConnInfo) -> None:
    """Run a file of SQL by the server's own psql, which stops at the first error.

    Raises:
        UsageError: with file, line and the server's message, free of values of rows.
    """
    if not file.stat().st_size:
        raise UsageError(f"{file} is empty: a file that builds nothing can't be compared")
    done = subprocess.run(
        [
            *(server.installation.program("psql"), "-X", "--quiet", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose"),
            *("-d", conninfo.reveal(), "-f", str(file)),
        ],
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise UsageError(describe_script_error(file, done.stderr.decode(errors="replace")))


def describe_script_error(file: Path, printed: str) -> str:
    """Return file, line and message of the error that psql printed, without the values that some messages quote."""
    found = SCRIPT_ERROR.search(printed)
    if found is None:
        first = next(iter(printed.splitlines()), "psql failed and printed nothing")
        return f"{file}: {first}"
    line, state, message = found.groups()
    if state and state.startswith("22"):
        message = re.sub(r'"[^"]*"', '"…"', message)
    advice = next((text for pattern, text in SCRIPT_ADVICE if re.search(pattern, message)), "correct the file")
    return f"{file}:{line}: {message} (SQLSTATE {state or 'unknown'}): {advice}"
