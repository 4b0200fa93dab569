"""Nothing here has a connection: what is stopped is counted."""

import threading

from trueup.parity.data.limits.halt import Halt


def test_everything_is_stopped_again_and_again_until_it_is_over() -> None:
    halt, seen = Halt(None), threading.Semaphore(0)
    halt.call(lambda _: seen.release())
    watcher = threading.Thread(target=halt.run)
    watcher.start()

    halt.begin("it was interrupted")

    assert all(seen.acquire(timeout=30) for _ in range(3))
    halt.end()
    watcher.join(30)
    assert not watcher.is_alive()


def test_time_that_is_up_is_the_reason() -> None:
    halt, stopped = Halt(0.01), threading.Event()
    halt.call(lambda _: stopped.set())
    watcher = threading.Thread(target=halt.run)
    watcher.start()

    assert stopped.wait(30)
    halt.end()
    watcher.join(30)
    assert halt.reason == "the 0.01 s that it had were up"


def test_first_reason_is_kept() -> None:
    halt = Halt(None)

    halt.begin("the connection was lost")
    halt.begin("it was interrupted")

    assert halt.reason == "the connection was lost"


def test_what_ended_by_itself_is_not_stopped() -> None:
    halt, stopped = Halt(1000), threading.Event()
    halt.call(lambda _: stopped.set())
    watcher = threading.Thread(target=halt.run)
    watcher.start()

    halt.end()
    watcher.join(30)

    assert not watcher.is_alive()
    assert (halt.reason, stopped.is_set()) == ("", False)


def test_pause_ends_when_it_is_stopped() -> None:
    halt = Halt(None)
    halt.begin("it was interrupted")

    halt.pause(1000)
