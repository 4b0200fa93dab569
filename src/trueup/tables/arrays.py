"""The values of a whole column as one array in PostgreSQL's binary form, written at the speed of C.

The elements of an array look like the fields of a row of COPY, and for those psycopg has C.

Source: `array_recv` (src/backend/utils/adt/arrayfuncs.c); PostgreSQL manual, "COPY", binary format.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import calcsize, pack_into
from typing import Any

from psycopg._copy_base import format_row_binary
from psycopg.adapt import AdaptersMap, Dumper, Transformer
from psycopg.pq import Format

from trueup.tables.sql_types import SCALARS

HEADER = ">iiIii"
"""Dimensions, whether it may hold NULL, the type of the elements, their number, the first index."""
COUNT_BYTES = 2
"""How long the number of fields is, which COPY begins a row with."""
MOST_ELEMENTS = 32_767
"""How many fields a row of COPY can have."""


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


def write_arrays(columns: Sequence[Sequence[Any]], dumpers: Sequence[type[Dumper]]) -> list[bytes]:
    """Return columns of equally many values, None for NULL, as arrays of what their dumpers write.

    Each may have up to `MOST_ELEMENTS` values.
    """
    writers = {dumper: writer_of(dumper, len(columns[0])) for dumper in set(dumpers)}
    return [write_array(values, dumper.oid, writers[dumper]) for values, dumper in zip(columns, dumpers, strict=True)]


def writer_of(dumper: type[Dumper], elements: int) -> Any:
    """Return what writes so many values; to make it takes longer than it takes to write as many integers."""
    writer: Any = Transformer(CONTEXT)
    writer.set_dumper_types([dumper.oid] * elements, Format.BINARY)
    return writer


def write_array(values: Sequence[Any], oid: int, writer: Any) -> bytes:
    """Return the values as an array of elements of that type."""
    array = bytearray(calcsize(HEADER) - COUNT_BYTES)
    format_row_binary(values, writer, array)
    pack_into(HEADER, array, 0, 1, 1, oid, len(values), 1)
    return bytes(array)
