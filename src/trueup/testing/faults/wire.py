"""What the connections over a wire have in common: whether and how fast it passes, and what is to happen on it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Action = Literal["cut before", "cut behind", "cut after", "lost before", "lost after", "dark before"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Is what happens once, when a client sends certain bytes."""

    pattern: bytes
    action: Action | None = None
    call: Callable[[], object] | None = None
    is_called_before: bool = True
    """Before the bytes go on to the server; else when it has answered."""


class Wire:
    """Is the state of a wire to a server at an address: a unix socket, or a host and port."""

    def __init__(self, address: str | tuple[str, int]) -> None:
        self.address = address
        self.delay_s = 0.0
        self.bytes_per_s = 0.0
        """0: as many as can be."""
        self.is_lit = threading.Event()
        self.is_lit.set()
        self.is_over = threading.Event()
        self.flights = 0
        """How often a client has sent something that the server acts on."""
        self._faults: list[Fault] = []
        self.failures: list[BaseException] = []
        """What a callback raised."""
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def darken(self) -> None:
        """Pass nothing on; what was sent arrives after `light`."""
        with self._lock:
            if not self.is_over.is_set():
                self.is_lit.clear()

    def light(self) -> None:
        """Pass on what was held up, and what comes."""
        self.is_lit.set()

    def take_fault(self, data: bytes) -> Fault | None:
        """Return what is to happen on these bytes; it is taken off the list."""
        with self._lock:
            found = next((fault for fault in self._faults if fault.pattern in data), None)
            if found is not None:
                self._faults.remove(found)
            return found

    def call(self, call: Callable[[], object]) -> None:
        """Call what the test gave; what it raises is kept."""
        try:
            call()
        except BaseException as error:  # noqa: BLE001  # this thread has nobody to tell
            self.failures.append(error)

    def start_thread(self, work: Callable[[], object]) -> threading.Thread:
        """Start a thread, and remember it as long as it lives."""
        thread = threading.Thread(target=work, name="trueup wire", daemon=True)
        with self._lock:
            self._threads = [each for each in self._threads if each.is_alive()]
            self._threads.append(thread)
            thread.start()
        return thread
