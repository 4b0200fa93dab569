"""The SQL that reads single rows, by their keys or by their hashes. Does no I/O."""

from collections.abc import Sequence

from psycopg import sql

from trueup.parity.data.hashing.expressions import array, column, column_hash, comma, key_hash, key_text, row_hashes
from trueup.parity.data.hashing.passes import VERSION, hash_names, hashed_twice
from trueup.parity.data.hashing.selection import conditions, relation, where, where_all
from trueup.parity.data.model import Key
from trueup.parity.data.pairing.forms import Template
from trueup.parity.data.pairing.pairs import ReadColumn, Reading


def row_hashes_of(reading: Reading, keys: Sequence[Key], salt: int) -> sql.Composed:
    """Ask for the rows of these keys: the key as text, and the row's hashes."""
    return sql.SQL("select array[{}], array[{}] from {}").format(
        comma(map(key_text, reading.key)), comma(row_hashes(reading, salt)), joined(reading, keys)
    )


def rows_of_keys(reading: Reading, keys: Sequence[Key], salt: int) -> sql.Composed:
    """Ask for the rows of these keys: the key as text, the row's hashes, 1, and which transaction wrote it."""
    return sql.SQL("select array[{}], array[{}], 1, {} from {}").format(
        comma(map(key_text, reading.key)), comma(row_hashes(reading, salt)), VERSION, joined(reading, keys)
    )


def rows_of_hashes(reading: Reading, keys: Sequence[Key], salt: int) -> sql.Composed:
    """Ask for the rows that are named by their hashes, as rows_of_keys gives them, each different one once."""
    names, first = comma(hash_names(reading)), hash_names(reading)[0]
    return sql.SQL(
        "select array[lpad(to_hex({0}), 16, '0')], array[{1}], count(*), sum(version) from {2} where {0} = any({3})"
        " group by {1}"
    ).format(first, names, hashed_twice(reading, salt), array([id_of_hash(key) for key in keys]))


def id_of_hash(key: Key) -> int:
    """Return the 64 bits that name a row without a key."""
    number = int(key[0] or "", 16)
    return number - 2**64 if number >= 2**63 else number


def keys_of_ids(reading: Reading, ids: Sequence[int], salt: int) -> sql.Composed:
    """Ask for the keys of the rows with these ids: the id, then the key as text."""
    hashed = key_hash(reading, salt)
    return sql.SQL("select {}, {} from {} {}").format(
        hashed,
        comma(map(key_text, reading.key)),
        relation(reading),
        where_all([*conditions(reading), sql.SQL("{} = any({})").format(hashed, array(ids))]),
    )


def column_hashes(reading: Reading, keys: Sequence[Key], salt: int) -> sql.Composed:
    """Ask for the rows of these keys: the key as text, the hash of each column, and its hash under the type's `=`."""
    return sql.SQL("select array[{}], array[{}], array[{}] from {}").format(
        comma(map(key_text, reading.key)),
        comma(column_hash(reading, one, one.form.value, salt) for one in reading.columns),
        comma(column_hash(reading, one, _as_equal(reading, one), salt) for one in reading.columns),
        joined(reading, keys),
    )


def _as_equal(reading: Reading, one: ReadColumn) -> Template:
    """Return the form that is the same for equal values; where the servers' own hashes are not to be had, its value."""
    return one.form.value if reading.hashing == "text" else one.form.equal or one.form.value


def joined(reading: Reading, keys: Sequence[Key]) -> sql.Composed:
    """Return the rows of these keys as a relation `t`; a key that is not there has none."""
    parts = range(len(reading.key))
    # No name that a column of the table may have: the user's condition names those without a prefix.
    names = [sql.Identifier("trueup key", f"trueup key {number}") for number in parts]
    on = [
        _matches(one, wanted, may_be_null=any(key[number] is None for key in keys))
        for number, one, wanted in zip(parts, reading.key, names, strict=True)
    ]
    return sql.SQL("unnest({}) as {}({}) join {} on {} {}").format(
        comma(sql.SQL("{}::text[]").format(sql.Literal([key[number] for key in keys])) for number in parts),
        sql.Identifier("trueup key"),
        comma(sql.Identifier(f"trueup key {number}") for number in parts),
        relation(reading),
        sql.SQL(" and ").join(on),
        where(reading),
    )


def _matches(one: ReadColumn, wanted: sql.Composable, *, may_be_null: bool) -> sql.Composed:
    equal = _equals(one, wanted)
    if not may_be_null:
        return equal
    return sql.SQL("({} or ({} is null and {} is null))").format(equal, column(one), wanted)


def _equals(one: ReadColumn, wanted: sql.Composable) -> sql.Composed:
    type_ = one.value_type
    if one.form.conversion or (type_.kind == "base" and type_.name.schema != "pg_catalog"):
        # The type's own `=` lives in a schema that the empty search_path doesn't show.
        return sql.SQL("{} = {}").format(key_text(one), wanted)
    return sql.SQL("{} = {}::{}").format(column(one), wanted, sql.Identifier(*type_.name))
