import os
from pathlib import Path

import pytest

from trueup.servers.image import pack
from trueup.servers.saved import KEPT, find_saved, forget_oldest, saved_file


@pytest.fixture
def image(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "images").mkdir()
    file = tmp_path / "images" / "postgresql-18.4-C-abc.image"
    pack(tmp_path / "data", file)
    return file


def save(image: Path, name: str, age: int) -> Path:
    file = saved_file(image, name)
    pack(image.parents[1] / "data", file)
    os.utime(file, (age, age))
    return file


def test_what_was_never_saved_is_not_found(image: Path) -> None:
    assert find_saved(image, "a") is None


def test_half_a_file_is_not_found(image: Path) -> None:
    file = save(image, "a", 1)
    file.write_bytes(file.read_bytes()[:-1])

    assert find_saved(image, "a") is None


def test_another_image_has_other_states(image: Path) -> None:
    save(image, "a", 1)

    assert find_saved(image.with_name("postgresql-18.5-C-abc.image"), "a") is None


def test_those_unused_for_longest_go_first_and_images_stay(image: Path) -> None:
    files = [save(image, f"s{number}", number + 1) for number in range(KEPT + 2)]
    find_saved(image, "s0")

    forget_oldest(image.parent)

    assert files[0].exists()
    assert not files[1].exists()
    assert not files[2].exists()
    assert all(file.exists() for file in files[3:])
    assert image.exists()
