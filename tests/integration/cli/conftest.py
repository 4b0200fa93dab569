"""The command line, run in this process, and databases to point it at."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from trueup.cli.main import run
from trueup.conninfo import ConnInfo
from trueup.servers import EmbeddedServer


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out)


@pytest.fixture
def trueup(capsys: pytest.CaptureFixture[str], tmp_path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Run a command in an empty folder; a ConnInfo among its words stands for its connection string."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Outcome:
        code = run([word.reveal() if isinstance(word, ConnInfo) else str(word) for word in words])
        return Outcome(code, *capsys.readouterr())

    return call


@dataclass(frozen=True)
class Databases:
    source: ConnInfo
    target: ConnInfo

    def run(self, script: str) -> None:
        """Run the script on both sides."""
        self.run_on(self.source, script)
        self.run_on(self.target, script)

    def run_on(self, side: ConnInfo, script: str) -> None:
        with psycopg.connect(side.reveal(), autocommit=True) as connection:
            connection.execute(script)


@pytest.fixture
def databases(
    server16: EmbeddedServer, server18: EmbeddedServer, request: pytest.FixtureRequest
) -> Iterator[Databases]:
    """Return an empty database on each version."""
    name = f"cli_{abs(hash(request.node.nodeid))}"
    yield Databases(server16.create_database(name), server18.create_database(name))
    server16.drop_database(name)
    server18.drop_database(name)
