r"""An initialised data directory in one file: packed once, unpacked for every server.

    trueup image 1 LENGTH-OF-INDEX LENGTH-OF-BLOB\n
    index: JSON, [path, mode, size or -1 for a folder, [[offset in the file, offset in the blob, length], …]], …
    blob

Zeros are left out, and so are repetitions: template0, template1 and postgres hold the same, so the three cost one.
"""

import json
import mmap
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from trueup.servers.account import Account

HEADER = re.compile(rb"trueup image 1 (\d+) (\d+)\n")
BLOCK = 8192
ZEROS = bytes(BLOCK)

Extent = tuple[int, int, int]
Entry = tuple[str, int, int, list[Extent]]


def pack(folder: Path, file: Path) -> None:
    """Write all files and folders below `folder` into one new file, safe on the disk before it has its name."""
    blob: dict[bytes, int] = {}
    entries = [pack_entry(folder, path, blob) for path in sorted(folder.rglob("*"))]
    index = json.dumps(entries, separators=(",", ":")).encode()
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(b"trueup image 1 %d %d\n" % (len(index), sum(map(len, blob))))
        out.write(index)
        out.writelines(blob)
        out.flush()
        os.fsync(out.fileno())
    part.rename(file)


def pack_entry(folder: Path, path: Path, blob: dict[bytes, int]) -> Entry:
    """Describe one file or folder; new content is appended to `blob`, whose values are its pieces' offsets."""
    name, mode = str(path.relative_to(folder)), path.stat().st_mode & 0o777
    if path.is_dir():
        return name, mode, -1, []
    content = path.read_bytes()
    extents = []
    for start, stop in stretches(content):
        piece = content[start:stop]
        if piece not in blob:
            last = next(reversed(blob), b"")
            blob[piece] = blob.get(last, 0) + len(last)
        extents.append((start, blob[piece], len(piece)))
    return name, mode, len(content), extents


def stretches(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of what is not whole blocks of zeros."""
    begun = -1
    for start in range(0, len(content), BLOCK):
        is_empty = ZEROS.startswith(content[start : start + BLOCK])
        if is_empty and begun >= 0:
            yield begun, start
        if is_empty or begun < 0:
            begun = -1 if is_empty else start
    if begun >= 0:
        yield begun, len(content)


def is_whole(file: Path) -> bool:
    """Say whether a file is an image with all its content that this user made: it says what is written where."""
    try:
        with file.open("rb") as source:
            state = os.fstat(source.fileno())
            found = HEADER.match(source.read(100))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False
    if found is None or state.st_uid != os.geteuid():
        return False
    return state.st_size == found.end() + int(found[1]) + int(found[2])


def unpack(file: Path, folder: Path, account: Account, *, only: Callable[[str], bool] = lambda _: True) -> None:
    """Write the entries of an image whose path is wanted into a folder; `account` owns what is written."""
    with file.open("rb") as source, mmap.mmap(source.fileno(), 0, prot=mmap.PROT_READ) as whole:
        found = HEADER.match(whole)
        assert found, "only whole images are unpacked"
        start = found.end() + int(found[1])
        entries: list[Entry] = json.loads(whole[found.end() : start])
        root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with memoryview(whole) as view, view[start:] as blob:
                for entry in entries:
                    if only(entry[0]):
                        unpack_entry(entry, blob, root, account)
        finally:
            os.close(root)


def unpack_entry(entry: Entry, blob: memoryview, root: int, account: Account) -> None:
    """Create one file or folder below the open folder `root`."""
    name, mode, size, extents = entry
    if size < 0:
        os.mkdir(name, mode, dir_fd=root)
        if account.uid >= 0:
            os.chown(name, account.uid, account.gid, dir_fd=root)
        return
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode, dir_fd=root)
    try:
        for at, offset, length in extents:
            os.pwrite(file, blob[offset : offset + length], at)
        if not extents or extents[-1][0] + extents[-1][2] < size:
            os.ftruncate(file, size)
        if account.uid >= 0:
            os.fchown(file, account.uid, account.gid)
    finally:
        os.close(file)
