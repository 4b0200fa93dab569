from pathlib import Path

import pytest

from trueup.cli.files import make_folder, write
from trueup.errors import Unverifiable, UsageError


def test_folder_is_made_with_those_above_it_and_nothing_is_left_in_it(tmp_path):
    make_folder(tmp_path / "a" / "b", "--report")

    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize(
    "folder", ["/proc", "/proc/reports", "taken", "taken/reports"], ids=["not writable", "below", "a file", "below one"]
)
def test_folder_that_takes_no_file_is_refused_before_any_work(tmp_path, monkeypatch, folder):
    (tmp_path / "taken").touch()
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError, match=rf"cannot write to {folder}: .*; name another folder by --junit"):
        make_folder(Path(folder), "--junit")


def test_file_that_can_not_be_written_is_named_and_the_old_one_stays(tmp_path):
    """A full disk, and what else happens while a database is verified."""
    file = tmp_path / "report.html"
    file.write_bytes(b"old")
    (tmp_path / ".report.html.unfinished").mkdir()

    with pytest.raises(Unverifiable, match=rf"cannot write {file}: Is a directory; .* another folder"):
        write(file, b"new")

    assert file.read_bytes() == b"old"
