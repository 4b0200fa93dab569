r"""An initialised data directory in one file: packed once, unpacked for every server by its reaper.

    trueup image 2 LENGTH-OF-INDEX LENGTH-OF-BLOB\n
    index, a line for each file and folder: mode, size or -1 for a folder, for each piece of the file its offset there,
        its offset in the blob, its length; a tab, the path
    blob

Zeros are left out, and so are repetitions: template0, template1 and postgres hold the same, so the three cost one.
"""

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

HEADER = re.compile(rb"trueup image 2 (\d+) (\d+)\n")
BLOCK = 8192
ZEROS = bytes(BLOCK)


def pack(folder: Path, file: Path, *, without: Collection[str] = ()) -> None:
    """Write what is below `folder`, but for some files, into one new file, safe on the disk before it has its name."""
    blob: dict[bytes, int] = {}
    paths = (path for path in sorted(folder.rglob("*")) if str(path.relative_to(folder)) not in without)
    index = b"".join(pack_entry(folder, path, blob) for path in paths)
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(b"trueup image 2 %d %d\n" % (len(index), sum(map(len, blob))))
        out.write(index)
        out.writelines(blob)
        out.flush()
        os.fsync(out.fileno())
    part.rename(file)


def pack_entry(folder: Path, path: Path, blob: dict[bytes, int]) -> bytes:
    """Return the line of a file or folder; new content is appended to `blob`, whose values are its pieces' offsets."""
    numbers = [path.stat().st_mode & 0o777, -1]
    if not path.is_dir():
        content = path.read_bytes()
        numbers[1] = len(content)
        for start, stop in stretches(content):
            piece = content[start:stop]
            if piece not in blob:
                last = next(reversed(blob), b"")
                blob[piece] = blob.get(last, 0) + len(last)
            numbers += [start, blob[piece], len(piece)]
    return b"%s\t%s\n" % (" ".join(map(str, numbers)).encode(), os.fsencode(path.relative_to(folder)))


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
