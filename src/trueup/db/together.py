"""Two contexts that are entered at the same time, because each waits for a server of its own."""

from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from threading import Thread
from typing import Any, TypeVar

from trueup.errors import TrueupError

A = TypeVar("A")
B = TypeVar("B")
PATIENCE_S = 1.0
"""How long one that fails waits to hear whether the other does, too."""


@contextmanager
def together(first: AbstractContextManager[A], second: AbstractContextManager[B]) -> Iterator[tuple[A, B]]:
    """Enter both at once, and leave both in the end, the second before the first.

    Where one can't be entered the other is left as well, by its own thread if it isn't entered yet. The error is that
    of the first, if it has one; its message tells that of the second, too.
    """
    contexts: tuple[AbstractContextManager[Any], ...] = (first, second)
    entering: tuple[Future[Any], ...] = (Future(), Future())
    with ExitStack() as stack:
        try:
            for context, future in zip(contexts, entering, strict=True):
                Thread(target=enter, args=(context, future), name="trueup opening", daemon=True).start()
            wait(entering, return_when=FIRST_EXCEPTION)
            wait(entering, timeout=PATIENCE_S)
        finally:
            for context, future in zip(contexts, entering, strict=True):
                if not future.cancel() and not future.exception():
                    stack.push(context)
        if failed := [future.exception() for future in entering if not future.cancelled() and future.exception()]:
            raise told(*failed)
        yield entering[0].result(), entering[1].result()


def enter(context: AbstractContextManager[Any], future: Future[Any]) -> None:
    """Enter a context for whoever waits; leave it again where nobody does any more."""
    try:
        value = context.__enter__()
    except BaseException as error:  # noqa: BLE001 — it is raised where the context is wanted
        if future.set_running_or_notify_cancel():
            future.set_exception(error)
        return
    if future.set_running_or_notify_cancel():
        future.set_result(value)
    else:
        context.__exit__(None, None, None)


def told(error: BaseException | None, *others: BaseException | None) -> BaseException:
    """Return the first error, whose message tells the others, too."""
    assert error is not None
    if isinstance(error, TrueupError):
        also = [str(other) for other in others if isinstance(other, TrueupError) and str(other) != str(error)]
        error.args = ("; also, ".join([str(error), *also]), *error.args[1:])
    return error
