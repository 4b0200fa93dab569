"""Whether two servers hash alike: values of every type are hashed on both before any row is.

They do, on all supported versions. Should two ever not, the types that they disagree about are compared as text; where
not even text has the same hash, by MD5 of the row's text.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from psycopg import sql

from trueup.db import Snapshot
from trueup.errors import Disconnected, Unverifiable
from trueup.parity.data.hashing.expressions import comma, int8, is_text, native_hash, native_text_hash
from trueup.parity.data.pairing.forms import HASHED_AS_IS, SENT, TEXT, Template
from trueup.parity.data.pairing.rules import Rules
from trueup.parity.data.pairing.window import ALL_OF_IT, Window
from trueup.parity.data.sides.lockstep import Lockstep, savepoint
from trueup.settings import Conversion

VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    # In ASCII, which every encoding of a database has.
    {
        "bool": ("true", "false"),
        "bpchar": ("", "a "),
        "bytea": ("\\x", "\\x00ff"),
        "char": ("a",),
        "cidr": ("10.0.0.0/8", "::/0"),
        "date": ("infinity", "0044-03-15 BC", "2024-02-29"),
        "float4": ("0", "-0", "NaN", "-Infinity", "0.1", "3.4028235e38"),
        "float8": ("0", "-0", "NaN", "-Infinity", "0.1", "1e300", "5e-324"),
        "inet": ("10.0.0.1", "10.0.0.1/8", "::1"),
        "int2": ("-32768", "0", "32767"),
        "int4": ("-2147483648", "0", "2147483647"),
        "int8": ("-9223372036854775808", "1", "4294967296"),
        "interval": ("1 day", "24:00", "-1 mon", "0.000001 s", "178000000 years"),
        "macaddr": ("08:00:2b:01:02:03",),
        "macaddr8": ("08:00:2b:01:02:03:04:05",),
        "money": ("0", "-1"),
        "numeric": ("0", "1.0", "1.00", "-1", "NaN", "Infinity", "-Infinity", "1e300", "1e-300"),
        "oid": ("0", "4294967295"),
        "pg_lsn": ("0/1", "FFFFFFFF/0"),
        "text": ("", "a ", "\x01", "more than the twelve bytes of one step"),
        "time": ("00:00", "24:00", "01:11:34.967296"),
        "timestamp": ("infinity", "-infinity", "0044-03-15 12:00 BC", "2000-01-01 00:00:00.000001"),
        "timestamptz": ("infinity", "0044-03-15 12:00+00 BC", "2000-01-01 01:11:34.967296+00"),
        "timetz": ("12:00+00", "12:00+01"),
        "uuid": ("00000000-0000-0000-0000-000000000001", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    }
)
SEED = 2_718_281_828_459_045_235


def agreed_rules(
    both: Lockstep, *, conversions: Iterable[Conversion] = (), window: Window = ALL_OF_IT, is_paranoid: bool = False
) -> Rules:
    """Return how rows are compared, after asking both servers for the hashes of the same values.

    Raises:
        Disconnected: a server went away.
    """
    encodings = {side.connection.info.parameter_status("server_encoding") for side in (both.source, both.target)}
    unlike = disagreements(*both.run(reference_hashes, reference_hashes))
    return Rules(
        to_utf8=len(encodings) > 1,
        hashing="text" if "text" in unlike else "both" if is_paranoid else "native",
        as_text=unlike,
        conversions=tuple(conversions),
        window=window,
    )


def disagreements(source: Mapping[str, object], target: Mapping[str, object]) -> frozenset[str]:
    """Return the types whose values don't have the same hashes on both sides, or have none on either."""
    return frozenset(name for name in VALUES if name not in source or source[name] != target.get(name))


def reference_hashes(snapshot: Snapshot) -> Mapping[str, object]:
    """Return the hashes of the values of each type; nothing where the server has no such hash."""
    try:
        with savepoint(snapshot):
            [hashes] = snapshot.rows(reference_query())
    except Disconnected:
        raise
    except Unverifiable:
        return {}
    return dict(zip(VALUES, hashes, strict=True))


@cache
def reference_query() -> bytes:
    """Ask for one row with an array of hashes for each type."""
    return sql.SQL("select {}").format(comma(_hashes(name) for name in VALUES)).as_bytes()


def _hashes(name: str) -> sql.Composed:
    template: Template = "{0}" if name in HASHED_AS_IS else SENT.get(name, TEXT)
    type_ = sql.Identifier("pg_catalog", name)
    given = [sql.SQL("{}::{}").format(sql.Literal(text), type_) for text in VALUES[name]]
    values, seed = [sql.SQL(template).format(one) for one in given], int8(SEED)
    found: list[sql.Composable] = [native_hash([value], seed) for value in values]
    if is_text(template):
        found += [native_text_hash(value, seed) for value in values]
    return sql.SQL("array[{}]").format(comma(found))
