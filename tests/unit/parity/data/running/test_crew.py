import pickle
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

import pytest

from trueup.conninfo import ConnInfo
from trueup.errors import Disconnected, Refused, Unverifiable
from trueup.parity.data import Cluster, Segment, Span, TablePair
from trueup.parity.data.pairing.pairs import Reading
from trueup.parity.data.running.cluster import is_private
from trueup.parity.data.running.crew import Elsewhere, Task
from trueup.parity.data.sides.stations import Access, Sealed
from trueup.parity.schema import QualifiedName

PLACE = ConnInfo.parse("host=db.invalid dbname=shop user=reader password=s3cret-word")
READING = Reading(table=QualifiedName("public", "t"), has_partitions=False, columns=())
TASK = Task(part=Segment(pair=TablePair(source=READING, target=READING)), max_rows=5)


def access() -> Access:
    return Access(
        source=Sealed(PLACE), target=Sealed(PLACE), exported=("1-1", "2-1"), session=(), name="trueup worker 1"
    )


def test_password_reaches_a_worker_and_is_told_to_nobody_on_the_way() -> None:
    sent = pickle.loads(pickle.dumps(access()))

    assert sent.source.open().reveal() == PLACE.reveal()
    assert str(sent.source.open()) == str(PLACE)
    assert "s3cret" not in repr(sent) + str(sent) + repr((sent, TASK))


def test_task_shows_no_value() -> None:
    """Clusters log what a task that fails was given."""
    reading = replace(READING, where=("phone = '+7'",), span=Span(low=79031234567))
    task = Task(part=Segment(pair=TablePair(source=reading, target=reading)), max_rows=5)

    assert repr(task) == "<Task public.t, 0>"


def test_task_can_be_sent() -> None:
    assert pickle.loads(pickle.dumps(TASK)) == TASK


class Failing(Executor):
    """Runs nothing: every task ends with the error it was made with."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def submit(self, *_: Any, **__: Any) -> Future[Any]:  # type: ignore[override]
        future: Future[Any] = Future()
        future.set_exception(self.error)
        return future


def test_worker_that_was_killed_is_named_by_its_table() -> None:
    crew = Elsewhere(access(), Failing(ChildProcessError("killed")))

    with pytest.raises(Unverifiable, match=r"the worker that read public\.t failed with ChildProcessError"):
        crew.result(crew.submit(TASK), TASK)


def test_what_a_worker_says_of_its_server_is_kept() -> None:
    crew = Elsewhere(access(), Failing(Disconnected("the connection to here was lost")))

    with pytest.raises(Disconnected, match="the connection to here was lost"):
        crew.result(crew.submit(TASK), TASK)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("tls://scheduler:8786", True),
        ("wss://scheduler:8786", True),
        ("inproc://1/2/3", True),
        ("tcp://127.0.0.1:8786", True),
        ("tcp://[::1]:8786", True),
        ("localhost:8786", True),
        ("127.0.0.1:8786", True),
        ("tcp://scheduler:8786", False),
        ("scheduler:8786", False),
        ("tcp://10.0.0.7:8786", False),
        ("", False),
    ],
)
def test_way_to_a_scheduler_is_private_where_nobody_can_listen(address: str, expected: bool) -> None:
    assert is_private(address) is expected


def test_password_never_goes_over_a_network_in_clear() -> None:
    cluster = Cluster(address="tcp://scheduler:8786", executor=Failing(ValueError()), threads=1)

    with pytest.raises(Refused, match=r"would go to the workers of tcp://scheduler:8786 in clear") as refusal:
        cluster.check_wire([PLACE])

    assert "s3cret" not in str(refusal.value)
    cluster.check_wire([ConnInfo.parse("host=db.invalid dbname=shop user=reader")])
