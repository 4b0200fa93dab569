"""YClients over HTTP: paced, repeated where that can help, and read to the end of every list."""

import datetime as dt
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
import urllib3

from ai_admin.sync.errors import ApiRefused, ApiUnreachable, ListIncomplete
from ai_admin.sync.pace import Pace
from trueup.conninfo import Secret

Raws = list[msgspec.Raw]

PAGE_ROWS = 200
"""The most that a search of clients gives at once."""
MOST_PAGES = 10_000
ATTEMPTS = 4
LONGEST_WAIT_S = 120.0
MEANINGS = {
    401: "check the partner's token and the user's token",
    402: "the salon's licence has to be renewed",
    403: "the user has no right to it in this salon, or the licence has ended",
    404: "there is no such salon, or no such thing in it",
    422: "it doesn't accept the parameters",
}


class Envelope(msgspec.Struct):
    """Is what every answer is wrapped in; `meta` is [] where it is empty."""

    success: bool
    data: msgspec.Raw = msgspec.Raw(b"null")
    meta: dict[str, Any] | list[Any] | None = None

    @property
    def total(self) -> int | None:
        """How long the whole list is, where the answer says so."""
        found = self.meta.get("total_count") if isinstance(self.meta, dict) else None
        return found if type(found) is int else None


ENVELOPE = msgspec.json.Decoder(Envelope, strict=False)
LIST = msgspec.json.Decoder(Raws)


class YClients:
    """Reads the data of salons.

    A request that may succeed later is repeated after `backoff_s`, and then after twice as long each time, where the
    answer doesn't say how long to wait.

    Every method raises ApiRefused, ApiUnreachable or, for lists, ListIncomplete; it never returns a part of a list.
    """

    def __init__(
        self,
        url: str,
        *,
        partner: Secret,
        user: Secret,
        pace: Pace | None = None,
        timeout_s: float = 15.0,
        backoff_s: float = 0.4,
    ) -> None:
        self.url = url.rstrip("/")
        self.backoff_s = backoff_s
        self.pace = pace or Pace()
        self.pool = urllib3.PoolManager(
            num_pools=1,
            timeout=urllib3.Timeout(connect=timeout_s, read=timeout_s),
            retries=False,
            headers={
                "Accept": "application/vnd.yclients.v2+json",
                "Authorization": f"Bearer {partner.reveal()}, User {user.reveal()}",
            },
        )

    def __repr__(self) -> str:
        return f"YClients({self.url!r})"

    def company(self, company_id: int) -> msgspec.Raw:
        """Return a salon."""
        return self.ask("GET", f"company/{company_id}").data

    def categories(self, company_id: int) -> Raws:
        """Return the categories of a salon's services."""
        return self.whole(f"company/{company_id}/service_categories")

    def services(self, company_id: int) -> Raws:
        """Return a salon's services."""
        return self.whole(f"company/{company_id}/services")

    def staff(self, company_id: int) -> Raws:
        """Return a salon's staff, those who have left included."""
        return self.whole(f"company/{company_id}/staff")

    def schedule(self, company_id: int, staff_id: int, first: dt.date, last: dt.date) -> Raws:
        """Return somebody's days, those off left out at will."""
        return self.whole(f"schedule/{company_id}/{staff_id}/{first}/{last}")

    def client_pages(self, company_id: int) -> Iterator[Raws]:
        """Yield a salon's clients, a page at a time."""
        asked = {"fields": list(CLIENT_FIELDS), "order_by": "id", "order_by_direction": "asc"}
        return self.pages("POST", f"company/{company_id}/clients/search", asked, size="page_size")

    def record_pages(self, company_id: int, first: dt.date, last: dt.date) -> Iterator[Raws]:
        """Yield a salon's records of the days from the first to the last, deleted ones included, a page at a time."""
        asked = {"start_date": str(first), "end_date": str(last), "with_deleted": 1}
        return self.pages("GET", f"records/{company_id}", asked, size="count")

    def whole(self, path: str) -> Raws:
        """Return a list that is not cut into pages."""
        return self.items(self.ask("GET", path), path)

    def pages(self, method: str, path: str, asked: Mapping[str, Any], *, size: str) -> Iterator[Raws]:
        """Yield pages until one is empty.

        Raises:
            ListIncomplete: there were fewer than the first page said, or a page came again.
        """
        total: int | None = None
        seen, before = 0, b""
        for number in range(1, MOST_PAGES + 1):
            answer = self.ask(method, path, {**asked, "page": number, size: PAGE_ROWS})
            total = answer.total if number == 1 else total
            items = self.items(answer, path)
            if not items:
                break
            if bytes(answer.data) == before:
                raise ListIncomplete(f"{path}: page {number} is that before it again, after {seen} items")
            before = bytes(answer.data)
            seen += len(items)
            yield items
        if total is not None and seen < total:
            raise ListIncomplete(f"{path}: {seen} of {total} items came, then an empty page")

    def items(self, answer: Envelope, path: str) -> Raws:
        """Return the items of an answer whose data is a list."""
        try:
            return LIST.decode(answer.data)
        except msgspec.ValidationError:
            raise ApiUnreachable(f"{path}: the answer holds no list") from None

    def ask(self, method: str, path: str, fields: Mapping[str, Any] | None = None) -> Envelope:
        """Return the answer to one request, which is repeated while that may help.

        Raises:
            ApiRefused: the answer is no.
            ApiUnreachable: there was none, four times.
        """
        problem = ""
        for attempt in range(1, ATTEMPTS + 1):
            self.pace.wait()
            wait_s = self.backoff_s * 2 ** (attempt - 1)
            try:
                answer = self.send(method, path, fields)
                if answer.status == 200:
                    return opened(answer.data, path)
                if answer.status != 429 and answer.status < 500:
                    meaning = MEANINGS.get(answer.status, "see the documentation of the API")
                    raise ApiRefused(f"{method} {path}: YClients refuses with {answer.status}: {meaning}")
                problem = f"YClients answered {answer.status}"
                wait_s = retry_after(answer.headers.get("Retry-After"), default_s=wait_s)
            except (urllib3.exceptions.HTTPError, msgspec.MsgspecError, UnicodeDecodeError) as error:
                problem = type(error).__name__
            if attempt < ATTEMPTS:
                self.pace.stop.wait(wait_s)
        raise ApiUnreachable(f"{method} {path}: {problem}, {ATTEMPTS} times")

    def send(self, method: str, path: str, fields: Mapping[str, Any] | None) -> urllib3.BaseHTTPResponse:
        """Send one request."""
        url = f"{self.url}/{path}"
        if method == "GET":
            return self.pool.request(method, url, fields=dict(fields or {}), redirect=False)
        return self.pool.request(method, url, json=dict(fields or {}), redirect=False)

    def close(self) -> None:
        """Close the connections."""
        self.pool.clear()


CLIENT_FIELDS = (
    "id",
    "name",
    "phone",
    "email",
    "comment",
    "discount",
    "visits_count",
    "sold_amount",
    "spent",
    "first_visit_date",
    "last_visit_date",
    "status",
    "custom_fields",
)


def opened(body: bytes, path: str) -> Envelope:
    """Return the envelope of a good answer.

    Raises:
        ApiRefused: it says that it is none.
        msgspec.MsgspecError: it is no envelope.
    """
    envelope = ENVELOPE.decode(body)
    if not envelope.success:
        raise ApiRefused(f"{path}: YClients answers without success")
    return envelope


def retry_after(header: str | None, *, default_s: float) -> float:
    """Return how long to wait before the next attempt: seconds or a date, as the server likes, within reason."""
    if header is None:
        return default_s
    try:
        wait_s = float(header)
    except ValueError:
        try:
            wait_s = (parsedate_to_datetime(header) - dt.datetime.now(dt.UTC)).total_seconds()
        except (ValueError, TypeError):
            return default_s
    return min(max(wait_s, 0.0), LONGEST_WAIT_S) if wait_s == wait_s else default_s  # noqa: PLR0124 — no NaN
