"""What pytest tells the gate: which test runs, which fixture is made for longer, and when each has ended."""

from collections.abc import Callable, Collection, Generator
from typing import TYPE_CHECKING, Any

import pytest

from trueup.testing.guard.doors import Doors
from trueup.testing.guard.gate import Owner, gate

if TYPE_CHECKING:
    from trueup.testing.guard.leaks.leak import Leak

DOORS = pytest.StashKey[Doors]()
OWNER = pytest.StashKey[Owner]()
STATUS = pytest.StashKey[int]()
HAS_FAILED = pytest.StashKey[bool]()
"""Whether a phase of the test has failed; `failures.hooks` sees that."""
FIXTURES: dict[Any, Owner] = {}
"""The owners of fixtures that live now, by their definition."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the ini option."""
    parser.addini(
        "trueup_guard",
        "watch what tests open: refuse connections that no fixture of trueup gave, and report what is left open",
        type="bool",
        default=True,
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Close the gate before any code of the project is imported."""
    start(early_config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Close the gate where conftest files were not looked for."""
    start(config)


def start(config: pytest.Config) -> None:
    """Close the gate, once."""
    if config.getini("trueup_guard") and DOORS not in config.stash:
        gate.is_closed = True
        config.stash[DOORS] = Doors(gate)
        config.stash[DOORS].install()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember how the run ended."""
    session.config.stash[STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Open the gate: what comes after the run is no test."""
    if DOORS in config.stash:
        from trueup.testing.guard.leaks.departure import depart_in_time  # noqa: PLC0415  Collecting needs neither.

        depart_in_time(config.stash.get(STATUS, 0))
        gate.is_closed = False
        config.stash[DOORS].remove()
        del config.stash[DOORS]


def asked_by(item: pytest.Item) -> Callable[[], Collection[str]]:
    """Return a function that tells which fixtures a test asks for, also by `request.getfixturevalue`."""
    request = getattr(item, "_request", item)
    return lambda: getattr(request, "fixturenames", ())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Begin a test with nothing that it may reach, and end it with nothing."""
    begin(item)
    try:
        return (yield)
    finally:
        item.stash[OWNER].has_ended = True
        del item.stash[OWNER]  # With its statements: pytest keeps every test of the run.
        gate.withdraw(item.nodeid)


def begin(item: pytest.Item) -> Owner:
    """Let a test begin: one that is repeated answers for each time by itself."""
    gate.withdraw(item.nodeid)
    item.stash[HAS_FAILED] = False
    item.stash[OWNER] = Owner(node=item.nodeid, asked=asked_by(item))
    return item.stash[OWNER]


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Let the test answer for what its set-up opens; one that is repeated begins again."""
    owner = item.stash[OWNER]
    if owner.has_begun:
        owner = begin(item)
    owner.has_begun = True
    return (yield from at_work(owner))


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let the test answer for what it opens."""
    return (yield from at_work(item.stash[OWNER]))


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Look at what the test left when its fixtures are gone."""
    owner = item.stash[OWNER]
    if not gate.is_closed:
        return (yield)
    try:
        result = yield from at_work(owner)
    except BaseException:
        settle(owner, item, must_not_fail=True)
        raise
    settle(owner, item, must_not_fail=item.stash[HAS_FAILED])
    return result


def at_work(owner: Owner) -> Generator[None, object, object]:
    """Let an owner answer for what is opened while the others' hooks run."""
    gate.enter(owner)
    try:
        return (yield)
    finally:
        gate.leave(owner)


def ended(owner: Owner) -> tuple[list["Leak"], str]:
    """End what an owner left, and return it with how it is told."""
    from trueup.testing.guard.leaks import check  # noqa: PLC0415  Collecting needs it as little.

    leaks = check.find(owner)
    check.end(leaks)
    return leaks, check.report(owner, leaks) if leaks else ""


def settle(owner: Owner, item: pytest.Item, *, must_not_fail: bool) -> None:
    """End what an owner left, and fail its test; one that has failed already is told more instead."""
    leaks, told = ended(owner)
    parts = [told] if leaks else []
    if leaks:
        from trueup.testing.report.facts import facts_of  # noqa: PLC0415  Few tests leak.

        facts_of(item).leaks += [leak.what for leak in leaks]
    if not must_not_fail:
        parts += [f"{error}\nThe test went on as if nothing had happened." for error in owner.refusals]
    owner.opened.clear()
    if not parts:
        return
    text = "\n\n".join(parts)
    if must_not_fail:
        item.add_report_section("teardown", "trueup", text)
    else:
        pytest.fail(text, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> Generator[None, object, object]:
    """Let a fixture that outlives the test answer for what it opens, until it is finished."""
    if fixturedef.scope == "function":
        return (yield)
    asked = asked_by(request._pyfuncitem)  # noqa: SLF001
    owner = Owner(node=request.node.nodeid, fixture=fixturedef.argname, asked=asked)
    FIXTURES[fixturedef] = owner
    return (yield from at_work(owner))


@pytest.hookimpl(trylast=True)
def pytest_fixture_post_finalizer(fixturedef: Any) -> None:
    """Look at what a fixture left when it is finished."""
    owner = FIXTURES.pop(fixturedef, None)
    if owner is None:
        return
    leaks, told = ended(owner)
    owner.has_ended = True
    gate.withdraw(owner.node, fixture=owner.fixture)
    if leaks:
        pytest.fail(told, pytrace=False)
