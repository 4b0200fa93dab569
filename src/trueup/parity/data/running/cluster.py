"""A cluster of dask.distributed, whose workers compare segments."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from trueup.conninfo import ConnInfo
from trueup.errors import Refused, Unverifiable, UsageError

CONNECT_S = 10
FAREWELL_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Is a cluster that was reached."""

    address: str
    executor: Executor
    threads: int
    """Of all its workers: as many segments can be compared at a time."""

    def check_wire(self, places: Iterable[ConnInfo]) -> None:
        """Let passwords go to the workers only where nobody can listen.

        Raises:
            Refused: they would go over a network in clear.
        """
        told = [place for place in places if place.secrets]
        if told and not is_private(self.address):
            raise Refused(
                f"the password of {told[0]} would go to the workers of {self.address} in clear: name the scheduler by"
                " tls://, or leave passwords out of the connection strings and give each worker a ~/.pgpass"
            )


def is_private(address: str) -> bool:
    """Return whether nobody can listen on the way to a scheduler: it is encrypted, or on this machine."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.scheme in {"tls", "wss", "inproc"}:
        return True
    try:
        return parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


@contextmanager
def open_cluster(address: str) -> Iterator[Cluster]:
    """Hold the connection to the scheduler at an address such as `tls://scheduler:8786`.

    Raises:
        UsageError: dask.distributed is not installed, or the address is none.
        Unverifiable: nobody answers there, or there is no worker.
    """
    try:
        from distributed import Client  # noqa: PLC0415 — an optional extra
        from distributed.comm.addressing import resolve_address  # noqa: PLC0415 — as above
    except ImportError:
        raise UsageError("a cluster needs dask.distributed: pip install 'trueup[dask]'") from None
    try:
        resolve_address(address)  # A client that begins with a wrong one waits long for its own end.
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except OSError as error:
        raise Unverifiable(f"the scheduler at {address} can't be reached ({type(error).__name__})") from None
    except ValueError as error:
        raise UsageError(f"{address} is no address of a scheduler, such as tls://scheduler:8786: {error}") from None
    try:
        threads = sum(client.nthreads().values())
        if not threads:
            raise Unverifiable(f"the cluster at {address} has no worker: start one by dask worker {address}")
        yield Cluster(address=address, executor=client.get_executor(), threads=threads)
    finally:
        client.close(timeout=FAREWELL_S)
