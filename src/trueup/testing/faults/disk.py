"""A server whose tables lie on a small disk, which can be filled and freed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from trueup.conninfo import ConnInfo
from trueup.errors import Unverifiable
from trueup.testing.guard.gate import OUTSIDE, gate

SIZE_BYTES = 4 << 20
FAREWELL_S = 30.0
PROGRAM = "trueup.testing.faults.disk_server"


class SmallDisk:
    """Is a server of its own, and the disk below its tables."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait until the server answers.

        Raises:
            Unverifiable: the machine doesn't allow it; with the reason.
        """
        self._process = process
        found = self._hear()
        if "refusal" in found:
            raise Unverifiable(f"no small disk can be had here: {found['refusal']}")
        self.conninfo = ConnInfo(MappingProxyType({name: str(value) for name, value in found.items()}))
        """An empty database whose tables are made on the small disk; everything else of the server isn't there."""

    def fill(self) -> None:
        """Leave no room: what needs another page fails with DiskFull (53100), and the server goes on."""
        self._tell("fill")

    def free(self) -> None:
        """Give the room back."""
        self._tell("free")

    def _tell(self, command: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{command}\n".encode())
        self._process.stdin.flush()
        self._hear()

    def _hear(self) -> dict[str, object]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise Unverifiable(f"the server on the small disk ended (exit status {self._process.wait()})")
        answer: dict[str, object] = json.loads(line)
        return answer


@contextmanager
def small_disk(version: int = 18, *, cache_folder: Path, size_bytes: int = SIZE_BYTES) -> Iterator[SmallDisk]:
    """Give a server of its own with a disk of that size for its tables; both end with the block.

    The test that calls it may reach it.

    The disk is memory that only the server's own process tree sees; it's gone with it, however that ends. It needs
    Linux, and either root or user namespaces.

    Raises:
        Unverifiable: the machine doesn't allow it; with the reason.
    """
    command = [sys.executable, "-m", PROGRAM, str(version), str(cache_folder), str(size_bytes)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        disk = SmallDisk(process)
        if gate.owner is not OUTSIDE:
            gate.allow(gate.owner.node, disk.conninfo, fixture=gate.owner.fixture)
        yield disk
    finally:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Let the server end."""
    assert process.stdin
    assert process.stdout
    process.stdin.close()
    try:
        process.wait(FAREWELL_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
