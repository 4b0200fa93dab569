"""Packages give the names that they promise, and no others."""

from importlib import import_module

import pytest

from trueup.lazy import lazy_names


@pytest.mark.parametrize(
    "package", ["trueup.db", "trueup.migrations", "trueup.observe", "trueup.servers", "trueup.testing"]
)
def test_package_has_every_name_that_it_promises(package: str) -> None:
    module = import_module(package)

    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_name_that_has_no_place_is_missing() -> None:
    find = lazy_names("trueup.db", {"connect": "connection"})

    with pytest.raises(AttributeError, match=r"module 'trueup\.db' has no attribute 'nothing'"):
        find("nothing")
