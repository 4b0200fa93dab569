"""What is wanted of the databases of a process, as far as its tests tell beforehand."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import pytest

from trueup.errors import UsageError
from trueup.testing.lending.asking import database_of, shared_by
from trueup.testing.marks import Kind, kind_of
from trueup.testing.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Is what somebody wants a database for."""

    kind: Kind
    is_put_back: bool = False
    """Whether it is put back for the next test, and so comes with its baseline; else it is used once."""


def count_orders(items: Iterable[pytest.Item], options: Options) -> Counter[Order]:
    """Return what is to be made ahead: a clone for each test that wants a new one, and for all others of a kind one.

    A mark that is wrong is for its test to say.
    """
    found: Counter[Order] = Counter()
    for item in items:
        names = getattr(item, "fixturenames", ())
        with suppress(UsageError):
            if "fresh_db" in names:
                found[Order(kind=kind_of(item, options))] += 1
            elif "db" in names and shared_by(names) is None:
                found[Order(kind=kind_of(item, options), is_put_back=True)] = 1
    return found


def first_order(items: Iterable[pytest.Item], options: Options) -> Order | None:
    """Return what the first test wants that asks for a database; None: none does, or its mark is wrong."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "trueup_databases" in names:
            with suppress(UsageError):
                return Order(kind=kind_of(item, options), is_put_back=database_of(names) not in {"conn", "fresh_db"})
            break
    return None
