"""Runs one program at a time for its owner; when the owner is gone, ends it and removes its folders.

Started as a script with `-I -S`, so that it is there in some 15 ms: the standard library's light modules alone.

    reaper.py LOCK UID GID FOLDER…    UID -1: the program runs as the caller

stdin takes lines: `run ARG\\0ARG…` starts a program, `kill NUMBER` sends it a signal, end of file means the owner is
gone. stdout tells: `started PID`, `exited STATUS`. stderr is the program's output. LOCK is the inherited descriptor of the
folder's lock, held by nobody else: the lock is free exactly when this process is gone.
"""

import os
import select
import signal
import sys

try:
    import ctypes
except ImportError:  # some builds of Python lack it
    ctypes = None  # type: ignore[assignment]

PATIENCE_S = 2.0
"""How long an ending program is waited for before it and its children are killed."""

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

PR_SET_PDEATHSIG = 1


def remove_tree(path: str, *, dir_fd: int | None = None) -> None:
    """Remove a folder with all in it, never through a symbolic link; what is already gone is no error."""
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=dir_fd)
    except FileNotFoundError:
        return
    try:
        with os.scandir(folder) as entries:
            for entry in list(entries):
                if entry.is_dir(follow_symlinks=False):
                    remove_tree(entry.name, dir_fd=folder)
                else:
                    unlink_if_there(entry.name, folder)
    finally:
        os.close(folder)
    try:
        os.rmdir(path, dir_fd=dir_fd)
    except FileNotFoundError:
        return


def unlink_if_there(name: str, folder: int) -> None:
    """Unlink a file of an open folder unless somebody else did."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def children_of(pid: int) -> list[int]:
    """Return the processes whose parent is `pid`; none where the kernel does not tell."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def die_with_parent() -> None:
    """Ask the kernel to send this process SIGQUIT when its parent dies, however that happens (Linux)."""
    if ctypes and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGQUIT))


def become(arguments: list[str], *, uid: int, gid: int, parent: int) -> None:
    """Turn this (just forked) process into the program; never returns."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (*ENDING, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        if uid >= 0:
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
        die_with_parent()  # after setuid, which clears it
        if os.getppid() != parent:
            os._exit(1)
        os.umask(0o077)
        os.chdir("/")
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(2, 1)
        os.execve(arguments[0], arguments, ENVIRONMENT)  # noqa: S606
    except OSError as error:
        os.write(2, f"cannot run {arguments[0]} as user {uid if uid >= 0 else os.getuid()}: {error}\n".encode())
    finally:
        os._exit(127)


class Reaper:
    """Is the state between two events: the program that runs, and what was read but not understood yet."""

    def __init__(self, *, uid: int, gid: int) -> None:
        self.uid, self.gid = uid, gid
        self.pid = 0
        self.unread = b""
        self.is_ending = False

    def serve(self) -> None:
        """Do what stdin says until it ends, or a signal says that it is time to end."""
        awake, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(awake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in ENDING:
            signal.signal(number, self.end)
        while not self.is_ending:
            readable, _, _ = select.select([0, awake], [], [])
            if awake in readable:
                os.read(awake, 512)
            self.reap()
            if 0 in readable and not self.is_ending:
                self.obey(os.read(0, 65536))

    def end(self, *_: object) -> None:
        """Let `serve` return."""
        self.is_ending = True

    def obey(self, data: bytes) -> None:
        """Follow each whole line; end where there is nothing more to read."""
        if not data:
            self.is_ending = True
            return
        *lines, self.unread = (self.unread + data).split(b"\n")
        for line in lines:
            verb, _, rest = line.decode().partition(" ")
            if verb == "run":
                self.run(rest.split("\0"))
            elif verb == "kill" and self.pid:
                os.kill(self.pid, int(rest))

    def run(self, arguments: list[str]) -> None:
        """Start the program."""
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            become(arguments, uid=self.uid, gid=self.gid, parent=parent)
        self.pid = pid
        self.tell(f"started {pid}")

    def reap(self) -> None:
        """Tell how the program ended, if it did."""
        if self.pid:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                self.tell(f"exited {os.waitstatus_to_exitcode(status)}")

    def tell(self, line: str) -> None:
        """Write a line to the owner, who may be gone."""
        try:
            os.write(1, line.encode() + b"\n")
        except BrokenPipeError:
            return

    def end_program(self) -> None:
        """End the program at once, and its children with it, even where they are stopped or hang."""
        if not self.pid:
            return
        os.kill(self.pid, signal.SIGQUIT)
        os.kill(self.pid, signal.SIGCONT)
        if not self.has_exited_within(PATIENCE_S):
            for pid in (*children_of(self.pid), self.pid):
                kill_if_there(pid)
            os.waitpid(self.pid, 0)

    def has_exited_within(self, patience_s: float) -> bool:
        """Wait for the program's end, but not longer."""
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            if signal.sigtimedwait({signal.SIGCHLD}, patience_s) is None:
                return os.waitpid(self.pid, os.WNOHANG)[0] != 0
        return True


def kill_if_there(pid: int) -> None:
    """Kill a process unless it is already gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def main(arguments: list[str]) -> None:
    """Serve the owner; then end the program and remove the folders."""
    lock, uid, gid, *folders = arguments
    os.set_inheritable(int(lock), False)
    reaper = Reaper(uid=int(uid), gid=int(gid))
    try:
        reaper.serve()
    finally:
        reaper.end_program()
        for folder in reversed(folders):
            remove_tree(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
