"""What a test may say about its database: `@pytest.mark.trueup(seed=…, template=…, timezone=…)`."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from trueup.errors import UsageError
from trueup.testing.options import Options

LINE = (
    "trueup(seed=FILES, template=FOLDER, timezone=NAME): the database of the test: SQL to run after the migrations,"
    " another folder of migrations, the time zone of its sessions"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Is what a database has to be like; tests that want the same kind share a template."""

    schema: Path | None = None
    """The folder of migrations; None: that of the project."""
    seed: tuple[Path, ...] = ()
    timezone: str | None = None


def trueup(
    *, seed: str | Path | Iterable[str | Path] = (), template: str | Path | None = None, timezone: str | None = None
) -> tuple[tuple[Path, ...], Path | None, str | None]:
    """Return the mark's arguments; its signature is what the mark accepts."""
    files = [seed] if isinstance(seed, str | Path) else list(seed)
    return tuple(map(Path, files)), Path(template) if template is not None else None, timezone


def kind_of(node: pytest.Item | pytest.Collector, options: Options) -> Kind:
    """Return the kind of database that a test, or a class or module of tests, asks for; the nearest mark decides.

    Raises:
        UsageError: the mark has an argument that it does not know, or a path is not there.
    """
    mark = node.get_closest_marker("trueup")
    if mark is None:
        return Kind(schema=options.schema, seed=options.seed)
    try:
        seed, template, timezone = trueup(*mark.args, **mark.kwargs)
    except TypeError as error:
        raise UsageError(
            f"{node.nodeid}: pytest.mark.trueup: {error}; it takes seed=, template= and timezone=, by name"
        ) from None
    return Kind(
        schema=options.folder / template if template else options.schema,
        seed=tuple(options.folder / file for file in seed) or options.seed,
        timezone=timezone,
    )
