import pytest

from trueup.errors import UsageError
from trueup.testing.lending.kept import refuse_commit


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
def test_statement_that_commits_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="ask for `db`"):
        refuse_commit(text)


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
def test_other_statement_is_not(text: str) -> None:
    refuse_commit(text)
