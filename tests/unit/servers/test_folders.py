import os
from pathlib import Path

import pytest

from trueup.errors import ServerUnavailable
from trueup.servers import folders
from trueup.servers.folders import create_run, make_folder, place
from trueup.servers.leftovers import sweep


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


def test_socket_of_a_deep_folder_gets_a_short_path(tmp_path: Path) -> None:
    root = tmp_path / ("d" * 100) / ("e" * 100)
    run = create_run(root)
    os.close(run.lock)
    run.socket_folder.mkdir()

    assert len(str(run.socket_folder / ".s.PGSQL.65535.lock")) <= 107
    assert run.socket_folder.name.removeprefix("socket-") == run.folder.name.removeprefix("server-")

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
