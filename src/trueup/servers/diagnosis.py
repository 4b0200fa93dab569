"""What can be told about the servers of this machine without starting one."""

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
    remedy: str | None
    """What to do when no installation was found; None: nothing has to be done."""


def diagnose(cache_folder: Path) -> Diagnosis:
    """Look for installations and choose the place of data directories; creates nothing."""
    found = installations()
    images = {each.version: image for each in found if (image := find_image(each, cache_folder))}
    return Diagnosis(
        installations=found,
        placement=place(cache_folder),
        runs_as=account().name,
        images=MappingProxyType(images),
        remedy=None if found else REMEDY,
    )
