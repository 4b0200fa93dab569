"""The owner's side of the reaper: start it, give it programs, hear how they end."""

import os
import select
import subprocess
import sys
import threading
import time
import weakref
from functools import cache
from pathlib import Path
from typing import Literal

from trueup.errors import ServerUnavailable
from trueup.servers import reaper
from trueup.servers.account import Account
from trueup.servers.folders import Run

FAREWELL_S = 15.0
"""How long a reaper may take to end its server and remove the folder."""

SLICE_S = 0.05
"""How long to listen before looking whether another thread has heard it."""

Stage = Literal["early", "late", "ready", "all"]
"""When a file has to be there (`reaper.stage_of`)."""

living: "weakref.WeakSet[Keeper]" = weakref.WeakSet()


class Keeper:
    """Runs one program at a time for a run; both end when this process does, however it ends."""

    def __init__(self, run: Run, account: Account) -> None:
        """Start the reaper, which takes over the lock of the run.

        Raises:
            ServerUnavailable: no process can be started.
        """
        self.run_folder = run.folder
        self.pid: int | None = None
        self.exit_status: int | None = None
        self.is_ready = False
        """Whether the program has said that it is."""
        self.unpacking = 0
        """How many stages are not yet written."""
        self._unread = b""
        self._reading = threading.Lock()
        folders = dict.fromkeys((str(run.folder), str(run.socket_folder)))
        arguments = [str(run.lock), str(account.uid), str(account.gid), *folders]
        try:
            with os.fdopen(os.open(run.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", reaper.__file__, *arguments],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    cwd="/",
                    pass_fds=(run.lock,),
                    start_new_session=True,
                    bufsize=0,
                )
        except OSError as error:
            raise ServerUnavailable(f"cannot start a process to watch over a server: {error}") from error
        finally:
            os.close(run.lock)
        assert self._process.stdin
        assert self._process.stdout
        self._commands, self._events = self._process.stdin, self._process.stdout
        os.set_blocking(self._events.fileno(), False)  # two threads may listen
        living.add(self)
        let_forked_children_forget()

    def unpack(self, image: Path, folder: Path, stage: Stage) -> None:
        """Write the files of an image as soon as the reaper is there; `listen` hears of it.

        Raises:
            ServerUnavailable: the reaper is gone.
        """
        self.unpacking += 1
        self._send("\0".join(("unpack " + str(image), str(folder), stage)))

    def start(self, *arguments: str, pid_file: Path | None = None) -> None:
        """Run a program as soon as the reaper is there; `listen` hears of it, and that it is ready, by its `pid_file`.

        Raises:
            ServerUnavailable: the reaper is gone.
        """
        self.pid = self.exit_status = None
        self.is_ready = False
        self._send("run " + "\0".join(arguments))
        if pid_file is not None:
            self._send(f"watch {pid_file}")

    def running(self) -> int | None:
        """Return the process number of the program; None: none runs. A forked child knows what was so at the fork."""
        if self.exit_status is None and self.pid is not None and not self._events.closed:
            self.listen(0)
        return self.pid if self.exit_status is None else None

    def kill(self, number: int) -> None:
        """Send a signal to the program, if it still runs."""
        self._send(f"kill {int(number)}")

    def wait(self, patience_s: float) -> int | None:
        """Return how the program ended (negative: by that signal); None: it still runs after that time."""
        deadline = time.monotonic() + patience_s
        while self.exit_status is None and (left := deadline - time.monotonic()) > 0:
            self.listen(min(left, SLICE_S))
        return self.exit_status

    def listen(self, patience_s: float) -> None:
        """Take in what the reaper has told; wait for it up to `patience_s`.

        Raises:
            ServerUnavailable: the reaper is gone.
            OSError: it could not write what it was told to unpack.
        """
        readable, _, _ = select.select([self._events], [], [], max(patience_s, 0))
        if not readable:
            return
        with self._reading:
            data: bytes | None = self._events.read(4096)
            if data == b"":
                raise ServerUnavailable(f"the process that watches over the server was killed: {self.log_tail()}")
            *lines, self._unread = (self._unread + (data or b"")).split(b"\n")
            for line in lines:
                self._take_in(*line.split())

    def _take_in(self, verb: bytes, number: bytes) -> None:
        if verb == b"unpacked":
            self.unpacking -= 1
            if error := int(number):
                raise OSError(error, os.strerror(error))
        elif verb == b"started":
            self.pid = int(number)
        elif verb == b"ready":
            self.is_ready = True
        else:
            self.exit_status = int(number)

    def log_tail(self, lines: int = 10) -> str:
        """Return the last lines that the program printed."""
        try:
            text = (self.run_folder / "log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return "(its log is gone)"
        return "\n".join(text.splitlines()[-lines:]) or "(it printed nothing)"

    def close(self) -> None:
        """End the program and the reaper, which removes the folders; wait until that is done."""
        living.discard(self)
        self._commands.close()
        deadline = time.monotonic() + FAREWELL_S
        while not self._events.closed and select.select([self._events], [], [], max(deadline - time.monotonic(), 0))[0]:
            if self._events.read(4096) == b"":
                self._events.close()
        try:
            self._process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._events.close()

    def forget(self) -> None:
        """Let go, in a forked child: the reaper must not wait for this process, nor obey it."""
        self._commands.close()
        self._events.close()
        self._process.returncode = 0

    def _send(self, line: str) -> None:
        try:
            self._commands.write(line.encode() + b"\n")
        except (BrokenPipeError, ValueError) as error:
            raise ServerUnavailable(f"the process that watches over the server is gone: {self.log_tail()}") from error


@cache
def let_forked_children_forget() -> None:
    """See to it, once, that children made by `os.fork` do not keep servers of this process alive."""
    os.register_at_fork(after_in_child=forget_all)


def forget_all() -> None:
    """Let a forked child go of its parent's servers."""
    for keeper in list(living):
        keeper.forget()
    living.clear()
