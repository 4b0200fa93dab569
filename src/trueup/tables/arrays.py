"""The values of a whole column as one array in PostgreSQL's binary form, written at the speed of C.

The elements of an array look like the fields of a row of COPY, and for those psycopg has C.

Source: `array_recv` (src/backend/utils/adt/arrayfuncs.c); PostgreSQL manual, "COPY", binary format.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import pack
from typing import Any

from psycopg._copy_base import format_row_binary
from psycopg.adapt import AdaptersMap, Dumper, Transformer
from psycopg.pq import Format

from trueup.tables.sql_types import SCALARS

HEADER = ">iiIii"
"""Dimensions, whether it may hold NULL, the type of the elements, their number, the first index."""
COUNT_BYTES = 2
"""How long the number of fields is, which COPY begins a row with."""
MOST_FIELDS = 1000
"""How many elements are written as one row; it could have 32,767."""
WRITERS = 64
"""How many are kept; each takes 24 bytes a field."""


@dataclass(frozen=True, slots=True)
class Context:
    """Tells psycopg what reads and writes values: in UTF-8, whatever the session's settings."""

    adapters: AdaptersMap
    connection: None = None


def dumpers() -> AdaptersMap:
    """Return what writes the values of each type, whatever else a service has registered with psycopg."""
    adapters = AdaptersMap()
    for scalar in SCALARS.values():
        adapters.register_dumper(None, scalar.dumper)
    return adapters


CONTEXT = Context(dumpers())


def write_array(values: Sequence[Any], dumper: type[Dumper]) -> bytes:
    """Return values, None for NULL, as an array of what `dumper` writes."""
    parts: list[bytes | memoryview] = [pack(HEADER, 1, 1, dumper.oid, len(values), 1)]
    for begin in range(0, len(values), MOST_FIELDS):
        fields = values[begin : begin + MOST_FIELDS]
        row = bytearray()
        format_row_binary(fields, writer_of(dumper, len(fields)), row)
        parts.append(memoryview(row)[COUNT_BYTES:])
    return b"".join(parts)


@lru_cache(WRITERS)
def writer_of(dumper: type[Dumper], fields: int) -> Any:
    """Return what writes a row of so many values of one type; to make it takes longer than to write integers."""
    writer: Any = Transformer(CONTEXT)
    writer.set_dumper_types([dumper.oid] * fields, Format.BINARY)
    return writer
