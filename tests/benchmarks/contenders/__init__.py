"""What is raced: each module uses one library as its documentation recommends, all with the same methods."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from importlib.metadata import version
from typing import Any

from contenders.advanced_alchemy import AdvancedAlchemy
from contenders.asyncpg import Asyncpg, PooledAsyncpg
from contenders.django import Django
from contenders.peewee import Peewee
from contenders.psycopg import PooledPsycopg, Psycopg
from contenders.sqlalchemy import Core, Orm
from contenders.trueup import Trueup
from trueup.conninfo import ConnInfo

EVERY = (Trueup, Psycopg, PooledPsycopg, Asyncpg, PooledAsyncpg, Core, Orm, Django, Peewee, AdvancedAlchemy)
WITHOUT_POOLS = tuple(each for each in EVERY if each not in {PooledPsycopg, PooledAsyncpg})
DRIVERS = (Trueup, Psycopg, Asyncpg)


@contextmanager
def connected(contenders: Sequence[type[Any]], conninfo: ConnInfo) -> Iterator[list[Any]]:
    """Hold the contenders, each connected to the same database."""
    with ExitStack() as stack:
        yield [stack.enter_context(closing(contender(conninfo))) for contender in contenders]


def versions() -> str:
    """Return the distributions that are raced, with their versions."""
    names = dict.fromkeys(contender.distribution for contender in EVERY)
    return ", ".join(f"{name} {version(name)}" for name in names)
