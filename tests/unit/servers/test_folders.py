import os
from pathlib import Path

import pytest

from trueup.errors import ServerUnavailable
from trueup.servers import folders
from trueup.servers.folders import create_run, make_folder, place, sweep


def test_data_goes_to_memory_when_there_is_room(tmp_path: Path) -> None:
    placement = place(tmp_path / "cache", ram=tmp_path)

    assert placement.root == tmp_path / f"trueup-{os.geteuid()}"
    assert "MB free" in placement.reason


def test_data_goes_to_the_cache_where_there_is_no_memory_folder(tmp_path: Path) -> None:
    placement = place(tmp_path / "cache", ram=tmp_path / "absent")

    assert placement.root == tmp_path / "cache" / "servers"
    assert "not there" in placement.reason


def test_data_goes_to_the_cache_when_memory_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "NEEDED_BYTES", 1 << 60)

    assert "needed" in place(tmp_path / "cache", ram=tmp_path).reason


def test_folder_that_others_may_write_to_is_not_trusted(tmp_path: Path) -> None:
    root = tmp_path / f"trueup-{os.geteuid()}"
    root.mkdir()
    root.chmod(0o777)

    placement = place(tmp_path / "cache", ram=tmp_path)

    assert placement.root == tmp_path / "cache" / "servers"
    assert "belongs to somebody else" in placement.reason
    with pytest.raises(ServerUnavailable, match="remove it"):
        make_folder(root)


def test_symbolic_link_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / f"trueup-{os.geteuid()}").symlink_to(tmp_path / "elsewhere")

    assert place(tmp_path / "cache", ram=tmp_path).root == tmp_path / "cache" / "servers"


def test_abandoned_run_is_removed(tmp_path: Path) -> None:
    run = create_run(tmp_path / "root")
    (run.folder / "data").mkdir()
    (run.folder / "data" / "file").write_text("x")
    os.close(run.lock)

    assert sweep(tmp_path / "root") == [run.folder]
    assert not run.folder.exists()


def test_sweep_leaves_what_is_in_use_or_not_of_our_shape(tmp_path: Path) -> None:
    root = tmp_path / "root"
    run = create_run(root)
    foreign = [root / "server-xyz", root / "server-0123456789ABCDEF", root / "mine"]
    for folder in foreign:
        folder.mkdir()
    (tmp_path / "outside").mkdir()
    (root / "server-0123456789abcdef").symlink_to(tmp_path / "outside")
    (root / "server-00000000000000ff").write_text("a file")

    try:
        assert sweep(root) == []
        assert run.folder.exists()
        assert all(folder.exists() for folder in foreign)
        assert (tmp_path / "outside").exists()
    finally:
        os.close(run.lock)


def test_sweep_does_not_follow_links_out_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("keep")
    run = create_run(tmp_path / "root")
    (run.folder / "link").symlink_to(tmp_path / "precious")
    os.close(run.lock)

    sweep(tmp_path / "root")

    assert (tmp_path / "precious" / "file").read_text() == "keep"


def test_postmaster_pid_of_another_process_kills_nobody(tmp_path: Path) -> None:
    run = create_run(tmp_path / "root")
    run.data.mkdir()
    (run.data / "postmaster.pid").write_text(f"{os.getpid()}\n{run.data}\n")
    os.close(run.lock)

    sweep(tmp_path / "root")

    assert not run.folder.exists()


@pytest.mark.parametrize("text", ["", "not a number\n", "-1\n", "99999999999\n"])
def test_broken_postmaster_pid_is_no_obstacle(tmp_path: Path, text: str) -> None:
    run = create_run(tmp_path / "root")
    run.data.mkdir()
    (run.data / "postmaster.pid").write_text(text)
    os.close(run.lock)

    assert sweep(tmp_path / "root") == [run.folder]


def test_socket_of_a_deep_folder_gets_a_short_path(tmp_path: Path) -> None:
    root = tmp_path / ("d" * 100) / ("e" * 100)
    run = create_run(root)
    os.close(run.lock)
    run.socket_folder.mkdir()

    assert len(str(run.socket_folder / ".s.PGSQL.65535.lock")) <= 107
    assert run.socket_folder.name == run.folder.name

    sweep(root)
    assert not run.socket_folder.exists()


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_folders_do_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        folder = make_folder(tmp_path / "a" / "b")
    finally:
        os.umask(before)

    assert folder.stat().st_mode & 0o777 == (0o711 if os.geteuid() == 0 else 0o700)
    assert folder.parent.stat().st_mode & 0o777 == folder.stat().st_mode & 0o777
