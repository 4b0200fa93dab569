"""Wherever a program is killed, an observer sees all of what it was doing, or nothing."""

import datetime as dt

import pytest
from tests.repositories.crash import DATA_LAYER, SESSIONS
from tests.repositories.killing import Killer, check_all_or_nothing
from tests.repositories.rows import COMPANY, DAY, booking, client, schedule, staff_member

from ai_admin.data_layer import DataLayer
from ai_admin.sessions import SessionStore
from trueup.db import Connection, Database

MORNING = dt.datetime(2031, 5, 12, 7, tzinfo=dt.UTC)


@pytest.mark.parametrize("use_case", DATA_LAYER)
def test_use_case_leaves_all_or_nothing(use_case: str, committing: Database, killer: Killer) -> None:
    """Killed after each answer of the server, that to COMMIT among them."""
    data = DataLayer(committing, COMPANY)
    data.upsert_staff([staff_member(yclients_id=n) for n in (1, 2)])
    data.upsert_schedules([schedule(), schedule(date=DAY + dt.timedelta(days=1))])
    data.book(client(yclients_id=1), booking(yclients_record_id=1, staff_id=1, datetime=MORNING, duration=10 * 3600))

    check_all_or_nothing(killer.states(use_case))


@pytest.mark.parametrize("use_case", SESSIONS)
def test_session_is_left_whole(use_case: str, committing: Database, observer: Connection, killer: Killer) -> None:
    """W-A4: deletes and batches were statements of their own; half of a set loses a contact for good."""
    store = SessionStore(committing, COMPANY)
    store.save_creds({"registrationId": 1})
    store.set({"pre-key": {"1": {"n": 1}}, "session": {"a.0": {"n": 1}}, "device-list": {"a": ["0"], "b": ["1"]}})
    observer.execute("update whatsapp_keys set expires_at = now() - interval '1 day' where key_type = 'device-list'")

    check_all_or_nothing(killer.states(use_case))
