import os
from pathlib import Path

import pytest

from trueup.servers.folders import create_run
from trueup.servers.leftovers import sweep


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


def test_sweep_leaves_the_socket_of_a_run_elsewhere_and_removes_it_with_that(tmp_path: Path) -> None:
    run = create_run(tmp_path / ("d" * 100))
    run.socket_folder.mkdir(0o700)

    sweep(run.socket_folder.parent)
    was_left = run.socket_folder.exists()
    os.close(run.lock)
    sweep(run.folder.parent)

    assert was_left
    assert not run.socket_folder.exists()


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
