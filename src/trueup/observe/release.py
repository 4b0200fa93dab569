"""Which commit runs here, read from the files of git: no program is started for it.

Source: gitrepository-layout(5).
"""

import re
from pathlib import Path

COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def find_commit(folder: Path) -> str | None:
    """Return the commit checked out at or above a folder; None when there is none that can be read."""
    try:
        for place in (folder.absolute(), *folder.absolute().parents):
            if (found := place / ".git").exists():
                return read_head(follow(found))
    except (OSError, UnicodeDecodeError):
        return None
    return None


def follow(found: Path) -> Path:
    """Return git's folder: the file that a worktree has in its place says where it is."""
    if found.is_dir():
        return found
    return found.parent / found.read_text(encoding="utf-8").removeprefix("gitdir:").strip()


def read_head(git: Path) -> str | None:
    """Return the commit that HEAD names."""
    head = (git / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref:"):
        return commit(head)
    reference = head.removeprefix("ref:").strip()
    shared = git / (git / "commondir").read_text(encoding="utf-8").strip() if (git / "commondir").is_file() else git
    for place in (git, shared):
        if (place / reference).is_file():
            return commit((place / reference).read_text(encoding="utf-8").strip())
    packed = shared / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    return next((commit(line.split(" ")[0]) for line in lines if line.endswith(f" {reference}")), None)


def commit(text: str) -> str | None:
    """Return a commit's name."""
    return text if COMMIT.fullmatch(text) else None
