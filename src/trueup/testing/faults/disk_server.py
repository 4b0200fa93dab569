"""Runs a server whose tables lie on a small disk, for the process that started it.

    python -m trueup.testing.faults.disk_server VERSION CACHE_FOLDER BYTES

stdout tells the connection's parameters as JSON, or {"refusal": REASON}. stdin takes `fill` and `free`, each answered
by {}; its end is the end of all. The disk is mounted where only this process and its children see it, in a mount
namespace of their own, which is gone with the last of them.

Source: Linux manual, mount_namespaces(7) and user_namespaces(7).
"""

import errno
import json
import os
import sys
from contextlib import suppress
from ctypes import CDLL, get_errno
from pathlib import Path
from typing import IO

from trueup.db import connect
from trueup.errors import TrueupError, Unverifiable
from trueup.servers import EmbeddedServer
from trueup.servers.account import account
from trueup.testing.identity import mark_server

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
PLACES = (Path("/mnt"), Path("/media"), Path("/srv"), Path("/opt"))
"""Folders that are there on each machine, some of them empty."""
BALLOON = "balloon"
BLOCK = bytes(1 << 13)


def main(version: str, cache_folder: str, size_bytes: str) -> int:
    """Serve until stdin ends."""
    out = sys.stdout
    try:
        place = mount(int(size_bytes))
        with EmbeddedServer(int(version), cache_folder=Path(cache_folder), tcp=True) as server:
            tell(out, prepare(server, place))
            for line in sys.stdin:
                obey(line.strip(), place)
                tell(out, {})
    except TrueupError as error:
        tell(out, {"refusal": str(error)})
        return 1
    return 0


def tell(out: IO[str], answer: dict[str, str]) -> None:
    """Write one line."""
    out.write(json.dumps(answer) + "\n")
    out.flush()


def prepare(server: EmbeddedServer, place: Path) -> dict[str, str]:
    """Return the way to a new database, which tests own, whose tables are made in that place."""
    conninfo = server.create_database("small")
    with connect(conninfo) as connection:
        mark_server(connection)
        connection.execute(f"create tablespace small location '{place}'".encode())
        connection.execute("alter database small set default_tablespace = small")
    return dict(conninfo.parameters)


def obey(command: str, place: Path) -> None:
    """Fill the disk, or free it."""
    balloon = place / BALLOON
    if command == "free":
        balloon.unlink(missing_ok=True)
        return
    with suppress(OSError), balloon.open("ab", buffering=0) as file:
        while True:
            file.write(BLOCK)


def mount(size_bytes: int) -> Path:
    """Return a folder on a disk of that size, which only this process and its children see.

    Raises:
        Unverifiable: the system doesn't allow it.
    """
    place = next((place for place in PLACES if place.is_dir() and not any(place.iterdir())), None)
    if place is None or not sys.platform.startswith("linux"):
        raise Unverifiable(f"it needs Linux, and one of {', '.join(map(str, PLACES))} to be an empty folder")
    owner = account()
    uid, gid = (os.geteuid(), os.getegid()) if owner.uid < 0 else (owner.uid, owner.gid)
    library = CDLL(None, use_errno=True)
    is_root = os.geteuid() == 0
    ask(library.unshare(CLONE_NEWNS if is_root else CLONE_NEWNS | CLONE_NEWUSER), "a namespace of its own")
    if not is_root:
        map_ids(uid, gid)
    ask(library.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "private mounts")
    options = f"size={size_bytes},mode=700,uid={uid},gid={gid}".encode()
    ask(library.mount(b"tmpfs", bytes(place), b"tmpfs", 0, options), "a small disk")
    return place


def map_ids(uid: int, gid: int) -> None:
    """Be the same user inside the namespace as outside."""
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny")
    (own / "uid_map").write_text(f"{uid} {uid} 1")
    (own / "gid_map").write_text(f"{gid} {gid} 1")


def ask(result: int, what: str) -> None:
    """Refuse to go on when the system said no."""
    if result != 0:
        reason = errno.errorcode.get(get_errno(), str(get_errno()))
        raise Unverifiable(f"the system doesn't give {what} ({reason}); run as root, or allow user namespaces")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
