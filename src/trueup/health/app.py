"""The pages of health, as an ASGI application that any service may mount: no request ever waits for a check."""

import hmac
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from time import monotonic
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from trueup.db.statistics import Statistics
from trueup.health import bodies
from trueup.health.metrics import CONTENT_TYPE, exposition
from trueup.health.model import Answer, Status
from trueup.health.watch import Watch

HEALTH_JSON = "application/health+json"
DATABASE = "database"
"""The name of the check that readiness hangs on."""


def application(watches: Sequence[Watch], pool: Callable[[], Statistics], *, token: str | None = None) -> Starlette:
    """Return the application; the watches run as long as its lifespan.

    `/health/live` asks nothing; `/health/ready` is the check named `database`; `/health/NAME` each check; `/health` all
    of them; `/metrics` is for Prometheus. Details and metrics are for requests that bear `token`; without one, for
    nobody. 503 says that something has failed; a warning is 200 with `warn`.
    """
    pages = Pages({watch.name: watch for watch in watches}, pool, token)
    return Starlette(
        lifespan=pages.lifespan,
        routes=[
            Route("/health", pages.overview),
            Route("/health/live", pages.live),
            Route("/health/ready", pages.ready),
            Route("/health/{name}", pages.check),
            Route("/metrics", pages.metrics),
        ],
    )


class Pages:
    """Answers requests from what the watches know."""

    def __init__(self, watches: dict[str, Watch], pool: Callable[[], Statistics], token: str | None) -> None:
        self.watches = watches
        self.token = token
        self.started = monotonic()
        self.exposition = exposition(self.answers, pool)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:  # noqa: ARG002 — Starlette's signature
        """Keep the watches running."""
        with ExitStack() as stack:
            for watch in self.watches.values():
                stack.enter_context(watch)
            yield

    def answers(self) -> dict[str, Answer]:
        """Return the last answer of every check."""
        return {name: watch.answer() for name, watch in self.watches.items()}

    def is_trusted(self, request: Request) -> bool:
        """Return whether a request bears the token; takes as long for a wrong one as for the right one."""
        said = request.headers.get("authorization", "").removeprefix("Bearer ")
        return self.token is not None and hmac.compare_digest(said.encode(), self.token.encode())

    @property
    def uptime_s(self) -> float:
        """How long this has been running."""
        return monotonic() - self.started

    async def overview(self, request: Request) -> Response:
        """Answer how all is."""
        return answer(bodies.overview(self.answers(), self.uptime_s, is_detailed=self.is_trusted(request)))

    async def live(self, request: Request) -> Response:  # noqa: ARG002 — Starlette's signature
        """Answer that the process runs."""
        return answer(bodies.state(Status.OK, self.uptime_s))

    async def ready(self, request: Request) -> Response:  # noqa: ARG002 — as above
        """Answer whether requests that need the database can be served."""
        watch = self.watches.get(DATABASE)
        return answer(bodies.state(watch.answer().status if watch else Status.FAIL, self.uptime_s))

    async def check(self, request: Request) -> Response:
        """Answer how one check is."""
        watch = self.watches.get(request.path_params["name"])
        if watch is None:
            return Response(status_code=404)
        return answer(bodies.page(watch.answer(), self.uptime_s, is_detailed=self.is_trusted(request)))

    async def metrics(self, request: Request) -> Response:
        """Answer the figures, for Prometheus."""
        if not self.is_trusted(request):
            return Response(status_code=401, headers={"www-authenticate": "Bearer"})
        return Response(self.exposition(), media_type=CONTENT_TYPE, headers={"cache-control": "no-store"})


def answer(body: Any) -> Response:
    """Return a page; its code is 503 where its status is a failure."""
    code = 503 if body["status"] == Status.FAIL.value else 200
    return Response(
        msgspec.json.encode(body), status_code=code, media_type=HEALTH_JSON, headers={"cache-control": "no-store"}
    )
