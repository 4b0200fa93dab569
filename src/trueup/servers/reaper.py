r"""Unpacks a data directory and runs one program at a time for its owner; removes all when the owner is gone.

Started as a script with `-I -S`, so that it is there in some 15 ms: the standard library's light modules alone.

    reaper.py LOCK UID GID FOLDER…    UID -1: the program runs as the caller

stdin takes lines: `unpack IMAGE\0FOLDER\0STAGE` writes files, `run ARG\0ARG…` starts a program, `watch FILE` waits for
a server to write there that it is ready, `kill NUMBER` sends the program a signal, end of file means the owner is gone.
stdout tells: `unpacked 0`, or the number of the error that prevents it and all programs, `started PID`, `ready PID`,
`exited STATUS`. stderr is the program's output. LOCK is the inherited descriptor of the first folder's lock, held by
nobody else: the lock is free exactly when this process is gone.
"""

import errno
import mmap
import os
import select
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    try:
        import _signal as signal  # the same without its enums, which take as long to import as Python to start
    except ImportError:
        import signal

try:
    from ctypes import CDLL
except ImportError:  # some builds of Python lack it
    CDLL = None  # type: ignore[assignment,misc]

PATIENCE_S = 2.0
"""How long an ending program is waited for before it and its children are killed."""

POLL_S = 0.001
"""How often a server that starts is asked whether it is ready."""

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
IPC_RMID = 0


def remove_tree(path: str, *, dir_fd: int | None = None) -> None:
    """Remove a folder with all in it, a file `lock` last, never through a symbolic link.

    What is already gone is no error, nor is a file that another one who removes the folder has put into it.
    """
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=dir_fd)
    except FileNotFoundError:
        return
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name == "lock"):
                if entry.is_dir(follow_symlinks=False):
                    remove_tree(entry.name, dir_fd=folder)
                else:
                    unlink_if_there(entry.name, folder)
    finally:
        os.close(folder)
    try:
        os.rmdir(path, dir_fd=dir_fd)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENOTEMPTY}:
            raise


def unlink_if_there(name: str, folder: int) -> None:
    """Unlink a file of an open folder unless somebody else did."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def unpack(image: str, folder: str, stage: str, *, owner: tuple[int, int] = (-1, -1)) -> None:
    """Write the files of a stage from an image into a folder; `owner` is the user and the group that they belong to."""
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with open(image, "rb") as source, mmap.mmap(source.fileno(), 0, prot=mmap.PROT_READ) as whole:  # noqa: PTH123
            first = whole.find(b"\n") + 1
            start = first + int(whole[:first].split()[3])
            with memoryview(whole) as view, view[start:] as blob:
                for line in whole[first:start].splitlines():
                    numbers, _, name = line.partition(b"\t")
                    if stage in {"all", stage_of(name)}:
                        unpack_entry(name, list(map(int, numbers.split())), blob, root, owner)
    finally:
        os.close(root)


def stage_of(name: bytes) -> str:
    """Return when a file has to be there: `early`, because a starting server reads it, `late`, or when it is `ready`.

    A server opens no database before somebody connects to one, where it was shut down properly and needs no recovery,
    as in an image, and without autovacuum. It removes the files in which it sums its catalogs up for the next login,
    which a crash may have left wrong; those of an image are right.
    """
    if name.endswith(b"/pg_internal.init"):
        return "ready"
    return "late" if name.startswith(b"base/") else "early"


def unpack_entry(name: bytes, numbers: list[int], blob: memoryview, root: int, owner: tuple[int, int]) -> None:
    """Create one file or folder below the open folder `root`."""
    mode, size, *pieces = numbers
    if size < 0:
        os.mkdir(name, mode, dir_fd=root)
        if owner[0] >= 0:
            os.chown(name, *owner, dir_fd=root)
        return
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode, dir_fd=root)
    try:
        end = 0
        for at, offset, length in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
            end = at + os.pwrite(file, blob[offset : offset + length], at)
        if end < size:
            os.ftruncate(file, size)
        if owner[0] >= 0:
            os.fchown(file, *owner)
    finally:
        os.close(file)


def children_of(pid: int) -> list[int]:
    """Return the processes whose parent is `pid`; none where the kernel does not tell."""
    try:
        return [int(word) for word in read_words(f"/proc/{pid}/task/{pid}/children")]
    except OSError:
        return []


def read_words(path: str) -> list[str]:
    """Return the words of a text file."""
    with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123  pathlib takes longer than all of this
        return file.read().split()


def says_ready(pid_file: str, pid: int) -> bool:
    """Say whether the postmaster `pid` has written that it accepts connections.

    Source: PostgreSQL, src/include/utils/pidfile.h.
    """
    try:
        with open(pid_file, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            lines = file.read().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def free_shared_memory(data: str) -> None:
    """Free the System V segment that a killed postmaster leaves behind, if it is that, and nobody uses it.

    Source: PostgreSQL, src/include/utils/pidfile.h (line 7 of postmaster.pid: key and number); proc_sysvipc_shm(5).
    """
    try:
        with open(f"{data}/postmaster.pid", encoding="utf-8") as file:  # noqa: PTH123
            key, number = map(int, file.read().splitlines()[6].split())
        with open("/proc/sysvipc/shm", encoding="ascii") as file:  # noqa: PTH123
            segments = [line.split() for line in file.read().splitlines()[1:]]
        owner = os.stat(data).st_uid  # noqa: PTH116
    except (OSError, ValueError, IndexError):
        return
    for its_key, its_number, _, _, _, _, attached, uid, *_ in segments:
        is_same = int(its_key) & 0xFFFFFFFF == key & 0xFFFFFFFF and int(its_number) == number
        if is_same and attached == "0" and int(uid) == owner and CDLL is not None:
            CDLL(None).shmctl(number, IPC_RMID, None)


def die_with_parent() -> None:
    """Ask the kernel to send this process SIGQUIT when its parent dies, however that happens (Linux)."""
    ask_kernel(PR_SET_PDEATHSIG, int(signal.SIGQUIT))


def adopt_orphans() -> None:
    """Ask the kernel to make this process the parent of what a killed program leaves (Linux)."""
    ask_kernel(PR_SET_CHILD_SUBREAPER, 1)


def ask_kernel(option: int, value: int) -> None:
    """Call prctl where there is one; without it, leftovers end a little later or wait for the next sweep."""
    if CDLL is not None and sys.platform == "linux":
        CDLL(None).prctl(option, value, 0, 0, 0)


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
        self.watched = ""
        """Where the program will write that it is ready; empty: nobody waits for that."""
        self.unread = b""
        self.is_ending = False
        self.is_broken = False
        """Whether files could not be written."""

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
            readable, _, _ = select.select([0, awake], [], [], POLL_S if self.watched else None)
            if awake in readable:
                os.read(awake, 512)
            self.reap()
            if 0 in readable and not self.is_ending:
                self.obey(os.read(0, 65536))
            self.look()

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
            if verb == "unpack":
                self.unpack(*rest.split("\0"))
            elif verb == "run" and not self.is_broken:
                self.run(rest.split("\0"))
            elif verb == "watch" and self.pid:
                self.watched = rest
            elif verb == "kill" and self.pid:
                os.kill(self.pid, int(rest))

    def unpack(self, image: str, folder: str, stage: str) -> None:
        """Write the files of a stage, and tell how that went."""
        try:
            unpack(image, folder, stage, owner=(self.uid, self.gid))
        except OSError as error:
            self.is_broken = True
            self.tell(f"unpacked {error.errno}")
        else:
            self.tell("unpacked 0")

    def run(self, arguments: list[str]) -> None:
        """Start the program."""
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            become(arguments, uid=self.uid, gid=self.gid, parent=parent)
        self.pid = pid
        self.tell(f"started {pid}")

    def look(self) -> None:
        """Tell, once, that the program is ready."""
        if self.watched and says_ready(self.watched, self.pid):
            self.watched = ""
            self.tell(f"ready {self.pid}")

    def reap(self) -> None:
        """Take leave of children that ended, and tell how the program did."""
        while (ended := next_ended()) is not None:
            pid, status = ended
            if pid == 0:
                return
            if pid == self.pid:
                self.pid, self.watched = 0, ""
                self.tell(f"exited {os.waitstatus_to_exitcode(status)}")

    def tell(self, line: str) -> None:
        """Write a line to the owner, who may be gone."""
        try:
            os.write(1, line.encode() + b"\n")
        except BrokenPipeError:
            return

    def end_program(self) -> None:
        """End the program at once, and all that it left, even where they are stopped or hang."""
        if self.pid:
            os.kill(self.pid, signal.SIGQUIT)
            os.kill(self.pid, signal.SIGCONT)
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        if not are_children_gone_within(PATIENCE_S):
            for child in children_of(os.getpid()):
                for pid in (*children_of(child), child):
                    kill_if_there(pid)
            are_children_gone_within(PATIENCE_S)


def next_ended() -> tuple[int, int] | None:
    """Return a child that ended and its status; (0, 0): all still run; None: there is none."""
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None


def are_children_gone_within(patience_s: float) -> bool:
    """Wait for the end of every child, but no longer for the next one; SIGCHLD is blocked."""
    while (ended := next_ended()) is not None:
        if ended[0] == 0 and signal.sigtimedwait({signal.SIGCHLD}, patience_s) is None:
            return next_ended() is None
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
    os.set_inheritable(int(lock), False)  # noqa: FBT003
    adopt_orphans()
    reaper = Reaper(uid=int(uid), gid=int(gid))
    try:
        reaper.serve()
    finally:
        reaper.end_program()
        free_shared_memory(f"{folders[0]}/data")
        for folder in reversed(folders):
            remove_tree(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
