"""What Node asks over the bridge is answered with what the store says, errors included."""

import io
import json
import subprocess
import sys

import pytest

from ai_admin.sessions.bridge import main, serve
from ai_admin.sessions.store import SessionStore

BYTES = {"type": "Buffer", "data": "AQID"}


@pytest.fixture
def ask(store):
    """Return what sends lines, and reads as many answers."""

    def run(*lines):
        sent = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        answers = io.BytesIO()
        serve(store, sent, answers)
        return [json.loads(line) for line in answers.getvalue().splitlines()]

    return run


def test_whole_conversation_is_answered_in_its_order(ask):
    assert ask(
        {"id": 1, "op": "load_creds"},
        {"id": 2, "op": "save_creds", "creds": {"noiseKey": BYTES}},
        {"id": 3, "op": "set", "data": {"session": {"a": BYTES, "b": 1}, "pre-key": {"1": None}}},
        {"id": 4, "op": "get", "type": "session", "ids": ["a", "c"]},
        {"id": 5, "op": "load_creds"},
        {"id": 6, "op": "clear"},
        {"id": 7, "op": "load_creds"},
    ) == [
        {"id": 1, "value": None},
        {"id": 2, "value": None},
        {"id": 3, "value": None},
        {"id": 4, "value": {"a": BYTES}},
        {"id": 5, "value": {"noiseKey": BYTES}},
        {"id": 6, "value": None},
        {"id": 7, "value": None},
    ]


def test_failure_is_an_error_and_never_an_empty_value(ask, observer):
    """W-A3: an error was answered by "no keys"."""
    observer.execute("alter table whatsapp_keys rename to away")

    failed, after = ask({"id": 1, "op": "get", "type": "session", "ids": ["a"]}, {"id": 2, "op": "load_creds"})

    assert failed["id"] == 1
    assert failed["error"]["name"] == "SchemaMismatch"
    assert "value" not in failed
    assert after == {"id": 2, "value": None}


def test_stale_write_is_told_by_its_name(ask, db, store):
    ask({"id": 1, "op": "get", "type": "session", "ids": ["a"]})
    SessionStore(db, store.company).set({"session": {"a": 1}})

    (answer,) = ask({"id": 2, "op": "set", "data": {"session": {"a": 2}}})

    assert answer["error"]["name"] == "StaleWrite"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        {"id": 1},
        {"id": 1, "op": "drop"},
        {"op": "load_creds"},
        {"id": "1", "op": "load_creds"},
        {"id": 1, "op": "get", "type": "session"},
        {"id": 1, "op": "get", "type": "session", "ids": "a"},
        {"id": 1, "op": "get", "type": "session", "ids": [1]},
        {"id": 1, "op": "set", "data": {"session": ["70001231001"]}},
        {"id": 1, "op": "set", "data": {}, "more": 1},
    ],
)
def test_line_that_is_no_request_is_an_error_and_the_next_one_is_answered(ask, line):
    refused, answered = ask(line, {"id": 9, "op": "load_creds"})

    assert (refused["id"], refused["error"]["name"]) == (None, "UsageError")
    assert "70001231001" not in json.dumps(refused)
    assert answered == {"id": 9, "value": None}


def test_values_that_can_not_be_stored_are_refused(ask, stored):
    (answer,) = ask(b'{"id": 1, "op": "set", "data": {"session": {"a": "\\u0000"}}}')

    assert answer["error"]["name"] == "InvalidValue"
    assert stored("key_id") == []


def test_process_answers_what_comes_on_its_stdin(database, stored):
    done = subprocess.run(
        [sys.executable, "-m", "ai_admin.sessions.bridge", "company_962302"],
        input=b'{"id": 1, "op": "set", "data": {"session": {"a": 1}}}\n',
        env={"TRUEUP_DATABASE": database.reveal(), "PATH": ""},
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == {"id": 1, "value": None}
    assert stored("company_id, key_id") == [("962302", "a")]


@pytest.mark.parametrize("arguments", [[], ["7", "8"], ["a b"]])
def test_wrong_arguments_are_told(database, monkeypatch, capsys, arguments):
    monkeypatch.setenv("TRUEUP_DATABASE", database.reveal())

    assert main(arguments) == 2
    assert capsys.readouterr().err != ""
