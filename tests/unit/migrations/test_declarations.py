"""What a migration says of itself."""

from pathlib import Path

import pytest

from trueup.errors import MigrationFailed
from trueup.migrations import Declarations, read_migrations

UP = "-- migrate:up\nselect 1;\n"


@pytest.fixture
def declared(tmp_path: Path):
    def read(preamble: str) -> Declarations:
        (tmp_path / "001_x.sql").write_text(preamble + UP)
        return read_migrations(tmp_path).files[0].declares

    return read


def test_file_that_says_nothing_can_be_undone_and_loses_nothing(declared):
    assert declared("-- trueup makes this better\n") == Declarations(irreversible=None, losses=frozenset())


def test_irreversible_file_says_why(declared):
    assert declared("-- trueup:irreversible the texts are gone\n").irreversible == "the texts are gone"


def test_losses_are_tables_and_columns(declared):
    found = declared('-- trueup:loses public.clients.note nobody reads it\r\n--trueup:loses public."a b"  moved\n\n')

    assert found.losses == {"public.clients.note", 'public."a b"'}


def test_line_below_the_first_block_is_a_comment(tmp_path: Path):
    (tmp_path / "001_x.sql").write_text(UP + "-- trueup:irreversible\n")

    assert read_migrations(tmp_path).files[0].declares == Declarations()


@pytest.mark.parametrize(
    "line",
    [
        "-- trueup:irreversible",
        "-- trueup:irreversible   ",
        "-- trueup:loses public.clients.note",
        "-- trueup:loses clients it is gone",
        "-- trueup:lose public.clients it is gone",
        " -- trueup:irreversible because",
        "-- Trueup: irreversible because",
    ],
)
def test_what_would_be_misread_in_silence_is_an_error(declared, line):
    with pytest.raises(MigrationFailed, match=r"001_x.sql:2: looks like a declaration .* with a reason"):
        declared(f"-- about this\n{line}\n")
