"""Who may reach what, and what a test's sessions are called."""

from types import MappingProxyType

import pytest

from trueup.conninfo import ConnInfo
from trueup.errors import Refused
from trueup.testing.guard.gate import NAME_BYTES, OUTSIDE, Allowance, Gate, Owner, application_name

TEST = "tests/test_a.py::TestB::test_c[1]"
CONNINFO = ConnInfo(MappingProxyType({"host": "127.0.0.1", "dbname": "mine"}))


@pytest.mark.parametrize(
    ("node", "covered"),
    [
        (TEST, True),
        ("tests/test_a.py::TestB", True),
        ("tests/test_a.py", True),
        ("tests", True),
        ("", True),
        ("tests/test_a.py::TestB::test_c", False),
        ("tests/test_a.p", False),
        ("tests/test_b.py", False),
        (TEST + "::more", False),
    ],
)
def test_node_covers_the_tests_below_it(node: str, covered: bool) -> None:
    allowance = Allowance(node=node, fixture="", conninfo=CONNINFO)

    assert allowance.covers(Owner(node=TEST)) is covered


def test_allowance_of_a_fixture_is_for_tests_that_ask_for_it() -> None:
    allowance = Allowance(node="", fixture="db_session", conninfo=CONNINFO)

    assert allowance.covers(Owner(node=TEST, asked=lambda: ["request", "db_session"]))
    assert not allowance.covers(Owner(node=TEST, asked=lambda: ["request"]))
    assert not allowance.covers(OUTSIDE)


def closed_gate() -> Gate:
    gate = Gate()
    gate.is_closed = True
    return gate


def test_test_that_asks_for_nothing_is_told_what_to_ask_for() -> None:
    gate = closed_gate()
    gate.enter(Owner(node=TEST))

    with pytest.raises(Refused, match=r"test_c\[1\] asks for no database.*conn .*db .*fresh_db .*server "):
        gate.ask()
    assert len(gate.owner.refusals) == 1


def test_import_is_told_that_no_test_runs() -> None:
    with pytest.raises(Refused, match="while no test runs"):
        closed_gate().ask()
    OUTSIDE.refusals.clear()


def test_allowance_ends_when_it_is_withdrawn() -> None:
    gate = closed_gate()
    gate.enter(Owner(node=TEST))
    gate.allow(TEST, CONNINFO)
    gate.ask()

    gate.withdraw(TEST)

    with pytest.raises(Refused):
        gate.ask()


def test_withdrawing_by_fixture_leaves_the_others() -> None:
    gate = closed_gate()
    gate.allow("", CONNINFO, fixture="a")
    gate.allow("", CONNINFO, fixture="b")

    gate.withdraw("", fixture="a")

    assert [allowance.fixture for allowance in gate.allowances] == ["b"]


def test_gate_that_is_open_asks_nobody() -> None:
    Gate().ask()


def test_thread_of_a_test_that_has_ended_is_refused() -> None:
    gate = closed_gate()
    gate.allow("", CONNINFO)
    gate.enter(Owner(node=TEST, has_ended=True))

    with pytest.raises(Refused, match=r"a thread that .* left running"):
        gate.ask()


def test_connection_is_given_the_name_of_the_test() -> None:
    gate = closed_gate()
    gate.enter(Owner(node=TEST))

    assert gate.allow(TEST, CONNINFO).parameters["application_name"] == TEST


@pytest.mark.parametrize(
    "node", ["t::" + "x" * 59, "t::" + "x" * 60, "t::" + "x" * 61, "t::" + "й" * 40, "t::a\nb", "", "t::'\\"]
)
def test_name_fits_and_is_ascii(node: str) -> None:
    name = application_name(node)

    assert 0 < len(name.encode()) <= NAME_BYTES
    assert name.isascii()
    assert name.isprintable()


def test_long_names_that_end_alike_differ() -> None:
    names = {application_name(f"{start}/test_module.py::test_{'x' * 80}") for start in range(500)}

    assert len(names) == 500


def test_names_that_differ_in_what_cannot_be_shown_differ() -> None:
    assert application_name("t::ё") != application_name("t::ж")
