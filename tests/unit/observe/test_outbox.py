import json

from hypothesis import given
from hypothesis import strategies as st

from trueup.observe.outbox import TRACES_SHARE, Outbox, Parcel, parcel_of


def parcel(number: int, category: str = "error", padding: int = 0) -> Parcel:
    event = {"event_id": f"{number:032x}", "padding": "x" * padding}
    return parcel_of(json.dumps(event | ({"type": category} if category == "transaction" else {})).encode())


@given(st.lists(st.sampled_from(["put", "delivered", "status_400", "rate_limited"]), max_size=60))
def test_account_is_what_happened(tmp_path_factory, steps):
    outbox = Outbox(tmp_path_factory.mktemp("events"), 1_000)
    waiting, expected = 0, {"captured": 0, "delivered": 0, "status_400": 0, "rate_limited": 0, "spool_full": 0}
    for number, step in enumerate(steps):
        first = outbox.first()
        if step in {"put", "rate_limited"}:
            outbox.count_captured()
            expected["captured"] += 1
        if step == "rate_limited":
            outbox.count_dropped("rate_limited")
            expected["rate_limited"] += 1
        elif step == "put":
            fits = outbox.pending_bytes + len(parcel(number).line) <= 1_000
            outbox.put(parcel(number))
            waiting += fits
            expected["spool_full"] += not fits
        elif first is not None:
            outbox.finish(first, step)
            waiting -= 1
            expected[step] += 1

    account = outbox.account()
    outbox.close()
    assert (account.captured, account.delivered, account.spooled) == (
        expected.pop("captured"),
        expected.pop("delivered"),
        waiting,
    )
    assert account.dropped == {reason: count for reason, count in expected.items() if count}
    assert account.is_balanced


def test_loss_without_a_reason_is_seen(tmp_path):
    outbox = Outbox(tmp_path, 1_000)
    outbox.count_captured()

    assert not outbox.account().is_balanced


def test_events_keep_their_order(tmp_path):
    outbox = Outbox(tmp_path, 10_000)
    for number in range(3):
        outbox.put(parcel(number))

    order = []
    while (first := outbox.first()) is not None:
        order.append(first)
        outbox.finish(first, "delivered")

    assert order == [parcel(0), parcel(1), parcel(2)]


def test_durations_leave_room_for_errors(tmp_path):
    outbox = Outbox(tmp_path, 4_000)
    for number in range(100):
        outbox.put(parcel(number, "transaction"))
    assert outbox.pending_bytes <= 4_000 * TRACES_SHARE

    outbox.put(parcel(200, padding=2_000))

    assert outbox.account().dropped["spool_full"] < 100
    assert outbox.pending[-1] == parcel(200, padding=2_000)


def test_events_of_an_earlier_process_are_booked_as_inherited(tmp_path):
    earlier = Outbox(tmp_path, 10_000)
    earlier.put(parcel(1))
    earlier.put(parcel(2, "transaction"))
    earlier.close()
    later = Outbox(tmp_path, 10_000)

    later.adopt()

    assert list(later.pending) == [parcel(1), parcel(2, "transaction")]
    assert later.account().inherited == 2
    assert later.account().is_balanced


def test_fate_of_an_event_is_remembered(tmp_path):
    outbox = Outbox(tmp_path, 10_000)
    outbox.put(parcel(1))
    outbox.finish(parcel(1), "delivered")  # An equal parcel, not the one that waits.
    assert outbox.account().delivered == 0

    first = outbox.first()
    assert first
    outbox.finish(first, "status_403")

    assert outbox.fates[parcel(1).event_id] == "status_403"


def test_child_of_a_fork_begins_with_an_empty_account(tmp_path):
    outbox = Outbox(tmp_path, 10_000)
    outbox.count_captured()
    outbox.put(parcel(1))

    outbox.forget()

    assert outbox.account().captured == outbox.account().spooled == 0
