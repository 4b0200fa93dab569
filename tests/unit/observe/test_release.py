from pathlib import Path

import pytest

from trueup.observe.release import find_commit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def git(tmp_path) -> Path:
    git = tmp_path / ".git"
    (git / "refs/heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    return git


def test_commit_of_a_branch_is_found_from_a_folder_below(git, tmp_path):
    (git / "refs/heads/main").write_text(f"{COMMIT}\n")
    (tmp_path / "src/salon").mkdir(parents=True)

    assert find_commit(tmp_path / "src/salon") == COMMIT


def test_packed_branch_is_found(git, tmp_path):
    (git / "packed-refs").write_text(
        f"# pack-refs with: peeled\n{'f' * 40} refs/heads/other\n{COMMIT} refs/heads/main\n"
    )

    assert find_commit(tmp_path) == COMMIT


def test_detached_head_is_the_commit(git, tmp_path):
    (git / "HEAD").write_text(f"{COMMIT}\n")

    assert find_commit(tmp_path) == COMMIT


def test_worktree_is_followed(git, tmp_path):
    (git / "refs/heads/main").write_text(f"{COMMIT}\n")
    own = git / "worktrees/feature"
    own.mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/main\n")
    (own / "commondir").write_text("../..\n")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/.git").write_text(f"gitdir: {own}\n")

    assert find_commit(tmp_path / "tree") == COMMIT


@pytest.mark.parametrize("head", ["", "ref: refs/heads/gone\n", "Anna Petrova\n"])
def test_what_cannot_be_read_is_no_commit(git, tmp_path, head):
    (git / "HEAD").write_text(head)

    assert find_commit(tmp_path) is None


def test_folder_outside_of_a_checkout_has_no_commit(tmp_path):
    assert find_commit(tmp_path) is None


def test_git_file_that_is_no_text_is_no_commit(tmp_path):
    (tmp_path / ".git").write_bytes(b"\xff\xfe")

    assert find_commit(tmp_path) is None
