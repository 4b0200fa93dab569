"""However its owner ends, a server ends with it and leaves no file."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from trueup.servers import EmbeddedServer
from trueup.servers.folders import place
from trueup.servers.leftovers import sweep

OWNER = """
import os, signal, sys, threading
from pathlib import Path
from trueup.servers import EmbeddedServer

with EmbeddedServer(cache_folder=Path(sys.argv[1])) as server:
    print(server.data_folder.parent, server.pid, server._keeper._process.pid, flush=True)
    {ending}
"""
WAIT = "threading.Event().wait(60)"


@dataclass(frozen=True)
class Owner:
    process: "subprocess.Popen[str]"
    folder: Path
    postmaster: int
    reaper: int

    def left(self) -> list[str]:
        """Return what is left of the server."""
        pids = {"postmaster": self.postmaster, "reaper": self.reaper}
        return [name for name, pid in pids.items() if is_alive(pid)] + ["folder"] * self.folder.exists()


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until(is_true: Callable[[], bool], patience_s: float = 5) -> bool:
    deadline = time.monotonic() + patience_s
    while not is_true():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.01)
    return True


@contextmanager
def owner(cache_folder: Path, ending: str = WAIT, **changes: object) -> Iterator[Owner]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", OWNER.format(ending=ending), str(cache_folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **changes,  # type: ignore[call-overload]
    )
    try:
        assert process.stdout
        assert process.stderr
        words = process.stdout.readline().split()
        if not words:
            pytest.fail(process.stderr.read())
        yield Owner(process, Path(words[0]), int(words[1]), int(words[2]))
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_nothing_is_left_when_a_signal_ends_the_owner(cache_folder: Path, number: signal.Signals) -> None:
    with owner(cache_folder) as owned:
        assert owned.left() == ["postmaster", "reaper", "folder"]

        owned.process.send_signal(number)

        assert wait_until(lambda: not owned.left()), owned.left()


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("pass", 0),
        ("sys.exit(3)", 3),
        ("os._exit(4)", 4),
        ("raise ValueError", 1),
        ("server._keeper._process.kill(); server._keeper._process.wait()", 0),
        ("os.kill(server.pid, signal.SIGKILL)", 0),
        ("os.kill(server.pid, signal.SIGSTOP)", 0),
        ("server.stop()", 0),
        ("server.close()", 0),
        ("threading.Thread(target=server.close).start()", 0),
    ],
)
def test_nothing_is_left_however_the_block_ends(cache_folder: Path, ending: str, status: int) -> None:
    with owner(cache_folder, ending) as owned:
        _, errors = owned.process.communicate(timeout=20)

        assert owned.process.returncode == status, errors
        assert "Warning" not in errors
        if "_process.kill" in ending:
            assert wait_until(lambda: sweep(owned.folder.parent) is not None and not owned.left())
        assert wait_until(lambda: not owned.left()), owned.left()


def test_interrupt_of_the_terminal_reaches_the_owner_alone(cache_folder: Path, tmp_path: Path) -> None:
    ending = f"""
    try:
        open({str(tmp_path / "ready")!r}, "w").close()
        {WAIT}
    except KeyboardInterrupt:
        from trueup.db import connect
        connection = connect(server.conninfo())
        print(connection.execute("select 42").fetchone()[0], flush=True)
        connection.close()
    """
    with owner(cache_folder, ending, start_new_session=True) as owned:
        assert wait_until((tmp_path / "ready").exists)
        os.killpg(owned.process.pid, signal.SIGINT)

        printed, errors = owned.process.communicate(timeout=20)

        assert printed.strip() == "42", errors
        assert wait_until(lambda: not owned.left())


def test_server_ends_at_once_when_its_reaper_is_killed_too(cache_folder: Path) -> None:
    with owner(cache_folder) as owned:
        os.kill(owned.process.pid, signal.SIGKILL)
        os.kill(owned.reaper, signal.SIGKILL)

        assert wait_until(lambda: set(owned.left()) <= {"folder"}), owned.left()
        with EmbeddedServer(cache_folder=cache_folder):
            assert owned.left() == []


def test_stopped_reaper_and_killed_owner_are_no_reason_to_sweep(cache_folder: Path) -> None:
    with owner(cache_folder) as owned:
        os.kill(owned.reaper, signal.SIGSTOP)
        os.kill(owned.process.pid, signal.SIGKILL)

        sweep(owned.folder.parent)

        assert owned.left() == ["postmaster", "reaper", "folder"]
        os.kill(owned.reaper, signal.SIGCONT)
        assert wait_until(lambda: not owned.left()), owned.left()


def test_forked_child_does_not_keep_the_server_alive(cache_folder: Path) -> None:
    ending = f"""
    child = os.fork()
    if child == 0:
        os.close(1)
        os.close(2)
        {WAIT}
    print(child, flush=True)
    {WAIT}
    """
    with owner(cache_folder, ending) as owned:
        assert owned.process.stdout
        child = int(owned.process.stdout.readline())
        try:
            owned.process.kill()

            assert wait_until(lambda: not owned.left()), owned.left()
            assert is_alive(child)
        finally:
            os.kill(child, signal.SIGKILL)


def test_forked_child_does_not_end_the_server(cache_folder: Path) -> None:
    ending = """
    child = os.fork()
    if child == 0:
        server.close()
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    server.create_database("still_there")
    print("served", flush=True)
    """
    with owner(cache_folder, ending) as owned:
        printed, errors = owned.process.communicate(timeout=20)

        assert printed.strip() == "served", errors


def test_program_started_meanwhile_does_not_keep_the_server_alive(cache_folder: Path) -> None:
    ending = f"""
    import subprocess
    other = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False)
    print(other.pid, flush=True)
    {WAIT}
    """
    with owner(cache_folder, ending) as owned:
        assert owned.process.stdout
        other = int(owned.process.stdout.readline())
        try:
            owned.process.kill()

            assert wait_until(lambda: not owned.left()), owned.left()
        finally:
            os.kill(other, signal.SIGKILL)


def test_left_server_of_a_dead_reaper_is_ended_by_the_sweep(cache_folder: Path, server18: EmbeddedServer) -> None:
    root = place(cache_folder).root
    with owner(cache_folder) as owned:
        orphan = restart_without_reaper(owned, server18)
        os.kill(owned.reaper, signal.SIGKILL)

        assert wait_until(lambda: sweep(root) is not None and not owned.left())
        assert not is_alive(orphan)


def restart_without_reaper(owned: Owner, server: EmbeddedServer) -> int:
    """Put a server into the folder that nobody watches, as where the kernel does not tell of a parent's death."""
    data = owned.folder / "data"
    os.kill(owned.postmaster, signal.SIGQUIT)
    assert wait_until(lambda: not (data / "postmaster.pid").exists())
    account = {"user": data.stat().st_uid, "group": data.stat().st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    process = subprocess.Popen(
        [server.installation.program("postgres"), "-D", str(data)],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **account,  # type: ignore[call-overload]
    )
    threading.Thread(target=process.wait, daemon=True).start()
    assert wait_until(lambda: (data / "postmaster.pid").exists() and "ready" in (data / "postmaster.pid").read_text())
    return process.pid


def test_killed_server_leaves_no_shared_memory(cache_folder: Path) -> None:
    with EmbeddedServer(cache_folder=cache_folder) as server:
        number = (server.data_folder / "postmaster.pid").read_text().splitlines()[6].split()[1]
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        assert number in segments()

    assert number not in segments()


def segments() -> list[str]:
    return [line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]


def test_hanging_backend_does_not_delay_the_end(cache_folder: Path) -> None:
    with owner(
        cache_folder,
        "import psycopg; c = psycopg.connect(server.conninfo().reveal()); "
        "os.kill(c.info.backend_pid, signal.SIGSTOP); print(c.info.backend_pid, flush=True); " + WAIT,
    ) as owned:
        assert owned.process.stdout
        backend = int(owned.process.stdout.readline())

        owned.process.kill()

        assert wait_until(lambda: not owned.left() and not is_alive(backend)), owned.left()
