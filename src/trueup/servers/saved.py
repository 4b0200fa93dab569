"""States of a server that are kept under a name, so that the next server starts with what took long to build."""

import os
from pathlib import Path

from trueup.servers.cluster import store
from trueup.servers.folders import Run, locked
from trueup.servers.image import is_whole

KEPT = 8
"""How many are kept; those that were not used for the longest time go first."""


def saved_file(image: Path, name: str) -> Path:
    """Return where the state of that name is kept which was built on an image."""
    return image.with_name(f"{image.stem}.{name}.saved")


def find_saved(image: Path, name: str) -> Path | None:
    """Return a saved state, which counts as used now; None: there is none."""
    file = saved_file(image, name)
    if not is_whole(file):
        return None
    os.utime(file)
    return file


def save(run: Run, image: Path, name: str) -> None:
    """Keep the data directory of a stopped server; what somebody else has saved under that name stays.

    Raises:
        ServerUnavailable: it can't be written.
    """
    with locked(image.parent / "saved.lock"):
        if find_saved(image, name) is None:
            store(run, saved_file(image, name))
            forget_oldest(image.parent)


def forget_oldest(folder: Path) -> None:
    """Remove the states that were not used for the longest time."""
    by_age = sorted(folder.glob("*.saved"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in by_age[KEPT:]:
        file.unlink(missing_ok=True)
