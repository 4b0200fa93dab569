"""Batches as the one parameter of their statement, an array of texts in binary, cut into chunks.

Its first text separates values, its second stands for NULL, and each of the others holds the values of one column.
"""

from collections.abc import Iterator, Sequence
from secrets import token_hex
from struct import pack

from trueup.tables.batches import Batch

SEPARATOR, NULL = b"\x1f", b"\x1e"
"""The separators of units and of records in ASCII, which hardly any text holds."""
TEXT_OID = 25
CHUNK_BYTES = 2 << 20
"""How much one statement is given; more gains nothing, and the server would keep columns on disk (`work_mem`)."""
SAMPLE_ROWS = 64


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


def chunks(batch: Batch, limit: int = CHUNK_BYTES) -> Iterator[tuple[Batch, bytes]]:
    """Give a batch in parts of about `limit` bytes; a single row may be larger."""
    step = max(1, len(batch) // SAMPLE_ROWS)
    sample = batch.take(range(0, len(batch), step))
    row_bytes = len(encode_batch(sample)) / len(sample)
    size = max(1, int(limit / row_bytes))
    for begin in range(0, len(batch), size):
        yield from halves(batch.slice(begin, begin + size), limit)


def halves(batch: Batch, limit: int) -> Iterator[tuple[Batch, bytes]]:
    """Give a batch as it is, or in halves where its rows turn out to be larger than the sample was."""
    payload = encode_batch(batch)
    if len(payload) <= 2 * limit or len(batch) == 1:
        yield batch, payload
        return
    del payload
    middle = len(batch) // 2
    yield from halves(batch.slice(0, middle), limit)
    yield from halves(batch.slice(middle, len(batch)), limit)
