"""The names of a driver's errors: one for each SQLSTATE, and no value of a row in any of them."""

import pickle
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup import errors
from trueup.db.sqlstate import BY_CLASS, BY_STATE, SILENT, SPEAKING, key_columns, named
from trueup.errors import DatabaseError, Outcome

CASES = [
    ("23505", errors.Duplicate),
    ("23503", errors.ForeignKeyMissing),
    ("23502", errors.NullNotAllowed),
    ("23514", errors.CheckFailed),
    ("23P01", errors.ExclusionConflict),
    ("22P02", errors.InvalidData),
    ("22001", errors.InvalidData),
    ("21000", errors.InvalidData),
    ("40001", errors.Conflict),
    ("40P01", errors.Conflict),
    ("55P03", errors.LockTimeout),
    ("57014", errors.Cancelled),
    ("57P01", errors.Disconnected),
    ("57P05", errors.Disconnected),
    ("25P03", errors.Disconnected),
    ("25P04", errors.Disconnected),
    ("08006", errors.Disconnected),
    ("08P01", errors.Disconnected),
    ("53300", errors.TooManyConnections),
    ("57P03", errors.ConnectionFailed),
    ("28P01", errors.ConnectionFailed),
    ("3D000", errors.ConnectionFailed),
    ("42P01", errors.SchemaMismatch),
    ("42703", errors.SchemaMismatch),
    ("42P10", errors.SchemaMismatch),
    ("42501", errors.PermissionMissing),
    ("25P02", errors.TransactionAborted),
    ("53100", DatabaseError),
    ("XX000", DatabaseError),
    ("P0001", DatabaseError),
]


def fail(state: str) -> psycopg.Error:
    """Return a driver's exception as a server would cause it, without the server."""
    kind = type("Failure", (psycopg.errors.lookup(state) if state != "53100" else psycopg.errors.DiskFull,), {})
    found: psycopg.Error = kind("text with a value: +7 900")
    found.sqlstate = state
    return found


@pytest.mark.parametrize(("state", "kind"), CASES, ids=[state for state, _ in CASES])
def test_sqlstate_has_one_name(state: str, kind: type[DatabaseError]) -> None:
    """W-R25 and the states that were not mapped at all."""
    error = named(fail(state))

    assert type(error) is kind
    assert isinstance(error, DatabaseError)
    assert error.sqlstate == state
    assert "900" not in str(error)


def test_statement_timeout_and_cancellation_share_a_state() -> None:
    error = fail("57014")

    assert type(named(error, timed_out=True)) is errors.StatementTimeout
    assert type(named(error, timed_out=False)) is errors.Cancelled


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.OperationalError("server closed the connection unexpectedly"), errors.Disconnected),
        (psycopg.DataError("text fields cannot contain NUL (0x00) bytes"), errors.InvalidData),
    ],
)
def test_failure_without_a_sqlstate_has_a_name(error: psycopg.Error, kind: type[DatabaseError]) -> None:
    assert type(named(error)) is kind


def test_misuse_of_the_driver_stays_what_it_is() -> None:
    error = psycopg.ProgrammingError("the query has 1 placeholder but 2 parameters were passed")

    assert named(error) is error


@pytest.mark.parametrize("outcome", list(Outcome))
def test_loss_of_the_connection_has_the_outcome_its_caller_knows(outcome: Outcome) -> None:
    error = named(fail("57P01"), lost=outcome)

    assert isinstance(error, errors.Disconnected)
    assert error.outcome is outcome
    assert error.retryable is (outcome is not Outcome.UNKNOWN)


@pytest.mark.parametrize("state", ["25P03", "25P04"])
def test_work_that_was_too_slow_is_not_worth_another_run(state: str) -> None:
    error = named(fail(state), lost=Outcome.ROLLED_BACK)

    assert isinstance(error, errors.Disconnected)
    assert not error.retryable


def test_swallowed_failure_is_worth_another_run_if_it_was() -> None:
    error = errors.TransactionAborted("")
    assert not error.retryable

    error.__cause__ = errors.Duplicate("")
    assert not error.retryable

    error.__cause__ = errors.Disconnected("", outcome=Outcome.ROLLED_BACK)
    assert error.retryable


@pytest.mark.parametrize(
    ("state", "said"), [("22012", "divides by zero"), ("42601", "is no SQL"), ("22P02", "fit the type")]
)
def test_advice_is_about_what_happened(state: str, said: str) -> None:
    text = str(named(fail(state)))

    assert said in text
    assert "contract" not in text
    assert (said == "fit the type") is ("fit the type" in text)


def test_number_of_a_transaction_goes_with_its_error_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(errors.CommitUnknown("", xid=7, sqlstate="57P01"))).xid == 7


def test_only_what_lost_a_race_is_worth_another_run() -> None:
    found = {type(named(fail(state))).__name__ for state, _ in CASES if getattr(named(fail(state)), "retryable", False)}

    assert found == {"Conflict"}


@pytest.mark.parametrize(
    ("detail", "columns"),
    [
        ("Key (id)=(7) already exists.", ("id",)),
        ("Key (phone, company_id)=(+7 900, 7) already exists.", ("phone", "company_id")),
        ("Key (lower(email))=(a@b) already exists.", ("lower(email)",)),
        ('Key (company_id)=(7) is not present in table "companies".', ("company_id",)),
        ("Ключ «(id)=(7)» уже существует.", ("id",)),
        ("Failing row contains (7, +7 900).", ()),
        (None, ()),
    ],
)
def test_columns_of_a_key_are_read_without_its_values(detail: str | None, columns: tuple[str, ...]) -> None:
    assert key_columns(detail) == columns


@given(value=st.text(max_size=40))
def test_no_value_of_a_key_is_taken_for_a_column(value: str) -> None:
    assert key_columns(f"Key (phone)=({value}) already exists.") == ("phone",)


def test_classes_that_quote_values_are_silent() -> None:
    assert not SPEAKING & {"22", "23", "P0", "XX", "21"}
    assert "42601" in SILENT


def test_every_name_but_those_of_our_own_making_has_a_state() -> None:
    def below(kind: type[DatabaseError]) -> set[type[DatabaseError]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__() if child.__module__ == errors.__name__))

    own = {
        errors.PoolTimeout,
        errors.WouldDeadlock,
        errors.AddressUnusable,
        errors.CommitUnknown,
        errors.StatementTimeout,
        DatabaseError,
    }
    assert below(DatabaseError) - own == {*BY_STATE.values(), *BY_CLASS.values()}


def test_tree_of_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        stripped = line.lstrip(" │├└─")
        if stripped and (line.startswith("    ") and stripped[0].isupper()):
            drawn.append(((len(line) - len(stripped)) // 4, stripped.split()[0].rstrip("*")))
    parents: dict[str, str] = {}
    path: list[str] = []
    for depth, name in drawn:
        del path[depth - 1 :]
        if path:
            parents[name] = path[-1]
        path.append(name)

    classes = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and kind.__module__ == errors.__name__
    }
    real = {name: kind.__bases__[0].__name__ for name, kind in classes.items() if issubclass(kind, errors.TrueupError)}
    real.pop("TrueupError")
    assert parents == real


@pytest.mark.parametrize("kind", [errors.Duplicate, errors.ConnectionFailed, errors.CommitUnknown])
def test_error_survives_the_way_to_another_process(kind: type[DatabaseError]) -> None:
    error = kind("it failed", sqlstate="23505", table="public.t", constraint="t_pkey", columns=("id",))

    copy: Any = pickle.loads(pickle.dumps(error))

    assert (type(copy), str(copy), copy.outcome) == (kind, "it failed", error.outcome)
    assert (copy.sqlstate, copy.table, copy.constraint, copy.columns) == ("23505", "public.t", "t_pkey", ("id",))
