"""Text is compared as characters, whatever bytes a database keeps them in."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import connect, snapshot
from trueup.parity.data import Side, compare
from trueup.parity.schema import row_catalog
from trueup.report.model import Verdict
from trueup.servers import EmbeddedServer


@pytest.fixture
def latin(server16: EmbeddedServer, server18: EmbeddedServer) -> Iterator[tuple[ConnInfo, ConnInfo]]:
    """Return a database in LATIN1 and one in UTF-8."""
    with connect(server16.conninfo()) as admin:
        admin.execute("create database data_latin encoding 'LATIN1' locale 'C' template template0")
    yield server16.conninfo("data_latin"), server18.create_database("data_latin")
    server16.drop_database("data_latin")
    server18.drop_database("data_latin")


@pytest.mark.parametrize("key", ["text primary key", "text"])
@pytest.mark.parametrize("turned", [False, True], ids=["latin1 to utf8", "utf8 to latin1"])
def test_the_same_characters_in_other_bytes_are_equal(
    latin: tuple[ConnInfo, ConnInfo], key: str, *, turned: bool
) -> None:
    with ExitStack() as stack:
        places = latin[::-1] if turned else latin
        source, target = (stack.enter_context(connect(place)) for place in places)
        for connection in (source, target):
            connection.execute(f"create table t (name {key}, padded char(5), list text[], doc jsonb)")
            connection.execute("""insert into t values ('é', 'ñ', '{ü}', '{"ö": "ä"}'), ('e', 'n', '{u}', '"a"')""")
        same = compared(places)
        target.execute("update t set list = '{û}', padded = 'ò' where name = 'é'")
        differs = compared(places)

    assert same.verdict is Verdict.PASSED
    if key == "text":
        assert (differs.missing_count, differs.extra_count) == (1, 1)
    else:
        assert [(row.key, row.columns) for row in differs.changed] == [(("é",), ("list", "padded"))]


def compared(places: tuple[ConnInfo, ...]) -> Any:
    with snapshot(places[0]) as one, snapshot(places[1]) as other:
        sides = [Side(snapshot=each, catalog=row_catalog(each)) for each in (one, other)]
        [found] = compare(*sides)
    return found
