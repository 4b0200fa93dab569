"""The SQL for one row: its values in their forms, its hash, the hash of its key. Does no I/O."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from psycopg import sql

from trueup.parity.data.pairing.forms import Template
from trueup.parity.data.pairing.pairs import ReadColumn, Reading

NOT_NULL = sql.SQL("true")
"""NULL has the hash 0 whatever the seed, and so would a row that holds nothing else."""


def column(one: ReadColumn) -> sql.Composable:
    """Return a column's value as its side's declared conversion gives it."""
    given = sql.Identifier("t", one.name)
    if one.form.conversion is None:
        return given
    return sql.SQL(one.form.conversion).format(given, sql.Literal(one.form.argument))


def int8(number: int) -> sql.Composed:
    """Return an integer, quoted: the minus of a bare -9223372036854775808 comes after the cast, which overflows."""
    return sql.SQL("{}::int8").format(sql.Literal(str(number)))


def array(numbers: Sequence[int]) -> sql.Composed:
    """Return integers as an array."""
    return sql.SQL("{}::int8[]").format(sql.Literal("{" + ",".join(map(str, numbers)) + "}"))


def comma(parts: Iterable[sql.Composable]) -> sql.Composed:
    """Join with commas."""
    return sql.SQL(", ").join(parts)


def in_form(reading: Reading, one: ReadColumn, template: Template) -> sql.Composed:
    """Return a column in a form; its text in UTF-8 where the sides' encodings differ."""
    value = sql.SQL(template).format(column(one))
    return sql.SQL("convert_to({}, 'UTF8')").format(value) if is_text(template) and reading.to_utf8 else value


def is_text(template: Template) -> bool:
    """Return whether a form is of type text."""
    return template.endswith('collate "C"')


def key_text(one: ReadColumn) -> sql.Composed:
    """Return a key's column as text."""
    return sql.SQL(one.form.key).format(column(one))


def native_hash(values: Iterable[sql.Composable], seed: sql.Composable) -> sql.Composed:
    """Return the server's own hash of a row of values."""
    return sql.SQL("hash_record_extended(row({}), {})").format(comma(values), seed)


def native_text_hash(text: sql.Composable, seed: sql.Composable) -> sql.Composed:
    """Return the server's own hash of a text; NULL of NULL."""
    return sql.SQL("hashtextextended({}, {})").format(text, seed)


def text_hash(values: Iterable[sql.Composable], seed: sql.Composable) -> sql.Composed:
    """Return the first half of the MD5 of a row's text: the same on every server, at three times the price."""
    return sql.SQL("('x' || left(md5(row({}, {})::text), 16))::bit(64)::int8").format(seed, comma(values))


def hashes(reading: Reading, values: list[sql.Composable], seed: sql.Composable) -> list[sql.Composable]:
    """Return one hash, or two by different functions."""
    by_name = {"native": [native_hash], "text": [text_hash], "both": [native_hash, text_hash]}
    return [function(values, seed) for function in by_name[reading.hashing]]


def values(reading: Reading) -> list[sql.Composable]:
    """Return all columns in their forms."""
    return _in_forms(reading, reading.columns)


def key_hash(reading: Reading, salt: int) -> sql.Composable:
    """Return one hash of the key alone."""
    parts: list[sql.Composable] = [in_form(reading, one, one.form.identity) for one in reading.key]
    return hashes(reading, parts, int8(salt))[0]


def row_id(reading: Reading, salt: int) -> sql.Composable:
    """Return 64 bits that stand for the key: an integer key itself, else its hash."""
    if reading.has_integer_key:
        return sql.SQL("{}::int8").format(column(reading.key[0]))
    return key_hash(reading, salt)


def row_hashes(reading: Reading, salt: int, key: sql.Composable | None = None) -> list[sql.Composable]:
    """Hash all columns, seeded by the key: values that change places between two rows can't cancel in the sum.

    `key` is what row_id gives, where that has been computed.
    """
    key = key or row_id(reading, salt)
    columns = [one for one in reading.columns if not reading.has_integer_key or one not in reading.key]
    found = hashes(reading, [NOT_NULL, *_in_forms(reading, columns)], _seed(key, salt))
    return found if reading.hashing == "text" else [_native_by_column(reading, columns, key, salt), *found[1:]]


def _native_by_column(reading: Reading, columns: Sequence[ReadColumn], key: sql.Composable, salt: int) -> sql.Composed:
    """Hash each text on its own, the other columns as one row, and join them by XOR, which their seeds make safe.

    A text that is part of a row is copied twice to be hashed, and a row costs more than several texts.
    """
    texts = [] if reading.to_utf8 else [one for one in columns if is_text(one.form.value)]
    others = _in_forms(reading, (one for one in columns if one not in texts))
    parts = [
        sql.SQL("coalesce({}, {})").format(
            native_text_hash(text, _seed(key, _drawn(salt, 2 * number))),
            native_text_hash(sql.SQL("''"), _seed(key, _drawn(salt, 2 * number + 1))),
        )
        for number, text in enumerate(_in_forms(reading, texts))
    ]
    if others or not parts:
        parts.append(native_hash(others if parts else [NOT_NULL, *others], _seed(key, salt)))
    return sql.SQL("({})").format(sql.SQL(" # ").join(parts))


def _in_forms(reading: Reading, columns: Iterable[ReadColumn]) -> list[sql.Composable]:
    return [in_form(reading, one, one.form.value) for one in columns]


def _seed(key: sql.Composable, salt: int) -> sql.Composed:
    return sql.SQL("({} # {})").format(key, int8(salt))


def _drawn(salt: int, number: int) -> int:
    """Return another salt; neighbouring ones would give two columns of neighbouring keys the same seed."""
    return int.from_bytes(blake2b(b"%d %d" % (salt, number), digest_size=8).digest(), signed=True)


def column_hash(reading: Reading, one: ReadColumn, template: Template, salt: int) -> sql.Composable:
    """Return the hash of one column in a form."""
    return hashes(reading, [in_form(reading, one, template)], int8(salt))[0]
