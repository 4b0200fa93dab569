"""The package that brings the servers, found without importing it."""

from importlib.metadata import version
from pathlib import Path

from trueup.servers.wheel import PACKAGE, installations, package_version


def test_version_of_the_package_is_that_of_its_metadata() -> None:
    assert {each.package_version for each in installations()} == {version(PACKAGE)}


def test_package_that_was_not_installed_by_an_installer_has_no_version(tmp_path: Path) -> None:
    assert package_version(tmp_path) == "unknown"
