"""Where servers keep their files.

ROOT/                   ours alone: /dev/shm/trueup-UID, or `servers` in the cache folder
    lock                held while a run folder is created, or while leftovers are looked for
    server-HEX/         one run; `data`, `socket` and `log` are in it
        lock            held by the run's reaper as long as it lives
"""

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from trueup.errors import ServerUnavailable
from trueup.servers.reaper import remove_tree

RAM = Path("/dev/shm")  # noqa: S108  the folder in it is checked to be ours
SOCKET_ROOTS = (RAM, Path("/tmp"))  # noqa: S108
NEEDED_BYTES = 512 * 2**20
SOCKET_PATH_BYTES = 107
"""What `sockaddr_un` holds, without the final zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Says where data directories go, and why there."""

    root: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Is the folder of one server, locked by `lock` (a descriptor) until its reaper has inherited that."""

    folder: Path
    socket_folder: Path
    lock: int

    @property
    def data(self) -> Path:
        """Return the data directory of PostgreSQL."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """Return the file that holds what the server printed."""
        return self.folder / "log"


def place(cache_folder: Path, *, ram: Path = RAM) -> Placement:
    """Choose RAM when it is there, ours and roomy; else the cache folder."""
    disk = cache_folder / "servers"
    if not (ram.is_dir() and os.access(ram, os.W_OK | os.X_OK)):
        return Placement(root=disk, reason=f"{ram} is not there or not writable")
    free = min(free_bytes(ram), available_memory_bytes())
    if free < NEEDED_BYTES:
        return Placement(root=disk, reason=f"{ram} has {free >> 20} MB free of the {NEEDED_BYTES >> 20} MB needed")
    root = short_root(ram)
    if root.exists() and not is_ours(root):
        return Placement(root=disk, reason=f"{root} belongs to somebody else")
    return Placement(root=root, reason=f"{ram} is in memory and has {free >> 20} MB free")


def short_root(place: Path) -> Path:
    """Return our own folder in one that everybody may write to."""
    return place / f"trueup-{os.geteuid()}"


def free_bytes(folder: Path) -> int:
    """Return what an ordinary user may still write to the file system of `folder`."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def available_memory_bytes() -> int:
    """Return the memory that can be used without swapping; where the kernel does not tell, more than anyone has."""
    with suppress(OSError):
        found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"))
        if found:
            return int(found[1]) * 1024
    return 1 << 62


def is_ours(folder: Path) -> bool:
    """Say whether `folder` is a real folder that nobody but we can write to."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def make_folder(folder: Path) -> Path:
    """Create a folder of ours where it is missing: for root, others may pass through it; for a user, nobody.

    Raises:
        ServerUnavailable: it cannot be created or written to, or belongs to somebody else.
    """
    mode = 0o711 if os.geteuid() == 0 else 0o700
    try:
        for missing in [each for each in reversed((folder, *folder.parents)) if not each.exists()]:
            with suppress(FileExistsError):
                missing.mkdir(mode)
                missing.chmod(mode)  # whatever the umask
    except OSError as error:
        raise ServerUnavailable(
            f"cannot create {folder}: {error.strerror}; make it writable, or name another cache folder"
            " by TRUEUP_CACHE_DIR"
        ) from error
    if not is_ours(folder):
        raise ServerUnavailable(
            f"{folder} belongs to somebody else, or others may write to it: remove it, or name another cache folder by"
            " TRUEUP_CACHE_DIR"
        )
    return folder


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock on a file, waiting for it; the kernel frees it when its holder dies.

    Raises:
        ServerUnavailable: the file can't be written.
    """
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ServerUnavailable(
            f"cannot write {file}: {error.strerror}; make its folder writable, or name another cache folder"
            " by TRUEUP_CACHE_DIR"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def create_run(root: Path) -> Run:
    """Create the folder of one server below `root`, and lock it.

    Raises:
        ServerUnavailable: the disk is full or not writable.
    """
    make_folder(root)
    name = f"server-{secrets.token_hex(8)}"
    with locked(root / "lock"):
        folder = make_folder(root / name)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        return Run(folder=folder, socket_folder=socket_folder_of(folder), lock=lock)
    except BaseException:
        os.close(lock)
        remove_tree(str(folder))
        raise


def socket_folder_of(folder: Path) -> Path:
    """Return where the socket of a run goes: in its folder, or a short path elsewhere when that is too long."""
    wanted = folder / "socket"
    if fits_socket(wanted):
        return wanted
    for short in SOCKET_ROOTS:
        root = short_root(short)
        if short.is_dir() and os.access(short, os.W_OK) and (not root.exists() or is_ours(root)):
            return short_socket_folder(make_folder(root), folder)
    raise ServerUnavailable(
        f"the path of {folder} is too long for a unix socket and no short folder is writable; name a shorter cache"
        " folder by TRUEUP_CACHE_DIR"
    )


def short_socket_folder(root: Path, folder: Path) -> Path:
    """Return where the socket of a run goes in a folder of runs: under a name that nobody sweeps as a run."""
    return root / folder.name.replace("server-", "socket-")


def fits_socket(folder: Path) -> bool:
    """Say whether the name of a server's socket in `folder` is short enough for the kernel."""
    return len(os.fsencode(folder / ".s.PGSQL.65535.lock")) <= SOCKET_PATH_BYTES
