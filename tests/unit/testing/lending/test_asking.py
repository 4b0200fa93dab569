import pytest

from trueup.testing.lending.asking import database_of, shared_by


@pytest.mark.parametrize(
    ("asked", "database"),
    [
        ("conn", "conn"),
        ("conn observer", "conn"),
        ("observer", "db"),
        ("dsn", "db"),
        ("conn dsn", "db"),
        ("db conn observer dsn", "db"),
        ("db fresh_db", "db"),
        ("fresh_db conn", "fresh_db"),
        ("fresh_db module_db", "fresh_db"),
        ("module_db conn", "module_db"),
        ("session_db module_db class_db", "class_db"),
        ("db session_db", "db"),
        ("session_db dsn", "session_db"),
        ("", "db"),
    ],
)
def test_database_of_a_test_is_the_one_it_asks_for_most_closely(asked: str, database: str) -> None:
    assert database_of(asked.split()) == database


@pytest.mark.parametrize(
    ("asked", "shared"),
    [("db", None), ("db module_db", "module_db"), ("db session_db class_db module_db", "class_db"), ("", None)],
)
def test_shared_database_is_the_narrowest(asked: str, shared: str | None) -> None:
    assert shared_by(asked.split()) == shared
