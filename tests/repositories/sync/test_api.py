"""YClients is asked at its pace, until it has answered everything or has said why not."""

from threading import Event

import pytest
from tests.repositories.sync.conftest import SALON
from tests.repositories.sync.salon_server import PARTNER, USER, good, refusal

from ai_admin.sync.api import ATTEMPTS, YClients
from ai_admin.sync.errors import ApiRefused, ApiUnreachable, ListIncomplete
from ai_admin.sync.pace import Limit, Pace
from trueup.conninfo import Secret

CLIENTS = f"company/{SALON}/clients/search"
SERVICES = f"company/{SALON}/services"


@pytest.mark.parametrize("count", [0, 1, 199, 200, 201, 450])
@pytest.mark.parametrize("has_total", [True, False])
def test_list_is_read_until_a_page_is_empty(salon, api, count, has_total):
    """A list ended at 50 pages, and at the first page that failed."""
    salon.lists[CLIENTS] = [{"id": number} for number in range(count)]
    salon.totals = has_total

    pages = list(api.client_pages(SALON))

    assert sum(map(len, pages)) == count
    assert salon.requests[CLIENTS] == len(pages) + 1


def test_list_that_ends_before_its_total_is_incomplete(salon, api):
    salon.lists[CLIENTS] = [{"id": number} for number in range(450)]
    salon.page_of = lambda items, page, size: items[(page - 1) * size : page * size] if page < 3 else []

    with pytest.raises(ListIncomplete, match="400 of 450 items came, then an empty page"):
        list(api.client_pages(SALON))


def test_server_that_gives_the_same_page_for_ever_is_not_asked_for_ever(salon, api):
    salon.lists[CLIENTS] = [{"id": number} for number in range(450)]
    salon.page_of = lambda items, page, size: items[:size]

    with pytest.raises(ListIncomplete, match="page 2 is that before it again"):
        list(api.client_pages(SALON))


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(refusal(429, {"Retry-After": "0.05"}), id="too many"),
        pytest.param(refusal(500, {"Retry-After": "0.05"}), id="broken"),
        pytest.param(refusal(503, {"Retry-After": "0"}), id="away"),
        pytest.param(None, id="hung up"),
        pytest.param((200, {}, b"<html>"), id="no JSON"),
        pytest.param((200, {}, b'{"success": true, "data": ['), id="broken off"),
        pytest.param((200, {"Content-Length": "5000"}, b"{}"), id="too short"),
    ],
)
def test_failure_that_passes_is_not_noticed(salon, api, failure):
    salon.failures[SERVICES] = [failure, failure]

    assert len(api.services(SALON)) == 4
    assert salon.requests[SERVICES] == 3


def test_failure_that_stays_is_an_error_after_four_attempts(salon, api):
    salon.failures[SERVICES] = [refusal(503, {"Retry-After": "0.01"})] * 9

    with pytest.raises(ApiUnreachable, match=rf"GET company/{SALON}/services: YClients answered 503, 4 times"):
        api.services(SALON)
    assert salon.requests[SERVICES] == ATTEMPTS


def test_pauses_between_attempts_grow_unless_the_answer_says_how_long(salon, api, monkeypatch):
    waited = []
    monkeypatch.setattr(api.pace.stop, "wait", waited.append)
    salon.failures[SERVICES] = [refusal(503), refusal(503, {"Retry-After": "0.5"}), refusal(503), refusal(503)]

    with pytest.raises(ApiUnreachable):
        api.services(SALON)

    assert waited == [0.01, 0.5, 0.04]


@pytest.mark.parametrize(
    ("status", "told"),
    [(401, "token"), (402, "licence"), (403, "no right"), (404, "no such"), (422, "parameters"), (400, "see")],
)
def test_refusal_is_not_repeated_and_says_what_to_do_without_what_was_answered(salon, api, status, told):
    salon.failures[SERVICES] = [refusal(status)]

    with pytest.raises(ApiRefused, match=told) as refused:
        api.services(SALON)

    assert salon.requests[SERVICES] == 1
    assert "70001230022" not in str(refused.value)


def test_good_status_without_success_is_a_refusal(salon, api):
    salon.failures[SERVICES] = [(200, {}, refusal(200)[2])]

    with pytest.raises(ApiRefused, match="without success"):
        api.services(SALON)


def test_redirect_is_not_followed(salon, api):
    """The tokens would go along."""
    salon.failures[SERVICES] = [(302, {"Location": "http://127.0.0.1:1/"}, b"")]

    with pytest.raises(ApiRefused, match="302"):
        api.services(SALON)


@pytest.mark.parametrize("data", [{}, None, "text", 7])
def test_list_that_is_none_is_an_error(salon, api, data):
    salon.failures[SERVICES] = [good(data, [])]

    with pytest.raises(ApiUnreachable, match="the answer holds no list"):
        api.services(SALON)


def test_wrong_token_is_told(salon):
    api = YClients(salon.url, partner=Secret("wrong"), user=Secret(USER))

    with pytest.raises(ApiRefused, match="check the partner's token and the user's token") as refused:
        api.services(SALON)
    api.close()

    assert "wrong" not in str(refused.value)
    assert "wrong" not in repr(api)


def test_server_that_is_not_there_is_told():
    api = YClients("http://127.0.0.1:1/", partner=Secret(PARTNER), user=Secret(USER), timeout_s=0.2, backoff_s=0)

    with pytest.raises(ApiUnreachable, match="NewConnectionError, 4 times"):
        api.company(SALON)


def test_server_that_does_not_answer_is_given_up(salon):
    api = YClients(salon.url, partner=Secret(PARTNER), user=Secret(USER), timeout_s=0.1, backoff_s=0)
    over = Event()
    salon.before_answer = lambda _: over.wait(5)

    with pytest.raises(ApiUnreachable, match="ReadTimeoutError, 4 times"):
        api.company(SALON)
    over.set()
    api.close()


def test_limits_of_the_server_are_kept_without_a_refusal(salon):
    salon.per_second = 5
    api = YClients(salon.url, partner=Secret(PARTNER), user=Secret(USER), pace=Pace((Limit(5, 1.05), Limit(200, 60.0))))

    for _ in range(11):
        api.company(SALON)
    api.close()

    assert salon.requests[f"company/{SALON}"] == 11


def test_refusal_for_the_pace_is_waited_for_and_repeated(salon, api):
    salon.per_second = 3

    for _ in range(4):
        api.company(SALON)

    assert salon.requests[f"company/{SALON}"] == 5
