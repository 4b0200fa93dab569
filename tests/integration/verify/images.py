"""What really differs between two databases, told from the text of all their rows: nothing of the product is used."""

import re
import subprocess
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from uuid import uuid4

from psycopg import sql
from tests.integration.verify.tables import Column, Key, Table

from trueup.conninfo import ConnInfo
from trueup.db.connection import Connection

Line = bytes
Image = Counter[Line]
"""Every row of a table as COPY writes it, and how often."""
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
SETTINGS = """
set timezone = 'UTC';
set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres';
set extra_float_digits = 1;
set client_encoding = 'UTF8';
"""


@dataclass(kw_only=True)
class Differences:
    """Is what a comparison of one table has to say, and all that it may say."""

    rows: tuple[int, int]
    missing: Counter[Key] = field(default_factory=Counter)
    extra: Counter[Key] = field(default_factory=Counter)
    changed: dict[Key, tuple[tuple[str, ...], bool]] = field(default_factory=dict)
    """The columns, and whether all their values are equal for their type's `=`."""
    without_key: tuple[Sequence[int], Sequence[int]] = ((), ())
    """Of a table without a key: how often each missing and each extra row, sorted."""

    def keys(self) -> set[Key]:
        return self.missing.keys() | self.extra.keys() | self.changed.keys()

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.changed or any(self.without_key))


def take_images(conninfo: ConnInfo, tables: Collection[Table], *, bin_folder: Path) -> Mapping[str, Image]:
    """Return all rows of the tables, as psql copies them."""
    end = f"end {uuid4()}"
    script = SETTINGS + "".join(
        sql.SQL("copy (select {} from {}) to stdout;\n\\echo {}\n")
        .format(sql.SQL(", ").join(map(sql.Identifier, table.names)), table.relation, sql.Literal(end))
        .as_string()
        for table in tables
    )
    command = [bin_folder / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", conninfo.reveal()]
    printed = subprocess.run(command, input=script.encode(), stdout=subprocess.PIPE, check=True, timeout=60).stdout
    *parts, rest = printed.split(end.encode() + b"\n")
    assert not rest
    return {table.name: Counter(part.split(b"\n")[:-1]) for table, part in zip(tables, parts, strict=True)}


class Oracle:
    """Tells two images apart; only whether two values are equal is asked of a server, by its own `=`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.are_equal = cache(self.ask_whether_equal)

    def differences(self, table: Table, source: Image, target: Image) -> Differences:
        found = Differences(rows=(source.total(), target.total()))
        lines = {line for line, _ in source.items() ^ target.items()}
        here, there = (Counter({line: image[line] for line in lines}) for image in (source, target))
        lost, added = here - there, there - here
        if not table.key:
            found.without_key = sorted(lost.values()), sorted(added.values())
            return found
        old, new = by_key(table, lost), by_key(table, added)
        found.missing, found.extra = Counter(old.keys() - new.keys()), Counter(new.keys() - old.keys())
        found.changed = {key: self.change(table, old[key], new[key]) for key in old.keys() & new.keys()}
        return found

    def change(
        self, table: Table, source: Sequence[str | None], target: Sequence[str | None]
    ) -> tuple[tuple[str, ...], bool]:
        cells = [cell for cell in zip(table.columns, source, target, strict=True) if cell[1] != cell[2]]
        return tuple(sorted(column.name for column, _, _ in cells)), all(self.are_equal(*cell) for cell in cells)

    def ask_whether_equal(self, column: Column, source: str | None, target: str | None) -> bool:
        if source is None or target is None or column.type == "point":  # a point has no `=`
            return False
        query = sql.SQL("select {0}::{2} = {1}::{2}").format(
            sql.Literal(source), sql.Literal(target), sql.SQL(column.type)
        )
        [(answer,)] = self.connection.execute(query)
        return bool(answer)


def by_key(table: Table, lines: Image) -> Mapping[Key, Sequence[str | None]]:
    rows = [read_line(line) for line in lines]
    return {tuple(str(row[table.names.index(name)]) for name in table.key): row for row in rows}


def read_line(line: Line) -> list[str | None]:
    """Return the values of a line.

    Source: PostgreSQL manual, COPY, "Text Format".
    """
    fields = line.decode().split("\t")
    return [None if text == "\\N" else re.sub(r"\\(.)", unescape, text, flags=re.DOTALL) for text in fields]


def unescape(found: re.Match[str]) -> str:
    return ESCAPES.get(found[1], found[1])
