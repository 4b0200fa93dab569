"""A pooler in transaction mode between a client and a server."""

import pwd
import shutil
import socket
import subprocess
from contextlib import closing
from os import geteuid
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import monotonic
from typing import Self

from trueup.conninfo import ConnInfo

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin")
CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server_port} auth_user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 500
server_login_retry = 0.1
query_wait_timeout = {query_wait_timeout}
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
"""
READY_S = 10.0


class PgBouncer:
    """Is a pooler in front of a server on TCP; at most `pool_size` connections to each database and role.

    The default leaves one more than a service of the suite may hold: a transaction whose client fell silent keeps its
    connection until it was idle for too long.
    """

    def __init__(self, server_port: int, *, pool_size: int = 4, query_wait_timeout: int = 20) -> None:
        self.server_port, self.pool_size = server_port, pool_size
        self.query_wait_timeout = query_wait_timeout
        self.port = free_port()

    def __enter__(self) -> Self:
        assert PROGRAM
        self.temporary = TemporaryDirectory(prefix="pgbouncer-")
        folder = Path(self.temporary.name)
        values = {
            "server_port": self.server_port,
            "port": self.port,
            "folder": folder,
            "pool_size": self.pool_size,
            "query_wait_timeout": self.query_wait_timeout,
        }
        (folder / "pgbouncer.ini").write_text(CONFIGURATION.format(**values), encoding="utf-8")
        (folder / "users.txt").write_text('"postgres" ""\n', encoding="utf-8")
        folder.chmod(0o755)
        self.log = (folder / "log").open("w+b")
        self.process = subprocess.Popen(
            [PROGRAM, str(folder / "pgbouncer.ini")],
            user=unprivileged(),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self.await_answer()
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.terminate()
        self.process.wait(10)
        self.log.close()
        self.temporary.cleanup()

    def await_answer(self) -> None:
        deadline = monotonic() + READY_S
        pause = Event()
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except ConnectionRefusedError:
                has_ended = self.process.poll() is not None
                if has_ended or monotonic() > deadline:
                    said = Path(str(self.log.name)).read_text(encoding="utf-8", errors="replace")
                    self.__exit__()
                    raise AssertionError(f"pgbouncer did not start: {said}") from None
                pause.wait(0.005)
            else:
                return

    def conninfo(self, direct: ConnInfo) -> ConnInfo:
        return direct.with_parameters(port=str(self.port))


def unprivileged() -> int | None:
    """Return whom a pooler that refuses to run as root runs as; None: the caller."""
    return pwd.getpwnam("nobody").pw_uid if geteuid() == 0 else None


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        port: int = found.getsockname()[1]
        return port
