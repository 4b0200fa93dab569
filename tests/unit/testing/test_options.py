from pathlib import Path

import pytest

from trueup.testing.options import Options, check_server


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
    ("server", "version"),
    [("embedded", 18), ("embedded:16", 16), ("embedded:18", 18), ("service=embedded:18", None), ("host=a", None)],
)
def test_version_is_that_of_the_server_to_start(server: str, version: int | None, tmp_path: Path) -> None:
    options = Options(server=server, schema=None, seed=(), folder=tmp_path, is_verifying=False)

    assert options.embedded_version == version
