from pathlib import Path

import pytest

from trueup.testing.options import Options, check_server, read_servers


@pytest.mark.parametrize(
    "text",
    [
        "embedded",
        "embedded:18",
        "embedded:16",
        "postgresql://user@127.0.0.1:5432/tests",
        "postgres://user:secret@localhost/tests",
        "postgresql://localhost",
        "host=127.0.0.1 dbname=tests",
        "hostaddr=127.0.0.1",
        "service=tests",
        "postgresql://user@/tests?host=/run/postgresql",
    ],
)
def test_server_that_says_where_it_is_is_taken(text: str) -> None:
    assert check_server(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "embedded:",
        "embedded:eighteen",
        "postgresql://",
        "postgresql:///tests",
        "postgresql://user:secret@/tests",
        "postgresql:///tests?host=",
        "postgresql:///host=a",
        "dbname=tests user=me",
        "env:DATABASE_URL",
        "tests.sql",
        "host=",
        "dbname=ghost=a",
    ],
)
def test_server_that_the_environment_would_choose_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(pytest.UsageError, match="must be embedded:18") as caught:
        check_server(text)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "version"),
    [("embedded", 18), ("embedded:16", 16), ("embedded:18", 18), ("service=embedded:18", None), ("host=a", None)],
)
def test_version_is_that_of_the_server_to_start(text: str, version: int | None) -> None:
    assert [server.embedded_version for server in read_servers([text])] == [version]


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["embedded"], ["pg18"]),
        (["embedded:18 embedded:16"], ["pg18", "pg16"]),
        (["embedded:16", "embedded:18"], ["pg16", "pg18"]),
        (["embedded:16\npostgresql://localhost"], ["pg16", "provided"]),
        (["host=a dbname=b"], ["provided"]),
        (["host=a dbname=b\n\nembedded:16\nservice=c"], ["provided", "pg16", "provided2"]),
    ],
)
def test_several_servers_are_words_or_lines_or_options(texts: list[str], names: list[str]) -> None:
    assert [server.name for server in read_servers(texts)] == names


@pytest.mark.parametrize(
    "text", ["embedded:18 embedded:16 embedded", "postgresql://u:secret@a postgresql://u:secret@a"]
)
def test_server_that_is_named_twice_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(pytest.UsageError, match=r"names (embedded PostgreSQL 18|a provided server) twice") as caught:
        read_servers([text])

    assert "secret" not in str(caught.value)


def test_password_of_a_provided_server_is_not_shown() -> None:
    [server] = read_servers(["postgresql://user:secret@localhost/tests"])

    assert "secret" not in f"{server} {server!r}"


def test_server_that_the_run_was_not_told_of_is_started(tmp_path: Path) -> None:
    options = Options(servers=read_servers(["service=a"]), schema=None, seed=(), folder=tmp_path, is_verifying=False)

    assert options.named("provided").text == "service=a"
    assert options.named("pg16").text == "embedded:16"
