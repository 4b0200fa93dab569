"""What counts as the mark of a database that tests own."""

import pytest

from trueup.testing.identity import OWNER, Identity, database_mark, server_mark

SERVER, OID = 7_300_000_000_000_000_001, 16_400
MARK, OF_SERVER = database_mark(SERVER, OID), server_mark(SERVER)


def identity(*, owner: str = OWNER, of_database: str | None = None, of_role: str | None = None) -> Identity:
    return Identity(
        database="crm",
        oid=OID,
        owner=owner,
        system_identifier=SERVER,
        database_comment=of_database,
        role_comment=of_role,
    )


@pytest.mark.parametrize(
    "owned",
    [
        identity(of_database=MARK),
        identity(owner="app", of_role=OF_SERVER),
        identity(of_database=MARK, of_role="a role"),
    ],
    ids=["database", "server", "role with another comment"],
)
def test_mark_that_was_made_for_this_database_or_its_server_counts(owned: Identity) -> None:
    assert owned.objection() is None


@pytest.mark.parametrize(
    ("foreign", "words"),
    [
        (identity(), "its comment is not the mark"),
        (identity(of_database="test database, drop it if you like"), "its comment is not the mark"),
        (identity(owner="app", of_database=MARK), 'its owner is the role "app"'),
        (identity(owner="app"), 'its owner is the role "app"'),
        (identity(of_database=database_mark(SERVER, OID + 1)), "for another database or on another server"),
        (identity(of_database=database_mark(SERVER + 1, OID)), "for another database or on another server"),
        (identity(owner="app", of_role=server_mark(SERVER + 1)), 'its owner is the role "app"'),
        (identity(of_role=server_mark(SERVER + 1)), "its comment is not the mark"),
        (identity(of_database=OF_SERVER), "its comment is not the mark"),
        (identity(owner="app", of_role=MARK), 'its owner is the role "app"'),
        (identity(of_database=MARK + " "), "for another database"),
        (identity(of_database=MARK.upper()), "its comment is not the mark"),
    ],
)
def test_anything_else_does_not_count(foreign: Identity, words: str) -> None:
    """W-T3: a name, a look or a copy of the mark is no permission."""
    objection = foreign.objection()

    assert objection is not None
    assert words in objection


def test_comment_is_not_repeated() -> None:
    assert "drop it" not in str(identity(of_database="drop it").objection())
