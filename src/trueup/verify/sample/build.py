"""The sample, built on one server and moved to another."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

from trueup.conninfo import ConnInfo
from trueup.verify.sample.damage import plant
from trueup.verify.sample.datasets import datasets
from trueup.verify.sample.load import load
from trueup.verify.sample.move import move

DATABASE = "sample"


class Server(Protocol):
    """Is what a server has to offer."""

    @property
    def version(self) -> int:
        """Return its major version."""

    @property
    def bin_folder(self) -> Path:
        """Return where its programs are."""

    def create_database(self, name: str) -> ConnInfo:
        """Create an empty database."""


def build_sample(
    source: Server,
    target: Server,
    *,
    drifted: bool = False,
    on_phase: Callable[[str], AbstractContextManager[object]] = nullcontext,
    folder: Path | None = None,
) -> tuple[ConnInfo, ConnInfo]:
    """Create the database `sample` on both servers: loaded into the source, moved to the target as people do it.

    `drifted` plants `DAMAGES` in the target; without it both sides are the same. Each phase runs inside
    `on_phase(its name)`. `folder` holds other data sets in the same layout, such as all flights of the year.

    Raises:
        Unverifiable: the data sets are missing or not the known ones, or pg_dump or psql failed.
    """
    sets = datasets(folder)
    with on_phase("build the source"):
        original = source.create_database(DATABASE)
        with ThreadPoolExecutor(max_workers=len(sets)) as executor:
            list(executor.map(load, sets, [original] * len(sets)))
    with on_phase("move it to the target"):
        copy = target.create_database(DATABASE)
        newest = max(source, target, key=lambda server: server.version)
        move(original, copy, bin_folder=newest.bin_folder)
    if drifted:
        with on_phase("damage the target"):
            plant(copy)
    return original, copy
