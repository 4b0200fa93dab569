"""Whether what was left is at work: it may be about to end, however long a busy machine makes it wait for its turn."""

from pathlib import Path

from trueup.testing.guard.gate import Opening, Owner

COUNTED = b"ctxt_switches:"
"""How often a thread has given up its core, or was taken off it."""
ASLEEP = b"S"


def activity(owner: Owner) -> list[object]:
    """Return what is the same the next time only if neither a thread nor a process of the owner did anything since."""
    return [sign(folder) for opening in owner.opened if (folder := folder_of(opening)) is not None]


def folder_of(opening: Opening) -> Path | None:
    """Return where Linux tells about a thread or a process that runs; None: it is neither, or has ended.

    Who closes a server waits for that, and what watches over one is always at work.
    """
    if opening.kind == "process":
        return Path(f"/proc/{opening.thing}")
    thread = opening.thing() if opening.kind == "thread" else None
    return Path(f"/proc/self/task/{thread.native_id}") if thread is not None and thread.is_alive() else None


def sign(folder: Path) -> object:
    """Return how often a thread was at work, or something new while it is, or waits for a core.

    Source: proc(5), /proc/pid/status.
    """
    try:
        lines = (folder / "status").read_bytes().splitlines()
    except OSError:  # It ends right now.
        return object()
    state = next(line.split()[1] for line in lines if line.startswith(b"State:"))
    return [line for line in lines if COUNTED in line] if state == ASLEEP else object()
