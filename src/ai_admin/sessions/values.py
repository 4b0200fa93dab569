"""What is stored of a key: JSON in which bytes have one form, whoever wrote it.

Node writes a Buffer as `{"type": "Buffer", "data": [1, 2]}`, Baileys as `{"type": "Buffer", "data": "AQI="}`, older
versions of it as `{"buffer": true, "value": [1, 2]}`. Version 7 reads the second form only, so that is what everything
becomes. jsonb keeps values, not texts: what comes back is deep-equal, and its canonical hash is the same.
"""

import hashlib
from base64 import b64encode
from typing import Any

import msgspec

from ai_admin.sessions.model import CREDENTIALS, KEYS
from trueup.tables.encoding import BadValue, encode_json
from trueup.tables.errors import InvalidValue

EXACT = 2**53
"""Below it a float holds every integer."""


def with_one_buffer_form(value: Any) -> Any:
    """Return an equal value whose bytes are all in the form that Baileys reads."""
    if isinstance(value, list):
        return [with_one_buffer_form(item) for item in value]
    if not isinstance(value, dict):
        return value
    data = bytes_of(value)
    if data is not None:
        return {"type": "Buffer", "data": b64encode(data).decode()}
    return {key: with_one_buffer_form(item) for key, item in value.items()}


def bytes_of(value: dict[str, Any]) -> bytes | None:
    """Return the bytes of a Buffer in one of the two old forms; None: it is something else."""
    if value.keys() == {"type", "data"} and value["type"] == "Buffer":
        items = value["data"]
    elif value.keys() == {"buffer", "value"} and value["buffer"] is True:
        items = value["value"]
    else:
        return None
    is_bytes = isinstance(items, list) and all(type(item) is int and 0 <= item <= 255 for item in items)
    return bytes(items) if is_bytes else None


def stored_key(key_type: str, value: Any) -> Any:
    """Return a key's value as it is stored.

    Raises:
        InvalidValue: jsonb can't hold it; the message names the type and the reason, never the value or the id.
    """
    return stored(value, table=KEYS.name, column="value", what=f"of a {key_type} ")


def stored_creds(creds: Any) -> Any:
    """Return credentials as they are stored.

    Raises:
        InvalidValue: they are no object, or jsonb can't hold them.
    """
    if not isinstance(creds, dict):
        raise InvalidValue("is no object", table=CREDENTIALS.name, column="creds", sqlstate="22023")
    return stored(creds, table=CREDENTIALS.name, column="creds", what="")


def stored(value: Any, *, table: str, column: str, what: str) -> Any:
    """Return a value in the one form, if jsonb can hold it."""
    try:
        encode_json(value)
    except BadValue as error:
        raise InvalidValue(f"{what}{error.reason}", table=table, column=column, sqlstate=error.sqlstate) from None
    return with_one_buffer_form(value)


def canonical_hash(value: Any) -> str:
    """Return the SHA-256, in hex, of a value's canonical JSON: values that are equal in Node have equal hashes."""
    return hashlib.sha256(msgspec.json.encode(canonical(value), order="sorted")).hexdigest()


def canonical(value: Any) -> Any:
    """Return an equal value in which each number and each Buffer has one form: Node knows floats and no ints."""
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, dict):
        whole = with_one_buffer_form(value)
        return {key: canonical(item) for key, item in whole.items()}
    if type(value) is float and value.is_integer() and abs(value) < EXACT:
        return int(value)
    if type(value) is int and abs(value) >= EXACT:
        return float(value)
    return value
