"""What a data directory of ours is like: its locale, its settings, and the image that it is copied from."""

import hashlib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from trueup.errors import ServerUnavailable, UsageError
from trueup.servers.account import Account
from trueup.servers.folders import Run, create_run, locked, make_folder
from trueup.servers.image import is_whole, pack
from trueup.servers.keeper import Keeper
from trueup.servers.wheel import Installation

INITDB_S = 120.0
FORMAT = "3"
"""Changes with what `store` does."""
OWN_FILES = frozenset({"pg_hba.conf", "postgresql.conf"})
"""Are written for each server."""
LOCALES = ("C.UTF-8", "C")
"""In the order in which they are tried: not every machine's C library has the first."""

SETTINGS: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "1h",
    "shared_buffers": "32MB",
    "max_connections": "150",
    "max_locks_per_transaction": "128",
    "autovacuum": "off",
    "jit": "off",
    "dynamic_shared_memory_type": "mmap",
    "unix_socket_permissions": "0700",
    "log_line_prefix": "%m [%p] %d ",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "ISO, MDY",
    "default_text_search_config": "pg_catalog.english",
    "lc_messages": "C",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
}
"""Nothing has to survive a crash. Shared memory is mapped from the data directory, so that none is left when a server
is killed. Statistics are as a test last left them, for autovacuum does not run."""

ACCESS_BY_SOCKET = "local all all trust\nlocal replication all trust\n"
ACCESS_BY_TCP = ACCESS_BY_SOCKET + "host all all 127.0.0.1/32 trust\n"


def settings_of(version: int) -> dict[str, str]:
    """Return the settings of a major version."""
    return {**SETTINGS, "io_method": "sync"} if version >= 18 else dict(SETTINGS)


def render(settings: Mapping[str, str]) -> str:
    """Return the text of postgresql.conf.

    Raises:
        UsageError: a setting can't be written in one line.
    """
    for name, value in settings.items():
        if not name.replace("_", "").replace(".", "").isalnum() or "\n" in value:
            raise UsageError(f"not a setting of PostgreSQL: {name!r}")
    quoted = {name: value.replace("\\", "\\\\").replace("'", "''") for name, value in settings.items()}
    return "".join(f"{name} = '{value}'\n" for name, value in quoted.items())


def initdb_options(version: int, locale: str) -> tuple[str, ...]:
    """Return how a data directory is initialised; from 18 on, sorting and case need no locale of the C library."""
    always = ("--username=postgres", "--auth=trust", "--encoding=UTF8", f"--locale={locale}", "--no-sync")
    if version < 18:
        return always
    return (*always, "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-data-checksums")


def image_name(installed: Installation, locale: str) -> str:
    """Return the file name of an image: another wheel or other options give another one."""
    facts = (FORMAT, installed.package_version, *initdb_options(installed.version, locale))
    digest = hashlib.sha256("\0".join(facts).encode()).hexdigest()[:12]
    return f"postgresql-{installed.full_version}-{locale}-{digest}.image"


def find_image(installed: Installation, cache_folder: Path) -> tuple[Path, str] | None:
    """Return the image of an installation, and its locale; None: there is none yet."""
    for locale in LOCALES:
        file = cache_folder / "images" / image_name(installed, locale)
        if is_whole(file):
            return file, locale
    return None


def image(installed: Installation, cache_folder: Path, root: Path, account: Account) -> Path:
    """Return the image of an installation, built below `root` when it is not there yet.

    Processes that ask at the same time wait for the one that builds it.

    Raises:
        ServerUnavailable: it can't be built or stored; with the reason.
    """
    if found := find_image(installed, cache_folder):
        return found[0]
    folder = make_folder(cache_folder / "images")
    with locked(folder / f"postgresql-{installed.full_version}.lock"):
        if found := find_image(installed, cache_folder):
            return found[0]
        return build_image(installed, folder, root, account)


def build_image(installed: Installation, folder: Path, root: Path, account: Account) -> Path:
    """Initialise a data directory below `root`, in the first locale that the machine has, and pack it."""
    status, tail = None, ""
    for locale in LOCALES:
        run = create_run(root)
        with closing(Keeper(run, account)) as keeper:
            run.data.mkdir(0o700)
            account.owns(run.data)
            options = initdb_options(installed.version, locale)
            keeper.start(installed.program("initdb"), f"--pgdata={run.data}", *options)
            status = keeper.wait(INITDB_S)
            if status == 0:
                return store(run, folder / image_name(installed, locale))
            tail = keeper.log_tail()
        if "locale" not in tail:
            break
    raise ServerUnavailable(f"initdb of PostgreSQL {installed.full_version} failed ({status=}): {tail}")


def store(run: Run, file: Path) -> Path:
    """Pack the data directory of a run into a file, and return that.

    Free space and visibility maps are left out, a quarter of all files: PostgreSQL makes them again where it wants
    them, and the time of a start, as of `create database`, goes by the number of files.
    Source: PostgreSQL manual, "Free Space Map" and "Visibility Map"; src/backend/storage/freespace/README.
    """
    try:
        for fork in (path for pattern in ("*_fsm", "*_vm") for path in run.data.rglob(pattern)):
            fork.unlink()
        pack(run.data, file, without=OWN_FILES)
    except OSError as error:
        raise ServerUnavailable(
            f"cannot write {file}: {error.strerror}; make room, or name another cache folder by TRUEUP_CACHE_DIR"
        ) from error
    return file
