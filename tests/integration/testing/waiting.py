"""Waits for what happens by itself."""

import threading
import time
from collections.abc import Callable


def wait_until(is_true: Callable[[], bool], patience_s: float = 20) -> None:
    """Return when a claim holds; it is asked again and again."""
    deadline = time.monotonic() + patience_s
    while not is_true():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.01)
