"""A wire to a server of a known length, in a process of its own, so that it takes nothing from what is measured."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection as Pipe

from trueup.conninfo import ConnInfo
from trueup.testing.faults import Proxy


@contextmanager
def delay_line(direct: ConnInfo, round_trip_s: float) -> Iterator[ConnInfo]:
    """Give the way to a server on this machine over a wire with that round trip."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there, dict(direct.parameters), round_trip_s / 2), daemon=True)
    process.start()
    try:
        yield direct.with_parameters(**here.recv())
    finally:
        process.kill()
        process.join()


def serve(pipe: Pipe, server: dict[str, str], delay_s: float) -> None:
    """Be the wire until this process is ended."""
    with Proxy(ConnInfo(server)) as wire:
        wire.slow(delay_s=delay_s)
        pipe.send(dict(wire.conninfo.parameters))
        with suppress(EOFError):
            pipe.recv()
