"""What a template is built from, and the name that it has for that; known before the driver is imported."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from trueup.errors import UsageError
from trueup.migrations.folders import read_digest
from trueup.testing.marks import Kind

FORMAT = "3"
"""Changes with what `templates.build` and `stocking.prepare` do, and with what a baseline holds."""
PREFIX = "trueup_template_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Is what a template is built from."""

    schema: Path | None
    """The folder of migrations; None: the database stays empty."""
    schema_digest: str
    """What they were made of; their SQL is read when a template is built, and not for one that is there."""
    seed: tuple[tuple[Path, str], ...]
    """The files that run afterwards, with their text."""
    digest: str
    """SHA-256 of both, in hex."""

    @property
    def name(self) -> str:
        """The name of the template."""
        return f"{PREFIX}{self.digest[:16]}"


def is_parent(recipe: Recipe, other: Recipe) -> bool:
    """Say whether a recipe is the first part of another one."""
    is_first = recipe.seed == other.seed[: len(recipe.seed)]
    return recipe.schema_digest == other.schema_digest and is_first and recipe.digest != other.digest


def read_recipe(kind: Kind) -> Recipe:
    """Return what a kind of database is built from.

    Raises:
        UsageError: a folder or a file is not there or not readable.
        MigrationFailed: a file is no migration by its name.
    """
    schema_digest = read_digest(kind.schema) if kind.schema else ""
    seed = tuple((file, read_seed(file)) for file in kind.seed)
    parts = [FORMAT, schema_digest, *(text for _, text in seed)]
    whole = "".join(f"{len(part)} {part}" for part in parts)
    digest = hashlib.sha256(whole.encode()).hexdigest()
    return Recipe(schema=kind.schema, schema_digest=schema_digest, seed=seed, digest=digest)


def read_seed(file: Path) -> str:
    """Return the text of a file of SQL."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the seed {file}: {error}") from None
