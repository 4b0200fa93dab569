"""Which files of a folder are migrations, and the digest of what they hold: known without a look at their SQL."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from trueup.errors import MigrationFailed, UsageError

FILE_NAME = re.compile(r"(?P<version>[0-9]+)[_-]?(?P<name>.*)\.sql", re.DOTALL)


def read_digest(folder: Path) -> str:
    """Return the digest of the migrations in `folder`, without a look at their SQL.

    Raises:
        UsageError: there is no such folder, it can't be read, or it holds no migration.
        MigrationFailed: a file is no migration by its name.
    """
    return digest_of((version_of(file)[0], digest(content)) for file, content in read_files(folder))


def read_files(folder: Path) -> list[tuple[Path, bytes]]:
    """Return the files that mean to be migrations with their bytes, by name.

    Raises:
        UsageError: there is no such folder, it can't be read, or it holds no migration.
    """
    try:
        found = sorted((file for file in folder.iterdir() if is_migration(file)), key=lambda file: file.name)
        contents = [(file, file.read_bytes()) for file in found]
    except OSError as error:
        raise UsageError(f"cannot read migrations from {folder}: {error.strerror}") from error
    if not contents:
        raise UsageError(f"{folder} holds no migration: expected files named VERSION_name.sql")
    return contents


def is_migration(file: Path) -> bool:
    """Whether the file means to be a migration, well named or not."""
    return file.suffix.lower() == ".sql" and not file.name.startswith(".") and file.is_file()


def version_of(file: Path) -> tuple[str, str]:
    """Return version and name of a migration."""
    if not (named := FILE_NAME.fullmatch(file.name)):
        raise MigrationFailed(f"{file}: not named VERSION_name.sql, VERSION being digits, .sql in lower case")
    return named["version"], named["name"]


def digest_of(files: Iterable[tuple[str, str]]) -> str:
    """Return the digest of files by their versions and digests."""
    return digest("".join(f"{version} {content}\n" for version, content in files).encode())


def digest(content: bytes) -> str:
    """Return SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()
