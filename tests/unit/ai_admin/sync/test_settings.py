"""What the environment says of the sync, and what it must not say wrongly."""

import pytest

from ai_admin.sync.settings import DAYS, LIMITS, Reach, SyncSettings
from trueup.conninfo import Secret
from trueup.errors import UsageError

GIVEN = {
    "YCLIENTS_URL": "http://127.0.0.1:1/api/v1",
    "YCLIENTS_PARTNER_TOKEN": "the-partner",
    "YCLIENTS_USER_TOKEN": "the-user",
}


def test_three_variables_are_enough():
    assert SyncSettings.from_env(GIVEN) == SyncSettings(
        url="http://127.0.0.1:1/api/v1",
        partner=Secret("the-partner"),
        user=Secret("the-user"),
        timeout_s=15.0,
        requests_per_second=5,
        requests_per_minute=200,
        reach=Reach(schedule_days=30, booking_days=60, booking_days_back=7),
    )


def test_every_limit_has_a_variable():
    more = {
        "YCLIENTS_TIMEOUT": "2s",
        "YCLIENTS_REQUESTS_PER_SECOND": "3",
        "YCLIENTS_REQUESTS_PER_MINUTE": "90",
        "SYNC_SCHEDULE_DAYS": "14",
        "SYNC_BOOKING_DAYS": "30",
        "SYNC_BOOKING_DAYS_BACK": "2",
    }

    found = SyncSettings.from_env(GIVEN | more)

    assert (found.timeout_s, found.requests_per_second, found.requests_per_minute) == (2.0, 3, 90)
    assert found.reach == Reach(schedule_days=14, booking_days=30, booking_days_back=2)
    assert more.keys() == {*LIMITS, *DAYS}


@pytest.mark.parametrize("left_out", GIVEN)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_what_is_missing_is_named(left_out, value):
    variables = {name: text for name, text in GIVEN.items() if name != left_out} | (
        {} if value is None else {left_out: value}
    )

    with pytest.raises(UsageError, match=f"^the sync is not configured: set {left_out}$"):
        SyncSettings.from_env(variables)


def test_all_that_is_missing_is_told_at_once():
    with pytest.raises(UsageError, match=r"set YCLIENTS_URL, YCLIENTS_PARTNER_TOKEN, YCLIENTS_USER_TOKEN$"):
        SyncSettings.from_env({})


@pytest.mark.parametrize("url", ["http://127.0.0.1/api", "https://127.0.0.1:1/api/v1"])
def test_address_may_be_plain_or_encrypted(url):
    assert SyncSettings.from_env(GIVEN | {"YCLIENTS_URL": f" {url} "}).url == url


@pytest.mark.parametrize("name", [*LIMITS, *DAYS])
@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_number_that_is_none_is_told_with_its_variable(name, value):
    with pytest.raises(UsageError, match=f"^{name}='{value}' is not "):
        SyncSettings.from_env(GIVEN | {name: value})


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1/api", "ftp://127.0.0.1/", "http://", "http://127.0.0.1:0/", "http://127.0.0.1:x/", "http://[::1/"],
)
def test_address_that_is_none_is_not_repeated(url):
    with pytest.raises(UsageError) as refused:
        SyncSettings.from_env(GIVEN | {"YCLIENTS_URL": url})

    assert str(refused.value) == "YCLIENTS_URL is no address: expected https://HOST/PATH of the API"


def test_no_token_is_shown():
    assert "the-" not in repr(SyncSettings.from_env(GIVEN))
