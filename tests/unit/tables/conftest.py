"""Every test builds its statements anew, so that none reads what another one has built."""

from types import ModuleType

import pytest

from trueup.tables import bulk_statements, conditions, statements


def caches(*modules: ModuleType) -> list:
    return [each for module in modules for each in vars(module).values() if hasattr(each, "cache_clear")]


CACHES = caches(bulk_statements, conditions, statements)


@pytest.fixture(autouse=True)
def nothing_built() -> None:
    for each in CACHES:
        each.cache_clear()
