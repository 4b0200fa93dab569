import os
from pathlib import Path

import pytest

from trueup.servers.image import BLOCK, is_whole, pack, stretches
from trueup.servers.reaper import unpack


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (bytes(3 * BLOCK), []),
        (b"a", [(0, 1)]),
        (bytes(BLOCK) + b"a", [(BLOCK, BLOCK + 1)]),
        (b"a" + bytes(2 * BLOCK), [(0, BLOCK)]),
        (b"a" * BLOCK + bytes(BLOCK) + b"b" * 2 * BLOCK, [(0, BLOCK), (2 * BLOCK, 4 * BLOCK)]),
    ],
)
def test_whole_blocks_of_zeros_are_left_out(content: bytes, expected: list[tuple[int, int]]) -> None:
    assert list(stretches(content)) == expected


def test_unpacked_image_is_what_was_packed(tmp_path: Path) -> None:
    contents = {
        "empty": b"",
        "zeros": bytes(3 * BLOCK),
        "short": b"text",
        "sub/first": b"a" * BLOCK + bytes(BLOCK) + b"tail",
        "sub/equal": b"a" * BLOCK + bytes(2 * BLOCK),
        "sub/ends in zeros": b"b" + bytes(BLOCK + 5),
    }
    original, copy = tmp_path / "original", tmp_path / "copy"
    for name, content in contents.items():
        (original / name).parent.mkdir(parents=True, exist_ok=True)
        (original / name).write_bytes(content)
    (original / "sub/empty folder").mkdir()
    (original / "short").chmod(0o640)
    pack(original, tmp_path / "packed.image")
    copy.mkdir()

    unpack(str(tmp_path / "packed.image"), str(copy), "all")

    assert {str(path.relative_to(copy)): path.read_bytes() for path in copy.rglob("*") if path.is_file()} == contents
    assert (copy / "sub/empty folder").is_dir()
    assert (copy / "short").stat().st_mode & 0o777 == 0o640


def test_every_file_belongs_to_one_stage(tmp_path: Path) -> None:
    early = {"PG_VERSION", "global", "global/1", "base"}
    late, ready = {"base/5", "base/5/1"}, {"base/5/pg_internal.init", "global/pg_internal.init"}
    original, copy = tmp_path / "original", tmp_path / "copy"
    for name in early - {"global", "base"} | late - {"base/5"} | ready | {"conf"}:
        (original / name).parent.mkdir(parents=True, exist_ok=True)
        (original / name).write_text(name, encoding="utf-8")
    pack(original, tmp_path / "packed.image", without={"conf"})
    copy.mkdir()
    seen = []

    for stage in ("early", "late", "ready"):
        unpack(str(tmp_path / "packed.image"), str(copy), stage)
        seen.append({str(path.relative_to(copy)) for path in copy.rglob("*")})

    assert seen == [early, early | late, early | late | ready]


def test_equal_content_is_stored_once(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for number in range(10):
        (tmp_path / "folder" / str(number)).write_bytes(b"same" * BLOCK)

    pack(tmp_path / "folder", tmp_path / "packed.image")

    assert (tmp_path / "packed.image").stat().st_size < 5 * BLOCK


def test_cut_image_is_not_whole(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_bytes(b"content")
    image = tmp_path / "packed.image"
    pack(tmp_path / "folder", image)
    assert is_whole(image)

    os.truncate(image, image.stat().st_size - 1)

    assert not is_whole(image)
    assert not is_whole(tmp_path / "absent.image")


def test_image_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    before = os.umask(0)

    try:
        pack(tmp_path / "folder", tmp_path / "packed.image")
    finally:
        os.umask(before)

    assert (tmp_path / "packed.image").stat().st_mode & 0o777 == 0o600
