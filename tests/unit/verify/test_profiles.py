from pathlib import Path

import pytest

from trueup.errors import UsageError
from trueup.parity.data import Bounds
from trueup.settings import Profile, Settings
from trueup.verify import choose


def settings(**options: object) -> Settings:
    return Settings(cache_folder=Path("/nowhere"), profiles={"night": Profile(**options)})  # type: ignore[arg-type]


def test_profile_says_what_comparing_rows_may_cost() -> None:
    assert choose(settings(gentle=True, max_rows=7), profile="night").bounds == Bounds(is_gentle=True, max_rows=7)
    assert choose(settings(jobs=4), profile="night").bounds == Bounds(jobs=4)
    assert choose(settings(), profile="night").bounds == Bounds()


def test_profile_that_contradicts_itself_is_an_error_of_usage() -> None:
    with pytest.raises(UsageError, match="a gentle comparison has one worker, not 4"):
        choose(settings(gentle=True, jobs=4), profile="night")


@pytest.mark.parametrize("check", ["contracts", "residue", "probe"])
def test_contract_that_is_not_there_is_found_before_a_run_begins(check: str) -> None:
    given = Settings(cache_folder=Path("/nowhere"), contracts=("json:dumps",))

    with pytest.raises(UsageError, match="contracts: json:dumps is not a Table or a list of them; declare them"):
        choose(given, named=(check,))


def test_folder_of_the_schema_that_is_not_there_is_found_before_a_run_begins(tmp_path: Path) -> None:
    given = Settings(cache_folder=Path("/nowhere"), schema=tmp_path / "nothing")

    with pytest.raises(UsageError, match=r"cannot read migrations from .*nothing"):
        choose(given, named=("drift",))


def test_what_no_chosen_check_looks_at_may_be_missing() -> None:
    given = Settings(cache_folder=Path("/nowhere"), schema=Path("/nowhere"), contracts=("nothing:X",))

    assert choose(given, named=("identity",)).required == {"identity"}
