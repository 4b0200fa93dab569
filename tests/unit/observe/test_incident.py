import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import errors as driver_errors

from trueup.errors import ConnectionFailed, Duplicate, TransactionAborted, UsageError
from trueup.observe.incident import CAUSES, failure, message, name, places, summary, warning

VALUES = (
    "+70001230022",
    "70001230022",
    "ann@example.org",
    "Anna Petrova",
    "O'Hara",
    "2026-01-01",
    "postgresql://u:p@h/d",
)


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except Exception as caught:  # noqa: BLE001
        return caught


def test_no_text_of_an_exception_is_taken_over():
    """W-S1: that nothing personal leaves is more than a sentence."""
    driver = driver_errors.UniqueViolation('Key (phone)=(+70001230022) already exists for "Anna Petrova"')
    error = raised(Duplicate("phone +70001230022", sqlstate="23505", table="public.clients"), driver)

    found = repr(failure(error, component="tables", operation="upsert", table="public.clients"))

    assert "70001230022" not in found
    assert "Anna" not in found
    assert "UniqueViolation" in found


def test_failed_login_tells_no_host_and_no_user():
    """W-S7."""
    error = ConnectionFailed("cannot connect to postgresql://ann@db.internal:5432/live: refused", sqlstate="08001")

    found = failure(error, component="db", operation="connect")

    assert str(found.faults[0]) == "(SQLSTATE 08001, not sent)"
    assert "internal" not in repr(found)


def test_text_names_the_objects_that_the_database_named():
    error = Duplicate(
        "", sqlstate="23505", table="public.clients", constraint="clients_key", columns=("company", "phone")
    )

    [fault] = failure(error, component="tables", operation="insert").faults

    assert (
        str(fault)
        == "table public.clients, constraint clients_key, columns company, phone (SQLSTATE 23505, rolled back)"
    )


def test_table_of_the_error_is_used_where_the_caller_names_none():
    assert failure(Duplicate("", table="public.a"), component="db", operation="commit").table == "public.a"


def test_fingerprint_of_a_database_failure_ignores_where_it_was_raised_and_what_it_says():
    """W-S4: titles without bound made hundreds of issues of one problem."""

    def here(text: str) -> Exception:
        return raised(Duplicate(text, sqlstate="23505", table="public.a", constraint="a_key"))

    def there(text: str) -> Exception:
        return raised(Duplicate(text, sqlstate="23505", table="public.a", constraint="a_key"))

    one, other = (failure(each, component="tables", operation="insert") for each in (here("1"), there("2")))

    assert one.fingerprint == other.fingerprint == ("23505", "public.a", "a_key", "insert")


@pytest.mark.parametrize("change", ["sqlstate", "table", "constraint", "operation"])
def test_fingerprint_tells_different_problems_apart(change):
    facts = {"sqlstate": "23505", "table": "public.a", "constraint": "a_key", "operation": "insert"}
    other = facts | {change: "23514" if change == "sqlstate" else "public.b"}

    prints = {
        failure(
            Duplicate("", **{k: v for k, v in f.items() if k != "operation"}), component="t", operation=f["operation"]
        ).fingerprint
        for f in (facts, other)
    }

    assert len(prints) == 2


def test_failure_without_sqlstate_is_known_by_its_class_and_origin():
    found = failure(raised(KeyError("+70001230022")), component="tables", operation="insert")

    assert found.fingerprint[0] == "builtins.KeyError"
    assert found.fingerprint[1].endswith(".raised")


@pytest.mark.parametrize("value", VALUES)
def test_what_looks_like_a_value_is_no_name(value):
    assert name(value) is None
    assert failure(UsageError(), component=value, operation=value, table=value).table is None


@given(st.from_regex(r"[+]?[0-9][0-9 ()-]{4,20}", fullmatch=True) | st.emails())
def test_no_number_and_no_address_passes_as_a_name(value):
    assert name(value) is None


@pytest.mark.parametrize("text", ["clients", "public.clients", "_x", "услуги.клиенты", "a$b"])
def test_names_of_the_catalog_pass(text):
    assert name(text) == text


def test_causes_that_go_in_circles_end():
    one, two = KeyError("a"), ValueError("b")
    one.__cause__, two.__cause__ = two, one

    assert [fault.kind for fault in failure(one, component="c", operation="o").faults] == ["KeyError", "ValueError"]


def test_only_the_first_causes_are_told():
    error: Exception = KeyError()
    for _ in range(20):
        error = raised(ValueError(), error)

    assert len(failure(error, component="c", operation="o").faults) == CAUSES


def test_cause_of_a_swallowed_error_is_told():
    cause = Duplicate("", sqlstate="23505", table="public.a")
    error = raised(TransactionAborted("", sqlstate="23505"), cause)

    assert [fault.kind for fault in failure(error, component="db", operation="t").faults] == [
        "TransactionAborted",
        "Duplicate",
    ]


def test_places_of_a_stack_keep_no_path():
    stack = (
        "  /home/ann/salon/src/ai_admin/clients.py:12 in find\n  /home/ann/salon/run.py:3 in <module>\nnonsense +7999"
    )

    found = places(stack)

    assert [(frame.module, frame.function, frame.line) for frame in found] == [
        ("salon.run", "module", 3),
        ("ai_admin.clients", "find", 12),
    ]
    assert "ann" not in repr(found)


def test_frames_hold_no_file_and_no_variable():
    phone = "+70001230022"
    found = failure(raised(KeyError(phone)), component="c", operation="o")

    assert found.faults[0].frames
    assert phone not in repr(found)
    assert "/" not in repr(found.faults[0].frames)


def test_summary_keeps_the_problem_and_adds_the_count():
    one = warning("slow query", component="tables", operation="find", measures={"duration_ms": 700})

    found = summary(one, 41)

    assert found.fingerprint == one.fingerprint
    assert dict(found.measures) == {"duration_ms": 700.0, "suppressed": 41.0}


def test_message_of_a_program_is_told_without_its_text():
    assert message("warning").level == "warning"
    assert message("+70001230022").level == "error"
