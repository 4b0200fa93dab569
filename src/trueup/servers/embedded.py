"""A PostgreSQL server of our own, as long as its context lasts.

It is started without the driver, which takes longer to import than the server to start: who needs both has them soonest
when one goes on while the other does.
"""

import signal
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Literal, LiteralString, Self

from trueup.conninfo import ConnInfo
from trueup.errors import ServerUnavailable, UsageError
from trueup.servers.account import account
from trueup.servers.cluster import ACCESS_BY_SOCKET, ACCESS_BY_TCP, image, render, settings_of
from trueup.servers.folders import Run, create_run, make_folder, place
from trueup.servers.keeper import SLICE_S, Keeper
from trueup.servers.leftovers import sweep
from trueup.servers.saved import find_saved, save
from trueup.servers.wheel import installation, runnable

Mode = Literal["smart", "fast", "immediate"]
SIGNALS: Mapping[Mode, int] = MappingProxyType(
    {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
)

LOOPBACK = "127.0.0.1"
READY_S = 60.0
STOP_S = 60.0
HELD_UP = "pre-existing shared memory block"
"""Is logged when processes of a killed server are still ending."""
PORT_TAKEN = "Address already in use"
OWN_SETTINGS = frozenset({"listen_addresses", "port", "unix_socket_directories", "data_directory", "hba_file"})
PINNED = MappingProxyType(
    {
        "sslmode": "disable",
        "gssencmode": "disable",
        "channel_binding": "disable",
        "target_session_attrs": "any",
        "client_encoding": "UTF8",
        "options": "",
    }
)
"""Part of every connection string, so that what the caller's PG* variables say of other servers doesn't matter."""


class EmbeddedServer:
    """Is a PostgreSQL server that nobody else uses and that ends with this process, however that ends.

    Its data is gone afterwards. It answers on a unix socket in a folder that only this user can enter, or on 127.0.0.1
    when `tcp`. `configuration` are settings of PostgreSQL that differ from ours (`cluster.SETTINGS`).

    `saved` names a state that `save` has kept: the server starts with it where it is in the cache, else empty.

    A kill, or `restart("immediate")`, may lose the commits of the last half second, unless the configuration says
    `synchronous_commit = on`.
    """

    def __init__(
        self,
        version: int = 18,
        *,
        cache_folder: Path,
        tcp: bool = False,
        configuration: Mapping[str, str] | None = None,
        saved: str = "",
    ) -> None:
        """Choose the installation; nothing is started.

        Raises:
            ServerUnavailable: there is no such installation.
            UsageError: a setting is not the caller's to choose.
        """
        if taken := OWN_SETTINGS & (configuration or {}).keys():
            raise UsageError(f"an embedded server sets {', '.join(sorted(taken))} itself")
        self.installation = installation(version)
        self.configuration = MappingProxyType({**settings_of(version), **(configuration or {})})
        self.cache_folder = cache_folder.absolute()
        self.tcp = tcp
        self.port = 5432
        self.saved = saved
        self.is_restored = False
        """Whether it started with the saved state."""
        self._account = account()
        self._change = threading.RLock()
        self._is_ready = False
        self._run: Run | None = None
        self._keeper: Keeper | None = None

    def __repr__(self) -> str:
        state = f"at {self._run.folder}" if self._run else "not started"
        return f"<EmbeddedServer {self.installation.full_version} {state}>"

    def __enter__(self) -> Self:
        """Start the server.

        Raises:
            ServerUnavailable: it can't be started; with the reason and the last lines of its log.
        """
        with self._change:
            if self._keeper:
                raise UsageError(f"{self!r} is already started")
            root = place(self.cache_folder).root
            try:
                self._open(root)
            except OSError as error:
                self.close()
                raise ServerUnavailable(
                    f"cannot keep a server's files below {root}: {error}; make room, or name another cache folder by"
                    " TRUEUP_CACHE_DIR"
                ) from error
            except BaseException:
                self.close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the server and remove its data."""
        self.close()

    def close(self) -> None:
        """End the server and remove its data; a second time does nothing."""
        with self._change:
            keeper, self._keeper, self._run = self._keeper, None, None
            if keeper:
                keeper.close()

    @property
    def version(self) -> int:
        """Return the major version."""
        return self.installation.version

    @property
    def bin_folder(self) -> Path:
        """Return the folder of this version's programs (psql, pg_dump, pgbench, …)."""
        return self.installation.bin_folder

    @property
    def data_folder(self) -> Path:
        """Return the data directory."""
        return self._parts()[0].data

    @property
    def pid(self) -> int | None:
        """Return the process number of the postmaster; None: it does not run."""
        return self._parts()[1].running()

    @property
    def is_open(self) -> bool:
        """Whether it is inside its `with` block; it may be stopped."""
        return self._keeper is not None

    def listens_at(self, address: object) -> bool:
        """Return whether it runs and listens at what `socket.getpeername` has told of a client's connection."""
        with suppress(ServerUnavailable):
            own = {str(self._parts()[0].socket_folder / f".s.PGSQL.{self.port}")}
            return address in own | ({(LOOPBACK, self.port)} if self.tcp else set()) and self.pid is not None
        return False

    def conninfo(self, database: str = "postgres") -> ConnInfo:
        """Return how to connect to one of its databases, as the superuser `postgres`."""
        host = LOOPBACK if self.tcp else str(self._parts()[0].socket_folder)
        own = {"host": host, "port": str(self.port), "user": "postgres", "dbname": database}
        return ConnInfo(MappingProxyType({**own, **PINNED}))

    def create_database(self, name: str, *, template: str = "template1") -> ConnInfo:
        """Create a database; its files are copied, which is the quickest way."""
        self._execute("create database {} template {} strategy file_copy", name, template)
        return self.conninfo(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, with the connections to it; what is not there is no error."""
        self._execute("drop database if exists {} with (force)", name)

    def start(self) -> None:
        """Start the server again after `stop`, or after it was killed; its data is as it left it.

        Raises:
            ServerUnavailable: it doesn't answer; with the last lines of its log.
        """
        with self._change:
            if self.pid is None:
                self._launch()
                self._await_ready()

    def stop(self, mode: Mode = "fast") -> None:
        """Stop the server as `pg_ctl stop --mode` does; its data stays until the context ends.

        Raises:
            ServerUnavailable: it still runs after a minute.
        """
        with self._change:
            _, keeper = self._parts()
            keeper.kill(SIGNALS[mode])
            if keeper.wait(STOP_S) is None:
                raise ServerUnavailable(f"{self!r} did not stop in {STOP_S:.0f} s: {keeper.log_tail()}")

    def restart(self, mode: Mode = "fast") -> None:
        """Stop the server and start it with the same data at the same address."""
        with self._change:
            self.stop(mode)
            self.start()

    def save(self) -> None:
        """Keep what it holds now as the state that `saved` names; it is restarted for that.

        Raises:
            ServerUnavailable: the state can't be written.
        """
        with self._change:
            self.stop()
            save(self._parts()[0], self._image, self.saved)
            self.start()

    def log_text(self) -> str:
        """Return what the server has logged."""
        return self._parts()[0].log.read_text(encoding="utf-8", errors="replace")

    def _parts(self) -> tuple[Run, Keeper]:
        if self._run is None or self._keeper is None:
            raise ServerUnavailable(f"{self!r}: use it inside its `with` block")
        return self._run, self._keeper

    def _execute(self, statement: LiteralString, *names: str) -> None:
        """Run a statement; names take the places of its braces."""
        from psycopg import sql  # noqa: PLC0415  See above.

        from trueup.db import connect  # noqa: PLC0415

        connection = connect(self.conninfo())
        try:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
        finally:
            connection.close()

    def _open(self, root: Path) -> None:
        """Clean up after others, then create the run's folder and start the server in it."""
        for place_of_runs in (root, self.cache_folder / "servers"):
            sweep(place_of_runs)
        self._account.check_entry(make_folder(root))
        self._programs = runnable(self.installation, self._account, self.cache_folder)
        self._image = image(self._programs, self.cache_folder, root, self._account)
        found = find_saved(self._image, self.saved) if self.saved else None
        self.is_restored = found is not None
        self._is_ready = False
        self.port = free_port() if self.tcp else 5432
        self._run = create_run(root)
        self._keeper = Keeper(self._run, self._account)
        self._fill(self._run, found or self._image)

    def _fill(self, run: Run, packed: Path) -> None:
        """Have the data directory unpacked, and the server started as soon as all is there that a start reads."""
        for folder in (run.data, run.socket_folder):
            folder.mkdir(0o700)
            folder.chmod(0o700)
            self._account.owns(folder)
        self._write("pg_hba.conf", ACCESS_BY_TCP if self.tcp else ACCESS_BY_SOCKET)
        _, keeper = self._parts()
        # With autovacuum, a server connects to databases on its own.
        is_staged = self.configuration["autovacuum"] == "off"
        keeper.unpack(packed, run.data, "early" if is_staged else "all")
        self._launch()
        if is_staged:
            keeper.unpack(packed, run.data, "late")
        self._await_ready()
        if is_staged:
            keeper.unpack(packed, run.data, "ready")
            self._await_ready()

    def _write(self, name: str, text: str) -> None:
        """Write a file of the configuration."""
        file = self.data_folder / name
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        self._account.owns(file)

    def _launch(self) -> None:
        run, keeper = self._parts()
        own = {
            "listen_addresses": LOOPBACK if self.tcp else "",
            "port": str(self.port),
            "unix_socket_directories": str(run.socket_folder),
        }
        self._write("postgresql.conf", render({**self.configuration, **own}))
        postgres = self._programs.program("postgres")
        keeper.start(postgres, "-D", str(run.data), pid_file=run.data / "postmaster.pid")

    def _await_ready(self) -> None:
        """Return when the server accepts connections."""
        _, keeper = self._parts()
        deadline = time.monotonic() + READY_S
        while keeper.unpacking or not keeper.is_ready:
            keeper.listen(SLICE_S)
            has_ended, is_late = keeper.exit_status is not None, time.monotonic() > deadline
            if has_ended and not is_late and self._may_try_again(keeper.log_tail()):
                self._launch()
            elif has_ended or is_late:
                raise ServerUnavailable(
                    f"PostgreSQL {self.installation.full_version} did not start"
                    f" (exit status {keeper.exit_status}): {keeper.log_tail()}"
                )
        self._is_ready = True

    def _may_try_again(self, log_tail: str) -> bool:
        """Say whether a failed start may succeed next time; the port is told to nobody before the first success."""
        if PORT_TAKEN in log_tail and self.tcp and not self._is_ready:
            self.port = free_port()
            return True
        return HELD_UP in log_tail


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
