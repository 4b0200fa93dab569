from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from struct import unpack_from
from typing import Any
from uuid import UUID

import pytest

from trueup.tables import UNSET, Table, payloads
from trueup.tables.batches import Batch, group, prepare
from trueup.tables.ordering import Ordered, Rejected, in_order
from trueup.tables.payloads import NULL, SEPARATOR, chunks, encode_batch


@dataclass(frozen=True, slots=True)
class Note:
    id: int
    text: str | None = UNSET
    photo: bytes | None = UNSET
    tags: list[str] | None = UNSET
    cost: Decimal | None = UNSET
    seen_at: datetime | None = UNSET
    ref: UUID | None = UNSET


NOTES = Table("public.notes", Note, primary_key=("id",))


def given(rows: list[Any]) -> Ordered:
    return in_order(NOTES, rows, {}, "error", reject=lambda bad: None)[0]


def batch_of(rows: list[Any]) -> Batch:
    (batch,) = group(NOTES, given(rows), {})
    return prepare(NOTES, batch)[0]


def cut(rows: list[Any], first_rows: int = 0) -> list[tuple[Batch, bytes]]:
    """Return the parts of rows, none of them bad."""
    bad: list[Rejected] = []
    parts = list(chunks(NOTES, given(rows), {}, bad.extend, first_rows=first_rows))
    assert not bad
    return parts


def texts_of(payload: bytes) -> list[bytes]:
    """Read the binary form of a text[]."""
    dimensions, nulls, oid, length, first = unpack_from(">iiIii", payload)
    assert (dimensions, nulls, oid, first) == (1, 0, 25, 1)
    texts, at = [], 20
    for _ in range(length):
        (size,) = unpack_from(">i", payload, at)
        texts.append(payload[at + 4 : at + 4 + size])
        at += 4 + size
    assert at == len(payload)
    return texts


def values_of(payload: bytes) -> list[list[str | None]]:
    """Return the values of each column as the server reads them."""
    separator, null, *columns = texts_of(payload)
    split = [column.split(separator) for column in columns]
    assert all(first == b"" for first, *_ in split)
    return [[None if value == null else value.decode() for value in values] for _, *values in split]


def test_each_type_is_written_as_its_input_text():
    moment = datetime(2024, 1, 1, 12, tzinfo=UTC)
    rows = [
        Note(1, "a\nb", b"\0", ["x", 'q"\\'], Decimal("1.50"), moment, UUID(int=5)),
        Note(20, "", b"", [], Decimal("1E+5"), moment, UUID(int=6)),
    ]

    assert values_of(encode_batch(batch_of(rows))) == [
        ["1", "20"],
        ["a\nb", ""],
        ["\\x00", "\\x"],
        ['{"x","q\\"\\\\"}', "{}"],
        ["1.50", "1E+5"],
        ["2024-01-01 12:00:00Z"] * 2,
        [str(UUID(int=5)), str(UUID(int=6))],
    ]


def test_null_is_told_from_every_text():
    rows = [Note(i, *[value] * 6) for i, value in enumerate([None, None])]
    rows += [Note(2, "null", b"null", ["null", None], Decimal(0), None, None)]

    values = values_of(encode_batch(batch_of(rows)))

    assert values[1] == [None, None, "null"]
    assert values[3] == [None, None, '{"null",null}']
    assert all(column[:2] == [None, None] for column in values[1:])


@pytest.mark.parametrize("text", [SEPARATOR, NULL, SEPARATOR + NULL, b"a" + NULL + b"b"])
def test_text_that_holds_a_mark_is_kept(text: bytes):
    given = [text.decode(), None, "", text.decode() * 2]
    rows = [Note(i, value, tags=None if value is None else [value]) for i, value in enumerate(given)]

    payload = encode_batch(batch_of(rows))

    texts = values_of(payload)[1]
    assert texts == given
    assert texts_of(payload)[0] not in text
    assert texts_of(encode_batch(batch_of(rows)))[0] != texts_of(payload)[0]


def test_control_characters_in_arrays_are_not_written_as_json_does():
    rows = [Note(1, tags=["a\tb", "plain"]), Note(2, tags=None)]

    assert values_of(encode_batch(batch_of(rows)))[1] == ['{"a\tb","plain"}', None]


def test_brackets_and_words_within_values_are_kept():
    rows = [Note(i, text, tags=[text]) for i, text in enumerate(["]", "[", "null", "[null]", "],["])]

    values = values_of(encode_batch(batch_of(rows)))

    assert values[1] == [row.text for row in rows]
    assert values[2] == [f'{{"{row.text}"}}' for row in rows]


def test_chunks_are_cut_by_bytes_and_lose_nothing(monkeypatch: pytest.MonkeyPatch):
    """W-R14: no guard for the number of bind parameters. There is one parameter, cut by its size."""
    monkeypatch.setattr(payloads, "CHUNK_BYTES", 20_000)
    rows = [Note(i, "x" * (i % 100), photo=b"\0" if i % 2 else None) for i in range(5000)]

    parts = cut(rows)

    assert max(len(payload) for _, payload in parts) <= 40_000
    assert sum(len(payload) for _, payload in parts) / len(parts) > 10_000
    assert [position for part, _ in parts for position in part.positions] == list(range(5000))
    columns = [values_of(payload) for _, payload in parts]
    assert [value for ids, _, _ in columns for value in ids] == [str(i) for i in range(5000)]
    assert [value for _, _, photos in columns for value in photos] == [None, "\\x00"] * 2500


def test_rows_larger_than_the_sample_are_halved(monkeypatch: pytest.MonkeyPatch):
    """W-R15: a batch size of zero is an endless loop. There is no size to give, and a part is never empty."""
    monkeypatch.setattr(payloads, "CHUNK_BYTES", 15_000)
    rows = [Note(i, "x" * 10_000 if i % 10 == 3 else "") for i in range(640)]

    parts = cut(rows)

    assert all(len(part) == 1 or len(payload) <= 30_000 for part, payload in parts)
    assert sum(len(part) for part, _ in parts) == 640
    assert max(len(part) for part, _ in parts) > 1


def test_chunks_that_begin_small_grow_to_their_size(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(payloads, "CHUNK_BYTES", 10_000)

    parts = cut([Note(i, "x" * 87) for i in range(1000)], first_rows=10)

    sizes = [len(part) for part, _ in parts]
    assert sizes[:2] == [10, 40]
    assert all(90 <= size <= 110 for size in sizes[2:-1])
    assert sum(sizes) == 1000


def test_chunk_is_made_when_it_is_asked_for():
    bad: list[Rejected] = []
    rows = [Note(i, "\0" if i == 900 else "") for i in range(1000)]

    parts = chunks(NOTES, given(rows), {}, bad.extend, first_rows=10)

    assert [len(next(parts)[0]) for _ in range(3)] == [10, 40, 160]
    assert bad == []
    assert sum(len(part) for part, _ in parts) == 789
    assert [(each.position, each.column) for each in bad] == [(900, "text")]


def test_no_rows_are_no_chunk():
    assert cut([]) == []
