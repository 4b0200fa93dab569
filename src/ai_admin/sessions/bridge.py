"""Lets Baileys, which runs in Node, work with the store: a JSON object a line in, a JSON object a line out.

    {"id": 1, "op": "load_creds"}                                          {"id": 1, "value": {…}} or null
    {"id": 2, "op": "save_creds", "creds": {…}}                            {"id": 2, "value": null}
    {"id": 3, "op": "get", "type": "session", "ids": ["…"]}                {"id": 3, "value": {"…": {…}}}
    {"id": 4, "op": "set", "data": {"session": {"…": null}}}               {"id": 4, "value": null}
    {"id": 5, "op": "clear"}                                               {"id": 5, "value": null}

What fails is answered by `{"id": 4, "error": {"name": "StaleWrite", "message": "…"}}`, never by an empty value.
Requests are answered in their order; `python -m ai_admin.sessions.bridge COMPANY_ID` answers those of its stdin.
"""

import sys
from collections.abc import Iterable
from typing import IO, Any

import msgspec

from ai_admin.sessions.store import SessionStore
from trueup.db import Database
from trueup.errors import TrueupError, UsageError
from trueup.settings import DatabaseSettings


class Request(msgspec.Struct, tag_field="op", tag=str.lower, forbid_unknown_fields=True):
    """Is what every request has."""

    id: int


class LoadCreds(Request, tag="load_creds"):
    """Asks for the credentials."""

    def answer(self, store: SessionStore) -> Any:
        """Return them, or None."""
        return store.load_creds()


class SaveCreds(Request, tag="save_creds"):
    """Asks to store the credentials."""

    creds: Any

    def answer(self, store: SessionStore) -> None:
        """Store them."""
        store.save_creds(self.creds)


class Get(Request):
    """Asks for keys of one type."""

    type: str
    ids: list[str]

    def answer(self, store: SessionStore) -> dict[str, Any]:
        """Return those that there are."""
        return store.get(self.type, self.ids)


class Set(Request):
    """Asks to store and delete keys."""

    data: dict[str, dict[str, Any]]

    def answer(self, store: SessionStore) -> None:
        """Store and delete them, all or nothing."""
        store.set(self.data)


class Clear(Request):
    """Asks to delete the session."""

    def answer(self, store: SessionStore) -> None:
        """Delete it."""
        store.clear()


AnyRequest = LoadCreds | SaveCreds | Get | Set | Clear
DECODER: msgspec.json.Decoder[AnyRequest] = msgspec.json.Decoder(AnyRequest)


def serve(store: SessionStore, requests: Iterable[bytes], answers: IO[bytes]) -> None:
    """Answer requests until there are no more."""
    for line in requests:
        answers.write(answer(store, line) + b"\n")
        answers.flush()


def answer(store: SessionStore, line: bytes) -> bytes:
    """Return the answer to one request."""
    number: int | None = None
    try:
        request = decode(line)
        number = request.id
        return msgspec.json.encode({"id": number, "value": request.answer(store)})
    except TrueupError as error:
        return msgspec.json.encode({"id": number, "error": {"name": type(error).__name__, "message": str(error)}})


def decode(line: bytes) -> AnyRequest:
    """Return a request.

    Raises:
        UsageError: it is none.
    """
    try:
        return DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"a line is no request: {error}") from None


def main(arguments: list[str]) -> int:
    """Answer the requests on stdin for the session of one company, in the database that the environment names."""
    try:
        (company_id,) = arguments
    except ValueError:
        sys.stderr.write("usage: python -m ai_admin.sessions.bridge COMPANY_ID\n")
        return 2
    try:
        with Database(DatabaseSettings.from_env()) as db:
            serve(SessionStore(db, company_id), sys.stdin.buffer, sys.stdout.buffer)
    except UsageError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
