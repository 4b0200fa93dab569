"""A disk that is full, and a server that goes on."""

import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg.errors import DiskFull

from trueup.db import connect
from trueup.errors import Unverifiable
from trueup.testing.faults import disk_server, small_disk

FILL = "insert into t select repeat('x', 1000) from generate_series(1, 200)"


@pytest.fixture(autouse=True, scope="module")
def where_allowed(cache_folder: Path) -> None:
    try:
        with small_disk(cache_folder=cache_folder):
            pass
    except Unverifiable as refusal:
        pytest.skip(str(refusal))


@pytest.mark.parametrize("version", [16, 18])
def test_full_disk_refuses_rows_and_takes_them_again_when_it_is_freed(version: int, cache_folder: Path) -> None:
    with small_disk(version, cache_folder=cache_folder) as disk, connect(disk.conninfo) as connection:
        connection.execute("create table t (note text)")
        connection.execute(FILL)

        disk.fill()
        with pytest.raises(DiskFull):
            connection.execute(FILL)
        assert connection.execute("select count(*) from t").fetchone() == (200,)

        disk.free()
        connection.execute(FILL)
        assert connection.execute("select count(*) from t").fetchone() == (400,)


def test_disk_has_the_size_that_was_asked_for(cache_folder: Path) -> None:
    with (
        small_disk(cache_folder=cache_folder, size_bytes=1 << 20) as disk,
        connect(disk.conninfo) as connection,
    ):
        connection.execute("create table t (note text)")
        with pytest.raises(DiskFull):
            connection.execute(FILL.replace("200", "2000"))


def test_nothing_is_left_of_a_small_disk(cache_folder: Path) -> None:
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    with small_disk(cache_folder=cache_folder) as disk:
        inside = Path("/proc/self/mounts").read_text(encoding="utf-8")
        tree = psutil.Process(disk._process.pid).children(recursive=True)

    assert inside == mounts, "only the server sees it"
    assert tree
    assert psutil.wait_procs(tree, timeout=10)[1] == []
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(disk.conninfo.reveal())


def test_server_that_ends_is_told(cache_folder: Path) -> None:
    with small_disk(cache_folder=cache_folder) as disk:
        disk._process.kill()

        with pytest.raises(Unverifiable, match="ended"):
            disk.fill()


def test_version_that_is_not_installed_is_told_with_its_reason(cache_folder: Path) -> None:
    with pytest.raises(Unverifiable, match="12"), small_disk(12, cache_folder=cache_folder):
        raise AssertionError


def test_what_the_system_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unverifiable, match=r"a small disk \(.*\); run as root"):
        disk_server.ask(-1, "a small disk")

    monkeypatch.setattr(disk_server, "PLACES", (Path(__file__).parent,))
    with pytest.raises(Unverifiable, match="an empty folder"):
        disk_server.mount(1)


def test_ordinary_user_gets_a_disk_in_a_namespace_of_their_own() -> None:
    """A process that gave up being root for good; the disk is only its own."""
    program = (
        "import ctypes, os, sys\n"
        "from trueup.testing.faults import disk_server\n"
        "if os.geteuid() == 0:\n"
        "    os.setgroups([]); os.setgid(65534); os.setuid(65534); ctypes.CDLL(None).prctl(4, 1)\n"
        "place = disk_server.mount(1 << 20)\n"
        "disk_server.obey('fill', place); full = os.statvfs(place).f_bavail\n"
        "disk_server.obey('free', place); print(full, os.statvfs(place).f_bavail * os.statvfs(place).f_bsize)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)

    if "user namespaces" in done.stderr:
        pytest.skip(done.stderr.splitlines()[-1])
    assert done.stdout.split() == ["0", str(1 << 20)], done.stderr
