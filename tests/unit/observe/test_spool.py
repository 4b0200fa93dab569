import json
import os
import stat

import pytest

from trueup.observe.spool import Spool

LIMIT = 10_000


def line(number: int) -> bytes:
    return json.dumps({"event_id": f"{number:032x}"}).encode()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "events"


def left_behind(folder, *lines: bytes, done: int = 0) -> None:
    """Leave a file as a process does that is killed."""
    dead = Spool(folder, LIMIT)
    for each in lines:
        dead.append(each)
    for each in lines[:done]:
        dead.remove_first(each, [])
    os.close(dead.file)


def test_events_of_a_killed_process_are_taken_over_and_its_file_removed(folder):
    left_behind(folder, line(1), line(2), line(3), done=1)
    heir = Spool(folder, LIMIT)

    assert heir.adopt() == ([line(2), line(3)], 0)
    assert list(folder.iterdir()) == [heir.path]

    os.close(heir.file)
    assert Spool(folder, LIMIT).adopt() == ([line(2), line(3)], 0)


def test_file_of_a_living_process_is_left_alone(folder):
    living = Spool(folder, LIMIT)
    living.append(line(1))

    assert Spool(folder, LIMIT).adopt() == ([], 0)
    assert living.path
    assert living.path.exists()
    living.close()


def test_write_that_was_cut_off_is_counted(folder):
    left_behind(folder, line(1), b'{"event_id": "2')

    assert Spool(folder, LIMIT).adopt() == ([line(1)], 1)


def test_file_is_for_the_user_alone(folder):
    spool = Spool(folder, LIMIT)
    spool.append(line(1))

    assert spool.path
    assert stat.S_IMODE(spool.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    spool.close()


def test_no_event_no_file(folder):
    Spool(folder, LIMIT).close()

    assert not folder.exists()


def test_file_without_events_is_removed_at_the_end(folder):
    spool = Spool(folder, LIMIT)
    spool.append(line(1))
    spool.remove_first(line(1), [])
    spool.close()

    assert list(folder.iterdir()) == []


def test_file_shrinks_when_all_is_done(folder):
    spool = Spool(folder, LIMIT)
    for number in range(50):
        spool.append(line(number))
    for number in range(50):
        spool.remove_first(line(number), [])

    assert spool.path
    assert spool.path.stat().st_size < 30
    spool.close()


def test_file_that_never_empties_is_bounded(folder):
    spool = Spool(folder, LIMIT)
    spool.append(line(0))
    for number in range(1, 2_000):
        spool.append(line(number))
        spool.remove_first(line(number - 1), [line(number)])

    assert spool.path
    assert spool.path.stat().st_size <= 2 * LIMIT + 200
    os.close(spool.file)
    assert Spool(folder, LIMIT).adopt() == ([line(1_999)], 0)


def test_folder_that_cannot_be_made_costs_durability_alone(tmp_path):
    (tmp_path / "file").write_text("")
    spool = Spool(tmp_path / "file" / "events", LIMIT)

    spool.append(line(1))

    assert not spool.is_durable
    spool.remove_first(line(1), [])
    assert not spool.is_durable


def test_disk_that_works_again_gets_what_waits(folder):
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("in the way")
    spool = Spool(folder, LIMIT)
    spool.append(line(1))
    spool.append(line(2))
    assert not spool.is_durable
    folder.unlink()

    spool.remove_first(line(1), [line(2)])

    assert spool.is_durable
    os.close(spool.file)
    assert Spool(folder, LIMIT).adopt() == ([line(2)], 0)


def test_disk_that_is_full_is_noticed(folder):
    spool = Spool(folder, LIMIT)
    spool.append(line(1))
    full = os.open("/dev/full", os.O_RDWR)
    os.dup2(full, spool.file)
    os.close(full)

    spool.append(line(2))

    assert not spool.is_durable


def test_child_of_a_fork_begins_without_the_file(folder):
    spool = Spool(folder, LIMIT)
    spool.append(line(1))
    parents = spool.path

    spool.orphan()
    spool.append(line(2))

    assert spool.path != parents
    spool.close()


def test_limit_holds_for_what_is_taken_over(folder):
    for start in (0, 1_000):
        left_behind(folder, *(line(start + n) for n in range(300)))
    heir = Spool(folder, LIMIT)

    lines, _ = heir.adopt()

    assert len(lines) == 300
    heir.close()
