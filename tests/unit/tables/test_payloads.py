import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from struct import unpack_from
from typing import Annotated, Any
from uuid import UUID

import psycopg
import pytest
from psycopg.adapt import Transformer
from psycopg.pq import Format

from trueup.tables import UNSET, Sql, Table, payloads
from trueup.tables.batches import Batch, group, prepare
from trueup.tables.ordering import Ordered, Rejected, in_order
from trueup.tables.payloads import MOST_WORDS, Payload, chunks, encode_batch, size_of


@dataclass(frozen=True, slots=True)
class Note:
    id: int
    text: str | None = UNSET
    photo: bytes | None = UNSET
    tags: list[str] | None = UNSET
    cost: Decimal | None = UNSET
    seen_at: datetime | None = UNSET
    ref: UUID | None = UNSET
    about: Annotated[Any, Sql("jsonb")] = UNSET


NOTES = Table("public.notes", Note, primary_key=("id",))


def given(rows: list[Any]) -> Ordered:
    return in_order(NOTES, rows, {}, "error", reject=lambda bad: None)[0]


def batch_of(rows: list[Any]) -> Batch:
    (batch,) = group(NOTES, given(rows), {})
    return prepare(NOTES, batch)[0]


def cut(rows: list[Any], first_rows: int = 0) -> list[tuple[Batch, Payload]]:
    """Return the parts of rows, none of them bad."""
    bad: list[Rejected] = []
    parts = list(chunks(NOTES, given(rows), {}, bad.extend, first_rows=first_rows))
    assert not bad
    return parts


def values_of(payload: Payload) -> list[list[Any]]:
    """Return the values of each column as psycopg reads them."""
    return [read(array) for array in payload.arrays]


def read(array: bytes) -> list[Any]:
    """Return the elements of an array."""
    (oid,) = unpack_from(">i", array, 8)
    kind = psycopg.adapters.types.get(oid)
    assert kind is not None
    loaded: list[Any] = Transformer().get_loader(kind.array_oid, Format.BINARY).load(array)
    return loaded


def test_each_type_is_written_in_binary_or_as_its_input_text():
    moment = datetime(2024, 1, 1, 12, tzinfo=UTC)
    rows = [
        Note(1, "a\nb", b"\0", ["x", 'q"\\'], Decimal("1.50"), moment, UUID(int=5)),
        Note(20, "", b"", [], Decimal("1E+5"), moment, UUID(int=6)),
    ]

    assert values_of(encode_batch(batch_of(rows))) == [
        [1, 20],
        ["a\nb", ""],
        [b"\0", b""],
        ['{"x","q\\"\\\\"}', "{}"],
        ["1.50", "1E+5"],
        [moment] * 2,
        [UUID(int=5), UUID(int=6)],
    ]


def test_null_is_told_from_every_text():
    rows = [Note(i, *[value] * 6) for i, value in enumerate([None, None])]
    rows += [Note(2, "null", b"null", ["null", None], Decimal(0), None, None)]

    values = values_of(encode_batch(batch_of(rows)))

    assert values[1] == [None, None, "null"]
    assert values[3] == [None, None, '{"null",null}']
    assert all(column[:2] == [None, None] for column in values[1:])


def test_control_characters_in_arrays_are_not_written_as_json_does():
    rows = [Note(1, tags=["a\tb", "plain"]), Note(2, tags=None)]

    assert values_of(encode_batch(batch_of(rows)))[1] == ['{"a\tb","plain"}', None]


def test_brackets_and_words_within_values_are_kept():
    rows = [Note(i, text, tags=[text]) for i, text in enumerate(["]", "[", "null", "[null]", "],["])]

    values = values_of(encode_batch(batch_of(rows)))

    assert values[1] == [row.text for row in rows]
    assert values[2] == [f'{{"{row.text}"}}' for row in rows]


def test_json_that_repeats_itself_is_sent_as_a_dictionary():
    abouts: list[Any] = [{"a": 1}, None, "word", {"a": 1}, "word", None, {"a": 1}, {"a": 1}]

    ((batch, payload),) = cut([Note(i, about=about) for i, about in enumerate(abouts)])

    assert payload.coded == ("about",)
    assert values_of(payload) == [[*range(8)], [1, None, 2, 1, 2, None, 1, 1], ['{"a":1}', '"word"']]
    assert values_of(encode_batch(batch))[1:] == [
        [None if each is None else json.dumps(each, separators=(",", ":")) for each in abouts]
    ]


@pytest.mark.parametrize(
    ("rows", "words", "is_coded"),
    [
        (4 * MOST_WORDS, MOST_WORDS, True),
        (4 * MOST_WORDS + 4, MOST_WORDS + 1, False),
        (9, 2, True),
        (7, 2, False),
        (8, 0, False),
    ],
    ids=["many words", "too many words", "few rows", "too few rows", "no words"],
)
def test_dictionary_is_used_where_its_words_are_few(rows: int, words: int, is_coded: bool):
    given = [Note(i, about=i % words if words else None) for i in range(rows)]

    ((_, payload),) = cut(given)

    assert payload.coded == (("about",) if is_coded else ())
    assert len(payload.arrays) == 2 + is_coded


def test_texts_that_repeat_themselves_are_no_dictionary():
    ((_, payload),) = cut([Note(i, "the same", tags=["the", "same"]) for i in range(100)])

    assert payload.coded == ()


def test_chunks_are_cut_by_bytes_and_lose_nothing(monkeypatch: pytest.MonkeyPatch):
    """W-R14: no guard for the number of bind parameters. There is one a column, and rows are cut by their size."""
    monkeypatch.setattr(payloads, "CHUNK_BYTES", 20_000)
    rows = [Note(i, "x" * (i % 100), photo=b"\0" if i % 2 else None) for i in range(5000)]

    parts = cut(rows)

    assert max(size_of(payload) for _, payload in parts) <= 40_000
    assert sum(size_of(payload) for _, payload in parts) / len(parts) > 10_000
    assert [position for part, _ in parts for position in part.positions] == list(range(5000))
    columns = [values_of(payload) for _, payload in parts]
    assert [value for ids, _, _ in columns for value in ids] == list(range(5000))
    assert [value for _, _, photos in columns for value in photos] == [None, b"\0"] * 2500


def test_rows_larger_than_the_sample_are_halved(monkeypatch: pytest.MonkeyPatch):
    """W-R15: a batch size of zero is an endless loop. There is no size to give, and a part is never empty."""
    monkeypatch.setattr(payloads, "CHUNK_BYTES", 15_000)
    rows = [Note(i, "x" * 10_000 if i % 10 == 3 else "") for i in range(640)]

    parts = cut(rows)

    assert all(len(part) == 1 or size_of(payload) <= 30_000 for part, payload in parts)
    assert sum(len(part) for part, _ in parts) == 640
    assert max(len(part) for part, _ in parts) > 1


def test_chunks_that_begin_small_grow_to_their_size(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(payloads, "CHUNK_BYTES", 10_000)

    parts = cut([Note(i, "x" * 87) for i in range(1000)], first_rows=10)

    sizes = [len(part) for part, _ in parts]
    assert sizes[:2] == [10, 40]
    assert all(80 <= size <= 110 for size in sizes[2:-1])
    assert sum(sizes) == 1000


def test_chunk_is_made_when_it_is_asked_for():
    bad: list[Rejected] = []
    rows = [Note(i, "\0" if i == 900 else "") for i in range(1000)]

    parts = chunks(NOTES, given(rows), {}, bad.extend, first_rows=10)

    assert [len(next(parts)[0]) for _ in range(3)] == [10, 40, 160]
    assert bad == []
    assert sum(len(part) for part, _ in parts) == 789
    assert [(each.position, each.column) for each in bad] == [(900, "text")]


@pytest.mark.parametrize("rows", [[], [Note(None)]], ids=["none given", "none left"])  # type: ignore[arg-type]
def test_no_rows_are_no_chunk(rows: list[Any]):
    assert cut(rows) == []
