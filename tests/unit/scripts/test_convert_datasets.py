import importlib.util
import io
import sys
import tarfile
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "convert_datasets.py"


@pytest.fixture(scope="module")
def convert() -> ModuleType:
    spec = importlib.util.spec_from_file_location("convert_datasets", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("digits", "time"),
    [(None, None), ("1", "00:01"), ("30", "00:30"), ("517", "05:17"), ("1200", "12:00"), ("2400", "24:00")],
)
def test_clock_reads_hours_and_minutes(convert: ModuleType, digits: str | None, time: str | None) -> None:
    assert convert.clock(digits) == time


def test_masked_phones_keep_their_shape_and_nothing_else(convert: ModuleType) -> None:
    phones = convert.PhoneMask()

    masked = [phones.mask(phone) for phone in ("+1 (555) 555-0100", "+99 01 23-45", "+1 (555) 555-0100", None)]

    assert masked == ["+1 (000) 000-0001", "+99 00 00-02", "+1 (000) 000-0001", None]


def test_masked_email_is_in_a_reserved_domain(convert: ModuleType) -> None:
    assert convert.mask_email("ann.lee@shop.co.uk") == "ann.lee@shop.example"


def test_array_quotes_what_postgresql_reads(convert: ModuleType) -> None:
    assert convert.array(['a "b"', "c\\d", "NULL"]) == r'{"a \"b\"","c\\d","NULL"}'


def test_money_is_never_rounded(convert: ModuleType) -> None:
    assert str(convert.money(Decimal("1.9"))) == "1.90"
    with pytest.raises(SystemExit, match="more than two digits"):
        convert.money(Decimal("1.999"))


def test_a_time_of_day_is_never_dropped(convert: ModuleType) -> None:
    assert convert.midnight("2007-01-01T00:00:00Z") == "2007-01-01"
    with pytest.raises(SystemExit, match="not a midnight"):
        convert.midnight("2007-01-01T00:30:00Z")


def test_empty_text_is_refused_because_it_would_become_null(convert: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="empty text"):
        convert.write_table(tmp_path / "a.csv.gz", [{"a": ""}])


def test_same_rows_give_the_same_bytes(convert: ModuleType, tmp_path: Path) -> None:
    for name in ("first", "second"):
        convert.write_table(tmp_path / name, [{"a": 1, "b": None}])

    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_another_archive_is_refused(convert: ModuleType, tmp_path: Path) -> None:
    archive = tmp_path / "other.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("a"), io.BytesIO())

    with pytest.raises(SystemExit, match="sha256"):
        convert.open_archive(archive, convert.CHINOOK_SHA256)


def test_the_script_needs_the_standard_library_alone(convert: ModuleType) -> None:
    imported = {value.__name__.partition(".")[0] for value in vars(convert).values() if isinstance(value, ModuleType)}

    assert imported <= sys.stdlib_module_names
