"""Batches as the one parameter of their statement, an array of texts in binary, cut into chunks.

Its first text separates values, its second stands for NULL, and each of the others holds the values of one column.
"""

from collections.abc import Iterator, Sequence
from secrets import token_hex
from struct import pack
from typing import Any

from trueup.tables.batches import Batch, group, prepare
from trueup.tables.contract import Table
from trueup.tables.ordering import Ordered, Reject
from trueup.tables.tenants import Row

SEPARATOR, NULL = b"\x1f", b"\x1e"
"""The separators of units and of records in ASCII, which hardly any text holds."""
TEXT_OID = 25
CHUNK_BYTES = 2 << 20
"""How much one statement is given; more gains nothing, and the server would keep columns on disk (`work_mem`)."""
SAMPLE_ROWS = 64
FIRST_ROWS = 64
"""How few the server begins with where it is to begin soon."""
GROWTH = 4
"""How many times longer the server takes for a row than we do, at least."""


def encode_batch(batch: Batch, separator: bytes = SEPARATOR, null: bytes = NULL) -> bytes:
    """Return a batch as the array; where a text holds a mark, with others that nobody can know before."""
    texts = [separator, null]
    for write, values in zip(batch.writers, batch.columns, strict=True):
        text = write(values, separator, null)
        if text is None:
            token = token_hex(8).encode()
            return encode_batch(batch, SEPARATOR + token, NULL + token)
        texts.append(text)
    return array_of_texts(texts)


def array_of_texts(texts: Sequence[bytes]) -> bytes:
    """Return the binary form of a `text[]`: dimensions, NULLs, type, length, lower bound, then each text."""
    parts = [pack(">iiIii", 1, 0, TEXT_OID, len(texts), 1)]
    for text in texts:
        parts += (pack(">i", len(text)), text)
    return b"".join(parts)


def chunks(
    table: Table[Any], given: Ordered, tenant: Row, reject: Reject, *, first_rows: int = 0
) -> Iterator[tuple[Batch, bytes]]:
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
    total = sum(len(encode_batch(batch)) for batch in ready if len(batch))
    return max(1, limit * sum(map(len, ready)) // max(1, total))


def halves(batch: Batch) -> Iterator[tuple[Batch, bytes]]:
    """Give a batch as it is, or in halves where its rows turn out to be larger than the sample was."""
    payload = encode_batch(batch)
    if len(payload) <= 2 * CHUNK_BYTES or len(batch) == 1:
        yield batch, payload
        return
    del payload
    middle = len(batch) // 2
    yield from halves(batch.slice(0, middle))
    yield from halves(batch.slice(middle, len(batch)))
