"""What a rewind says."""

from trueup.testing.rewind import NotRewound, Rewound
from trueup.testing.rewind.rewinding import described
from trueup.testing.rewind.strangers import Stranger


def test_only_a_rewound_database_is_true() -> None:
    assert Rewound()
    assert not NotRewound("why")


def test_session_is_described_with_its_locks() -> None:
    idle = Stranger(7, "now", "tests/a.py::test", "idle", has_lock=False)

    assert str(idle) == 'process 7, application "tests/a.py::test", idle'
    assert str(Stranger(7, "now", "x", "idle in transaction", has_lock=True)).endswith(
        "idle in transaction, holding locks"
    )


def test_change_is_described_by_examples_and_catalogs() -> None:
    news = [("pg_authid", "t", "role r"), ("pg_class", "f", "table public.t"), ("pg_depend", "f", "")]

    assert described(news, is_server_wide=False) == "the structure was changed: table public.t (pg_class, pg_depend)"
    assert described(news, is_server_wide=True) == "the server was changed: role r (pg_authid)"
    assert described(news[2:], is_server_wide=False) == "the structure was changed: pg_depend"
    assert "dropped" in described([], is_server_wide=False)
