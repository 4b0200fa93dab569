"""A database moved from one server to another, the way people do it: pg_dump | psql."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO

from psycopg.conninfo import make_conninfo

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.errors import Unverifiable

DUMP = ("pg_dump", "--no-password", "--no-owner", "--no-privileges")
RESTORE = (
    "psql",
    "--no-password",
    "-X",
    "-q",
    "--single-transaction",
    "-v",
    "ON_ERROR_STOP=1",
    "-v",
    "VERBOSITY=terse",
)

SETTING = re.compile(rb"set (\w+) = ", re.IGNORECASE)
FIRST_OBJECT = b"CREATE "
LOG_LINES = 3


def move(source: ConnInfo, target: ConnInfo, *, bin_folder: Path) -> None:
    """Copy everything in `source` into the empty `target`: all of it or nothing.

    `bin_folder` holds pg_dump and psql, no older than either server: pg_dump refuses a newer one.

    Raises:
        Unverifiable: one of the two programs failed, or the dump holds nothing. An exit code 0 is not believed for an
            empty dump.
    """
    known = known_settings(target)
    with (
        running(bin_folder, DUMP, source, stdout=subprocess.PIPE) as dump,
        running(bin_folder, RESTORE, target, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as restore,
    ):
        try:
            anything = forward(dump.output, restore.input, known)
        except BrokenPipeError:
            restore.finish()
            raise
        dump.finish()
        if not anything:
            raise Unverifiable(
                f"pg_dump ended with exit code 0, yet its dump of {source} holds no object: nothing was moved"
            )
        restore.finish()


def known_settings(conninfo: ConnInfo) -> frozenset[bytes]:
    """Return the names of the settings that the server has."""
    with connect(conninfo) as connection:
        return frozenset(name.encode() for (name,) in connection.execute("select name from pg_settings"))


def forward(dump: IO[bytes], restore: IO[bytes], known: frozenset[bytes]) -> bool:
    """Pass a dump on without the settings that the receiver doesn't know, and return whether it creates anything.

    A newer pg_dump begins with settings of its own version, such as `transaction_timeout` since 17: without them the
    rest is understood by older servers.
    """
    for line in dump:
        setting = SETTING.match(line)
        if setting is None or setting[1] in known:
            restore.write(line)
        if line.startswith(FIRST_OBJECT):
            copyfileobj(dump, restore, 1 << 18)
            return True
    return False


class Program:
    """Is a running program whose failure is never overlooked."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: IO[bytes], conninfo: ConnInfo) -> None:
        self.name = name
        self.process = process
        self.log = log
        self.conninfo = conninfo

    @property
    def input(self) -> IO[bytes]:
        """Return where it reads from."""
        assert self.process.stdin
        return self.process.stdin

    @property
    def output(self) -> IO[bytes]:
        """Return where it writes to."""
        assert self.process.stdout
        return self.process.stdout

    def finish(self) -> None:
        """End its input and wait for its end.

        Raises:
            Unverifiable: its exit code is not 0; with the last lines it wrote about it.
        """
        close(self.process.stdin)
        code = self.process.wait()
        if code != 0:
            self.log.seek(0)
            said = "; ".join(self.log.read().decode(errors="replace").splitlines()[-LOG_LINES:])
            reason = self.conninfo.hide_secrets(said)
            raise Unverifiable(f"{self.name} for {self.conninfo} ended with exit code {code}: {reason}")


@contextmanager
def running(
    bin_folder: Path, command: tuple[str, ...], conninfo: ConnInfo, *, stdin: int | None = None, stdout: int
) -> Iterator[Program]:
    """Hold a program of PostgreSQL that talks to a database; it is killed if it still runs at the end.

    The password is in the program's environment alone: everybody sees a command line.
    """
    name, *options = command
    address = make_conninfo("", **conninfo.parameters)
    with TemporaryFile() as log:
        process = subprocess.Popen(
            [bin_folder / name, *options, "-d", address],
            stdin=stdin or subprocess.DEVNULL,
            stdout=stdout,
            stderr=log,
            env=password_variables(conninfo),
        )
        try:
            yield Program(name, process, log, conninfo)
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                close(pipe)


def password_variables(conninfo: ConnInfo) -> Mapping[str, str]:
    """Return the environment of a program that logs in as `conninfo` says."""
    password = conninfo.secrets.get("password")
    return {"PGPASSWORD": password.reveal()} if password else {}


def close(pipe: IO[bytes] | None) -> None:
    """Close our end of a pipe; whether the other end was still there is told by its exit code."""
    with suppress(BrokenPipeError):
        if pipe:
            pipe.close()
