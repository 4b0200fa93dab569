"""Batches as the parameters of their statement, one array a column, cut into chunks."""

from collections.abc import Iterator
from typing import Any

from trueup.tables.arrays import MOST_ELEMENTS, write_arrays
from trueup.tables.batches import Batch, group, prepare
from trueup.tables.contract import Table
from trueup.tables.ordering import Ordered, Reject
from trueup.tables.tenants import Row

Payload = list[bytes]

CHUNK_BYTES = 2 << 20
"""How much one statement is given; more gains nothing."""
SAMPLE_ROWS = 64
FIRST_ROWS = 128
"""How few the server begins with where it is to begin soon."""
GROWTH = 3
"""How many times longer the server takes for a row than we do, at least."""


def encode_batch(batch: Batch) -> Payload:
    """Return the columns of a batch as arrays."""
    return write_arrays(batch.columns, batch.dumpers)


def size_of(payload: Payload) -> int:
    """Return how many bytes the server is sent."""
    return sum(map(len, payload))


def chunks(
    table: Table[Any], given: Ordered, tenant: Row, reject: Reject, *, first_rows: int = 0
) -> Iterator[tuple[Batch, Payload]]:
    """Give the rows in parts of about `CHUNK_BYTES`, made when they are asked for; a single row may be larger.

    With `first_rows` they begin small and grow, so that the server need not wait for the first, nor for any other if it
    has one to work on while the next is made. Rows with a value that their column can't hold go to `reject`.
    """
    size = rows_for(CHUNK_BYTES, table, given, tenant)
    begin, step = 0, first_rows or size
    while begin < len(given):
        step = min(step, size)
        for batch in group(table, given[begin : begin + step], tenant):
            ready, bad = prepare(table, batch)
            if bad:
                reject(bad)
            if len(ready):
                yield from halves(ready)
        begin, step = begin + step, step * GROWTH


def rows_for(limit: int, table: Table[Any], given: Ordered, tenant: Row) -> int:
    """Return about how many rows fit into so many bytes, by a sample of them."""
    sample = given[:: max(1, len(given) // SAMPLE_ROWS)]
    ready = [prepare(table, batch)[0] for batch in group(table, sample, tenant)]
    total = sum(size_of(encode_batch(batch)) for batch in ready if len(batch))
    return max(1, min(MOST_ELEMENTS, limit * sum(map(len, ready)) // max(1, total)))


def halves(batch: Batch) -> Iterator[tuple[Batch, Payload]]:
    """Give a batch as it is, or in halves where its rows turn out to be larger than the sample was."""
    payload = encode_batch(batch)
    if size_of(payload) <= 2 * CHUNK_BYTES or len(batch) == 1:
        yield batch, payload
        return
    del payload
    middle = len(batch) // 2
    yield from halves(batch.slice(0, middle))
    yield from halves(batch.slice(middle, len(batch)))
