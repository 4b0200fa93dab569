"""What can be told about the servers of this machine without starting one."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from trueup.servers.account import account
from trueup.servers.cluster import find_image
from trueup.servers.folders import Placement, place
from trueup.servers.wheel import REMEDY, Installation, installations


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Is what `trueup doctor` shows of servers."""

    installations: tuple[Installation, ...]
    """The newest first."""
    placement: Placement
    """Where data directories go, and why there."""
    runs_as: str
    """The account that servers run as."""
    images: Mapping[int, tuple[Path, str]]
    """By major version: the image that a start copies, and its locale. Without one, the first start makes it."""
    problem: str | None
    """Why none can be started, and what to do; None: nothing has to be done."""


def diagnose(cache_folder: Path) -> Diagnosis:
    """Look for installations and choose the place of data directories; creates nothing."""
    found = installations()
    images = {each.version: image for each in found if (image := find_image(each, cache_folder))}
    return Diagnosis(
        installations=found,
        placement=place(cache_folder),
        runs_as=account().name,
        images=MappingProxyType(images),
        problem=problem_of(found, cache_folder),
    )


def problem_of(found: tuple[Installation, ...], cache_folder: Path) -> str | None:
    """Return why no server can be started, and what to do about it; None where one can be, as far as can be seen."""
    if not found:
        return f"no embedded PostgreSQL: {REMEDY}"
    nearest = next(each for each in (cache_folder, *cache_folder.parents) if each.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return None
    return f"{cache_folder} is not writable: make it so, or name another cache folder by TRUEUP_CACHE_DIR"
