"""What owners left whose reaper was killed too: found by a free lock, ended and removed by the next start."""

import fcntl
import os
import re
import select
import signal
from pathlib import Path

from trueup.servers.folders import SOCKET_ROOTS, is_ours, locked, short_root, short_socket_folder
from trueup.servers.reaper import free_shared_memory, remove_tree

RUN = re.compile(r"server-[0-9a-f]{16}")
ENDING_S = 5.0


def sweep(root: Path) -> list[Path]:
    """Remove runs whose reaper was killed, with the servers that are left in them; return their folders.

    Touches only folders of a run's shape below a root of ours, and only when nobody holds their lock.
    """
    if not (root.exists() and is_ours(root)):
        return []
    with locked(root / "lock"):
        abandoned = {folder: lock for folder in runs_of(root) if (lock := lock_if_free(folder)) is not None}
    for folder, lock in abandoned.items():
        try:
            end_postmaster(folder / "data")
            free_shared_memory(str(folder / "data"))
            for short in map(short_root, SOCKET_ROOTS):
                if short.is_dir() and is_ours(short):
                    remove_tree(str(short_socket_folder(short, folder)))
            remove_tree(str(folder))
        finally:
            os.close(lock)
    return list(abandoned)


def runs_of(root: Path) -> list[Path]:
    """Return the folders below `root` that have a run's name and are real folders."""
    return sorted(
        path for path in root.iterdir() if RUN.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
    )


def lock_if_free(folder: Path) -> int | None:
    """Lock a run that nobody holds and return the descriptor; None: somebody lives in it, or just removed it."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def end_postmaster(data: Path) -> None:
    """End the server of a data directory, if one is left: only a process that really works in that directory."""
    try:
        pid = int((data / "postmaster.pid").read_text(encoding="ascii").split()[0])
        process = os.pidfd_open(pid)
    except (OSError, ValueError, OverflowError, IndexError):
        return
    try:
        if Path(f"/proc/{pid}/cwd").resolve() == data.resolve():
            end_process(process)
    except OSError:
        return
    finally:
        os.close(process)


def end_process(process: int) -> None:
    """Ask a postmaster (by its descriptor) to stop at once, and kill it when it does not."""
    for number in (signal.SIGQUIT, signal.SIGCONT):
        signal.pidfd_send_signal(process, number)
    ended, _, _ = select.select([process], [], [], ENDING_S)
    if not ended:
        signal.pidfd_send_signal(process, signal.SIGKILL)
        select.select([process], [], [], ENDING_S)
