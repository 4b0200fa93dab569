"""Batches as the parameters of their statement, one array a column, cut into chunks.

A column of JSON that repeats itself is sent as a dictionary, and as the index of a word for each row: the server reads
each word once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from trueup.tables.arrays import write_array
from trueup.tables.batches import JSON_FAMILIES, Batch, group, prepare
from trueup.tables.contract import Table
from trueup.tables.ordering import Ordered, Reject
from trueup.tables.sql_types import SCALARS
from trueup.tables.tenants import Row

CHUNK_BYTES = 2 << 20
"""How much one statement is given; more gains nothing."""
SAMPLE_ROWS = 64
FIRST_ROWS = 512
"""How few the server begins with where it is to begin soon."""
GROWTH = 4
"""How many times longer the server takes for a row than we do, at least."""
MOST_WORDS = 64
"""How many words a dictionary has at most: the server finds one by walking past those before it."""
FEWEST_USES = 4
"""How often a word of a dictionary is used at least, on average."""
INDEX = SCALARS["smallint"]
WORD = SCALARS["text"]


@dataclass(frozen=True, slots=True, eq=False)
class Payload:
    """Is the parameters of one statement: an array for each column, then one for each dictionary."""

    arrays: list[bytes]
    coded: tuple[str, ...] = ()
    """The columns that are given as indexes, from 1, in the order of their dictionaries."""


def encode_batch(batch: Batch) -> Payload:
    """Return the columns of a batch as arrays of their values."""
    return Payload([write_array(*each) for each in zip(batch.columns, batch.dumpers, strict=True)])


def encode_with_dictionaries(table: Table[Any], batch: Batch) -> Payload:
    """Return the columns of a batch as arrays, JSON that repeats itself by dictionaries."""
    columns, dumpers = list(batch.columns), list(batch.dumpers)
    dictionaries: dict[str, list[str]] = {}
    for i, name in enumerate(batch.names):
        if table.column(name).type.family in JSON_FAMILIES and (found := by_dictionary(columns[i])):
            columns[i], dictionaries[name] = found
            dumpers[i] = INDEX.dumper
    arrays = [write_array(*each) for each in zip(columns, dumpers, strict=True)]
    arrays += [write_array(words, WORD.dumper) for words in dictionaries.values()]
    return Payload(arrays, tuple(dictionaries))


def by_dictionary(texts: Sequence[str | None]) -> tuple[list[int | None], list[str]] | None:
    """Return the index of each text, and the texts that they lead to; None if that gains nothing."""
    words = [text for text in dict.fromkeys(texts) if text is not None]
    if not 0 < len(words) <= min(MOST_WORDS, len(texts) // FEWEST_USES):
        return None
    index: dict[str | None, int] = {word: i for i, word in enumerate(words, 1)}
    return list(map(index.get, texts)), words


def size_of(payload: Payload) -> int:
    """Return how many bytes the server is sent."""
    return sum(map(len, payload.arrays))


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
                yield from halves(table, ready)
        begin, step = begin + step, step * GROWTH


def rows_for(limit: int, table: Table[Any], given: Ordered, tenant: Row) -> int:
    """Return about how many rows fit into so many bytes, by a sample of them."""
    sample = given[:: max(1, len(given) // SAMPLE_ROWS)]
    ready = [prepare(table, batch)[0] for batch in group(table, sample, tenant)]
    total = sum(size_of(encode_batch(batch)) for batch in ready if len(batch))
    return max(1, limit * sum(map(len, ready)) // max(1, total))


def halves(table: Table[Any], batch: Batch) -> Iterator[tuple[Batch, Payload]]:
    """Give a batch as it is, or in halves where its rows turn out to be larger than the sample was."""
    payload = encode_with_dictionaries(table, batch)
    if size_of(payload) <= 2 * CHUNK_BYTES or len(batch) == 1:
        yield batch, payload
        return
    del payload
    middle = len(batch) // 2
    yield from halves(table, batch.slice(0, middle))
    yield from halves(table, batch.slice(middle, len(batch)))
