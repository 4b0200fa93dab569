import pickle

from trueup.errors import Conflict, Duplicate
from trueup.observe.marks import Place, is_reported, mark_reported, note_place, place_of


def chained(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


def test_what_is_raised_from_a_reported_error_is_the_same_failure():
    """W-R26, W-S3: the same error was captured at two or three layers."""
    inner = Duplicate("")
    mark_reported(inner)

    assert is_reported(inner)
    assert is_reported(chained(RuntimeError(), chained(KeyError(), inner)))


def test_the_cause_of_a_reported_error_is_the_same_failure():
    driver = KeyError()
    mark_reported(chained(Duplicate(""), driver))

    assert is_reported(driver)


def test_what_is_raised_while_a_reported_error_is_handled_is_another_failure():
    inner, outer = Duplicate(""), KeyError()
    mark_reported(inner)
    outer.__context__ = inner

    assert not is_reported(outer)


def test_group_is_reported_when_all_its_members_are():
    one, other = KeyError(), ValueError()
    mark_reported(one)
    group = ExceptionGroup("both", [one, other])
    assert not is_reported(group)

    mark_reported(other)
    assert is_reported(group)


def test_innermost_place_is_kept():
    error = Conflict("")
    note_place(error, Place("tables", "upsert", "public.clients"))
    note_place(chained(RuntimeError(), error), Place("db", "run", None))

    assert place_of(error) == Place("tables", "upsert", "public.clients")


def test_mark_travels_to_another_process():
    error = Duplicate("", sqlstate="23505")
    mark_reported(error)

    assert is_reported(pickle.loads(pickle.dumps(error)))


class Stubborn(Exception):
    def __getattr__(self, name):
        raise RuntimeError(name)

    def __setattr__(self, name, value):
        raise RuntimeError(name)


def test_exception_that_takes_no_note_does_no_harm():
    """W-S5: the code that captures could throw."""
    error = Stubborn()
    mark_reported(error)
    note_place(error, Place("a", "b", None))

    assert not is_reported(error)
    assert place_of(error) is None
