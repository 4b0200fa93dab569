import pytest

from trueup.testing.lending.kept import meaning_of


@pytest.mark.parametrize(
    "text",
    [
        "commit",
        "COMMIT WORK",
        "end",
        "End;",
        "commit prepared 'a'",
        "prepare transaction 'a'",
        "begin; commit",
        "-- a\ncommit",
    ],
)
def test_statement_that_commits_is_known(text: str) -> None:
    assert meaning_of(text).is_commit


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rollback",
        "prepare p as select 1",
        "select commit from t",
        "insert into t values ('; commit;')",
        'select 1 as "commit"',
        "create function f() returns int begin atomic select 1; end",
        "do $$ begin commit; end $$",
        "release savepoint s",
        "/* commit; */ select 1",
    ],
)
def test_other_statement_is_none(text: str) -> None:
    assert not meaning_of(text).is_commit
