"""A small server that behaves as YClients does: pages, limits, errors, and answers that break off."""

import json
import threading
from collections import Counter, deque
from http.server import BaseHTTPRequestHandler
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.integration.observe.receiver import Server

Answer = tuple[int, dict[str, str], bytes]
PARTNER, USER = "partner-token", "user-token"


class SalonServer:
    """Answers for one salon; what it has is in `lists`, how it fails is in `failures`."""

    def __init__(self) -> None:
        self.lists: dict[str, list[Any]] = {}
        self.company: Any = None
        self.failures: dict[str, list[Answer | None]] = {}
        """By path: what the next requests are answered with, None for a connection that is closed."""
        self.requests: Counter[str] = Counter()
        self.begun: deque[float] = deque()
        self.per_second = 1000
        self.totals = True
        self.page_of = lambda items, page, size: items[(page - 1) * size : page * size]
        self.before_answer = lambda _: None
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                self.reply(parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()})

            def do_POST(self) -> None:
                self.reply(self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def reply(self, path: str, asked: dict[str, Any]) -> None:
                answer = server.answer(path.removeprefix("/api/v1/"), asked, self.headers["Authorization"])
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, body = answer
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                pass

        self.http = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/api/v1/"

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.http.hang_up()
        self.thread.join()

    def answer(self, path: str, asked: dict[str, Any], authorization: str) -> Answer | None:
        self.requests[path] += 1
        self.before_answer(path)
        if self.failures.get(path):
            return self.failures[path].pop(0)
        if authorization != f"Bearer {PARTNER}, User {USER}":
            return refusal(401)
        if self.is_too_fast():
            return refusal(429, {"Retry-After": "1"})
        if path == f"company/{self.company['id']}":
            return good(self.company, [])
        if path not in self.lists:
            return refusal(404)
        items = self.lists[path]
        meta = {"total_count": len(items)} if self.totals else []
        if "page" not in asked:
            return good(items, meta)
        size = int(asked.get("page_size") or asked["count"])
        if size > 200:
            return refusal(422)
        return good(self.page_of(items, int(asked["page"]), size), meta)

    def is_too_fast(self) -> bool:
        now = monotonic()
        while self.begun and self.begun[0] < now - 1:
            self.begun.popleft()
        if len(self.begun) >= self.per_second:
            return True
        self.begun.append(now)
        return False


def good(data: Any, meta: Any) -> Answer:
    return 200, {}, json.dumps({"success": True, "data": data, "meta": meta}).encode()


def refusal(status: int, headers: dict[str, str] | None = None) -> Answer:
    body = {"success": False, "data": None, "meta": {"message": "Анна +70001230022", "errors": {}}}
    return status, headers or {}, json.dumps(body).encode()
