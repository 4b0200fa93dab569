"""Stacks that are cheap to take and good to read."""

import threading

from trueup.testing.guard.doors.threads import starter
from trueup.testing.guard.stacks import PACKAGE, SITE, STARTED, capture, is_own, readable


def compiled(file: str, stack_of: object = capture):
    """Return a function whose code is said to be in a file, and which returns the stack from there."""
    names = {"capture": stack_of}
    exec(compile("def call():\n    return capture()", file, "exec"), names)
    return names["call"]


def test_stack_names_file_line_function_and_text() -> None:
    text = readable(capture())

    assert text.startswith(f"  {__file__}:")
    assert "in test_stack_names_file_line_function_and_text: text = readable(capture())" in text
    assert "_pytest" not in text
    assert "pluggy" not in text


def test_drivers_and_plumbing_are_left_out() -> None:
    text = readable(compiled(f"{PACKAGE}/db/pool.py")())

    assert "pool.py:" not in text
    assert __file__ in text


def test_stack_without_any_code_of_the_project_says_so() -> None:
    assert readable(()) == "  (opened by no code of yours)"


def test_code_of_the_plugin_is_its_own() -> None:
    assert is_own(compiled(f"{PACKAGE}/testing/databases.py")())
    assert is_own(compiled(f"{PACKAGE}/servers/embedded.py")())
    assert is_own(compiled(f"{PACKAGE}/db/connection.py", compiled(f"{PACKAGE}/testing/host.py"))()) is True


def test_code_of_a_test_is_not_the_plugin_s() -> None:
    assert not is_own(capture())
    assert not is_own(compiled(f"{PACKAGE}/db/connection.py")())
    assert not is_own(())


def test_stack_goes_on_where_the_thread_was_started() -> None:
    stacks = []
    thread = threading.Thread(target=lambda: stacks.append(capture()))
    STARTED[thread] = capture()

    thread.start()
    thread.join()

    assert "in test_stack_goes_on_where_the_thread_was_started" in readable(stacks[0])


def test_thread_of_a_pool_is_the_pools_also_where_a_tracker_of_errors_starts_it() -> None:
    """The SDK puts a function of its own in the place of `Thread.start`."""
    files = (threading.__file__, f"{SITE}/sentry_sdk/integrations/threading.py", f"{PACKAGE}/db/housekeeping.py")
    stack = tuple((compile("", file, "exec"), 0) for file in files)

    assert starter(stack) == files[-1]
