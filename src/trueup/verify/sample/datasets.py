"""Where the files of the data sets are."""

from dataclasses import dataclass
from pathlib import Path

import trueup
from trueup.errors import Unverifiable

SUFFIX = ".csv.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Is one schema: the statements that make it, and the rows of its tables."""

    name: str
    """Of the schema, and of the folder."""
    schema: Path
    """SQL in two parts: before and after the rows."""
    tables: tuple[tuple[str, Path], ...]
    """Each table's name and its rows as compressed CSV, sorted by name."""


def datasets(folder: Path | None = None) -> tuple[Dataset, ...]:
    """Return the data sets in a folder, by default the ones that come with trueup, sorted by name.

    Raises:
        Unverifiable: there is none.
    """
    folder = folder or datasets_folder()
    found = tuple(read_dataset(schema) for schema in sorted(folder.glob("*/schema.sql")))
    if not found or not all(dataset.tables for dataset in found):
        raise Unverifiable(
            f"{folder} holds no data sets (SET/schema.sql with SET/TABLE{SUFFIX}): the sample is incomplete"
        )
    return found


def read_dataset(schema: Path) -> Dataset:
    """Return the data set that lies around a `schema.sql`."""
    files = sorted(schema.parent.glob(f"*{SUFFIX}"))
    tables = tuple((file.name.removesuffix(SUFFIX), file) for file in files)
    return Dataset(name=schema.parent.name, schema=schema, tables=tables)


def datasets_folder(package: Path = Path(trueup.__file__).parent) -> Path:
    """Return where the data sets are: in the installed package, or in the checkout that it is imported from.

    Raises:
        Unverifiable: in neither.
    """
    places = (package / "datasets", package.parent.parent / "fixtures" / "datasets")
    for place in places:
        if place.is_dir():
            return place
    raise Unverifiable(
        f"the sample's data sets are neither in {places[0]} nor in {places[1]}: install trueup again, or name two"
        " databases with --source and --target"
    )
