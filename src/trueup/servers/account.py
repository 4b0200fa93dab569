"""The account that a server runs as: PostgreSQL refuses to run as root, so root lends it `nobody`."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from trueup.errors import ServerUnavailable

NOBODY = 65534
"""The number of `nobody` where the machine has no such name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Is who runs a server: -1 stands for the caller."""

    uid: int = -1
    gid: int = -1

    @property
    def name(self) -> str:
        """Return what people call it."""
        uid = os.geteuid() if self.uid < 0 else self.uid
        try:
            return pwd.getpwuid(uid).pw_name
        except KeyError:
            return f"user {uid}"

    def owns(self, path: Path) -> None:
        """Give it a file or folder that we made."""
        if self.uid >= 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def closed_step(self, path: Path) -> Path | None:
        """Return the first step on the way to `path` that it cannot enter (a folder) or read (a file); None: it can.

        Looks at the permission bits; access lists are not considered.
        """
        if self.uid < 0:
            return None
        for step in reversed((path, *path.parents)):
            found = step.stat()
            needed = 0o001 if stat.S_ISDIR(found.st_mode) else 0o004
            if found.st_uid == self.uid:
                needed <<= 6
            elif found.st_gid == self.gid:
                needed <<= 3
            if found.st_mode & needed != needed:
                return step
        return None

    def check_entry(self, path: Path) -> None:
        """Refuse a path that it cannot reach.

        Raises:
            ServerUnavailable: names the folder that is closed, and says what to do.
        """
        if closed := self.closed_step(path):
            raise ServerUnavailable(
                f"{self.name} runs the server, because PostgreSQL refuses to run as root, but cannot enter {closed}:"
                " name a cache folder that everybody can enter by TRUEUP_CACHE_DIR"
            )


def account() -> Account:
    """Return the account for servers that this process starts."""
    if os.geteuid() != 0:
        return Account()
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Account(uid=NOBODY, gid=NOBODY)
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)
