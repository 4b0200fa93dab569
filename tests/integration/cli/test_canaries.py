"""No personal or secret value gets out: planted in rows and connection strings, looked for in all that is written."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.observe.receiver import Receiver

from trueup import observe
from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.health import bodies, domain_check
from trueup.health.metrics import exposition
from trueup.settings import DatabaseSettings

KINDS = (
    "+7999000{0:04}",
    "7999001{0:04}@s.whatsapp.net",
    "anna.{0:04}@salon.invalid",
    "Анна Канарейкина-{0:04}",
    "sk-live-{0:04}-canary",
    "postgresql://u:canary-{0:04}@127.0.0.9/live",
    "note with O'Brien {0:04} canary",
    '{{"creds": "noise-{0:04}"}}',
)
IN_ROWS = [KINDS[number % len(KINDS)].format(number) for number in range(28)]
IN_NAMES = [f"pass%-{number:02}-canary" for number in range(12)]
"""The passwords of connection strings that can't be read."""

MALFORMED = (
    "postgresql://u:{0}%zz@127.0.0.1/db",
    "postgresql://u:{0} x@127.0.0.1/db",
    "postgresql://u:{0}@127.0.0.1:notaport/db",
    "postgresql://u:{0}@[::1/db",
    "postgresql://u:{0}@127.0.0.1/db?nosuch=1",
    "postgresql://u:{0}@127.0.0.1/db?sslmode=perhaps",
    "postgresql://127.0.0.1:1/db?user=u&password={0}",
    "host=127.0.0.1 password={0} port=notaport",
    "host=127.0.0.1 password='{0}",
    "host=127.0.0.1 password={0} nosuch=1",
    "host=127.0.0.1 port=1 user=u password={0}",
    "postgres://u:{0}@127.0.0.1:1,127.0.0.1:2/db",
)
ROWS = "create table clients (id int primary key, a text, b text, c text, d text, e text, f text, g text)"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Receiver]:
    """Return a tracker that keeps what it is sent, as the environment names it."""
    found = Receiver()
    monkeypatch.setenv("SENTRY_DSN", found.dsn.reveal())
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield found
    observe.shut_down()
    found.stop()


def test_canary_that_got_out_would_be_found() -> None:
    assert found_in("\n".join(map(repr, IN_ROWS[:3])), IN_ROWS) == IN_ROWS[:3]
    assert found_in(IN_ROWS[3].encode("unicode_escape").decode(), IN_ROWS) == [IN_ROWS[3]]


def found_in(text: str, canaries: list[str]) -> list[str]:
    """Return the canaries whose telling part is in a text."""
    return [canary for canary in canaries if canary in text or canary.encode("unicode_escape").decode() in text]


def written_below(folder: Path) -> str:
    return "\n".join(file.read_text("utf-8", "replace") for file in sorted(folder.rglob("*")) if file.is_file())


def test_no_value_of_a_row_gets_into_any_output(trueup, databases, tmp_path, receiver, caplog) -> None:
    """W-H1, W-S: reports, JSON, logs, events, pages of health and metrics hold keys and names of columns alone."""
    databases.run(ROWS)
    for side, shift in ((databases.source, 0), (databases.target, 7)):
        for key in range(4):
            values = ", ".join(
                "'" + IN_ROWS[(key * 7 + column + shift) % 28].replace("'", "''") + "'" for column in range(7)
            )
            databases.run_on(side, f"insert into clients values ({key}, {values})")
    pair = (databases.source, databases.target)

    done = [
        trueup("verify", "--source", pair[0], "--target", pair[1], "--report", tmp_path / "reports"),
        trueup("verify", "--source", pair[0], "--target", pair[1], "--json"),
        trueup("data", "diff", *pair),
        trueup("data", "diff", *pair, "--json"),
        trueup("schema", "diff", *pair),
        trueup("testdata", "stats", databases.target),
    ]
    page = health_of(databases.target)
    observe.flush(5)

    assert done[0].code == 1
    assert "public.clients" in done[0].out
    everything = [*(one.out + one.err for one in done), written_below(tmp_path), page, caplog.text]
    everything += [raw.decode("utf-8", "replace") for raw in receiver.raw]
    assert found_in("\n".join(everything), IN_ROWS) == []


def health_of(conninfo: ConnInfo) -> str:
    """Return what the pages of health say of a check that returns rows, and of one that the database refuses."""

    def read(db: Database) -> object:
        with db.connection() as connection:
            (a, b) = connection.execute("select a, b from clients order by id").fetchone() or ("", "")
        return {"status": "ok", "phone": a, "rows": [a, b], "count": 4, "nested": {"name": b}}

    with Database(DatabaseSettings(conninfo=conninfo)) as db:
        answer = domain_check(db, read)()
        written = exposition(lambda: {"clients": answer}, db.statistics)()
    return repr(bodies.page(answer, 1, is_detailed=True)) + written.decode()


@pytest.mark.usefixtures("may_connect")
@pytest.mark.parametrize(("form", "canary"), list(zip(MALFORMED, IN_NAMES, strict=True)), ids=range(12))
def test_no_password_of_a_malformed_connection_string_is_quoted(
    trueup, tmp_path, receiver, caplog, form: str, canary: str
) -> None:
    named = form.format(canary)

    done = [
        trueup("schema", "diff", named, named),
        trueup("budget", named),
        trueup("verify", "--source", named, "--target", named, "--report", tmp_path / "reports"),
    ]
    observe.flush(5)

    assert [one.code in {2, 3, 4} for one in done] == [True, True, True]
    everything = [*(one.out + one.err for one in done), written_below(tmp_path), caplog.text]
    everything += [raw.decode("utf-8", "replace") for raw in receiver.raw]
    assert "canary" not in "\n".join(everything)
