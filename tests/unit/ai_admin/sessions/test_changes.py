import pytest

from ai_admin.sessions.changes import ABSENT, Change, decide, read_changes
from trueup.errors import UsageError
from trueup.tables import InvalidValue

SESSION, LIST = ("session", "a"), ("device-list", "a")


def change(name=SESSION, value=1, expected=None):
    return Change(name=name, value=value, expected=expected)


def test_changes_are_in_the_order_of_their_names_and_know_what_was_seen():
    data = {"session": {"b": 1, "a": None}, "pre-key": {"2": [2], "10": [1]}}

    changes = read_changes(data, {("session", "a"): 7, ("pre-key", "2"): ABSENT, ("other", "a"): 1})

    assert [(each.name, each.value, each.expected) for each in changes] == [
        (("pre-key", "10"), [1], None),
        (("pre-key", "2"), [2], ABSENT),
        (("session", "a"), None, 7),
        (("session", "b"), 1, None),
    ]


def test_changes_take_one_form_of_bytes():
    (found,) = read_changes({"session": {"a": {"type": "Buffer", "data": [1]}}}, {})

    assert found.value == {"type": "Buffer", "data": "AQ=="}


@pytest.mark.parametrize("data", [{"": {"a": 1}}, {7: {"a": 1}}, {"session": {7: 1}}, {"session": {None: 1}}])
def test_names_are_texts(data):
    with pytest.raises(UsageError, match=r"^types and ids of keys are texts, and no type is empty$"):
        read_changes(data, {})


@pytest.mark.parametrize("name", ["70001231001\0", "70001231001\ud800"])
def test_name_that_can_not_be_stored_is_refused_and_not_repeated(name):
    for data in ({"session": {name: 1}}, {name: {"a": 1}}):
        with pytest.raises(UsageError, match="a type or an id of a key holds") as refused:
            read_changes(data, {})
        assert "70001231001" not in str(refused.value)


@pytest.mark.parametrize(
    ("held", "value", "kind"), [({}, 1, "inserts"), ({SESSION: 5}, 1, "updates"), ({SESSION: 5}, None, "deletes")]
)
def test_each_change_takes_one_kind_of_statement(held, value, kind):
    plan = decide([change(value=value)], held)

    taken = {"inserts": plan.inserts, "updates": plan.updates, "deletes": plan.deletes}
    assert [name for name, found in taken.items() if found] == [kind]
    assert plan.suspects == ()


def test_deleting_what_is_not_there_takes_nothing():
    assert decide([change(value=None)], {}) == decide([], {})


@pytest.mark.parametrize(
    ("expected", "version", "value", "is_suspect"),
    [
        pytest.param(None, 5, 1, False, id="not looked at"),
        pytest.param(None, None, 1, False, id="not looked at, not there"),
        pytest.param(5, 5, 1, False, id="as it was"),
        pytest.param(5, 6, 1, True, id="changed"),
        pytest.param(6, 5, 1, True, id="changed back"),
        pytest.param(5, 6, None, True, id="changed, to be deleted"),
        pytest.param(ABSENT, 5, 1, True, id="made"),
        pytest.param(ABSENT, 5, None, True, id="made, to be deleted"),
        pytest.param(ABSENT, None, 1, False, id="still not there"),
        pytest.param(5, None, 1, True, id="deleted"),
        pytest.param(5, None, None, False, id="deleted, to be deleted"),
    ],
)
def test_writer_that_knew_another_row_is_suspect(expected, version, value, is_suspect):
    one = change(value=value, expected=expected)

    assert decide([one], {} if version is None else {SESSION: version}).suspects == ((one,) if is_suspect else ())


@pytest.mark.parametrize("kind", ["identity-key", "pre-key", "a-type-of-next-year"])
def test_what_can_not_be_fetched_again_does_not_come_back_by_a_stale_write(kind):
    one = change(name=(kind, "a"), expected=5)

    assert decide([one], {}).suspects == (one,)


def test_what_can_be_fetched_again_may_be_written_where_it_was_cleaned_up():
    assert decide([change(name=LIST, expected=5)], {}).suspects == ()
    assert decide([change(name=LIST, expected=5)], {LIST: 6}).suspects != ()


def test_value_that_can_not_be_stored_is_refused_by_the_name_of_its_type():
    with pytest.raises(InvalidValue, match=r"the value of a session holds ") as refused:
        read_changes({"session": {"70001231001": "70001231002\0"}}, {})

    assert "7000" not in str(refused.value)
