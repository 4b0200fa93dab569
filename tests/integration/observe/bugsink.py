"""A real server of Sentry's protocol: bugsink, in a virtual environment of its own, on loopback and with nothing else.

It is installed once a machine, in the cache folder; each run works on a copy of a database that was migrated then.
"""

import contextlib
import fcntl
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from tests.integration.observe.receiver import until

from trueup.conninfo import Secret

VERSION = "2.6.1"
DEAD_END = "http://127.0.0.1:9"
CONFIGURATION = """
DATABASES["default"]["NAME"] = {folder!r} + "/db.sqlite3"
DATABASES["snappea"]["NAME"] = {folder!r} + "/snappea.sqlite3"
ALLOWED_HOSTS = ["127.0.0.1"]
DEBUG = False
BUGSINK["BASE_URL"] = "http://127.0.0.1:{port}"
BUGSINK["PHONEHOME"] = False
BUGSINK["INGEST_STORE_BASE_DIR"] = {folder!r} + "/ingestion"
BUGSINK["KEEP_ENVELOPES"] = 1000
BUGSINK["VALIDATE_ON_DIGEST"] = "strict"
"""
PREPARATION = """
import django
from django.core.management import call_command

django.setup()
call_command("migrate", interactive=False, verbosity=0)
call_command("migrate", "snappea", database="snappea", interactive=False, verbosity=0)
call_command("create_auth_token")
"""


class NotInstalled(Exception):
    """Says why the server can't be had on this machine."""


@dataclass(frozen=True, kw_only=True)
class Bugsink:
    """Is a running server with one project."""

    folder: Path
    port: int
    token: str
    dsn: Secret
    project: int

    def get(self, path: str, **query: Any) -> Any:
        return call(self.port, self.token, "GET", path, query)

    def issues(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("issues/", project=self.project)["results"]
        return found

    def events(self) -> list[dict[str, Any]]:
        """Return every event as it was digested; the API shows one a request, its table all at once."""
        return [json.loads(data) for data in self.column("select data from events_event order by digested_at")]

    def event(self, issue: dict[str, Any]) -> dict[str, Any]:
        """Return the first event of an issue as the API shows it."""
        first = self.get("events/", issue=issue["id"])["results"][0]
        found: dict[str, Any] = self.get(f"events/{first['id']}/")["data"]
        return found

    def envelopes(self) -> list[bytes]:
        """Return every envelope as it came, those of durations included."""
        return [bytes(data) for data in self.column("select data from ingest_envelope order by id")]

    def column(self, query: str) -> list[Any]:
        with contextlib.closing(sqlite3.connect(self.folder / "db.sqlite3")) as connection:
            return [value for (value,) in connection.execute(query)]


def run(*command: str | Path, timeout_s: float = 120) -> str:
    try:
        done = subprocess.run(
            list(map(str, command)),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"{command[0]} took more than {timeout_s} s") from None
    if done.returncode:
        raise NotInstalled(f"{' '.join(map(str, command))}: {done.stderr.strip()[-300:]}")
    return done.stdout


def within(folder: Path, *command: str | Path) -> list[str | Path]:
    """Return a command with the configuration of a folder, and no way off this machine.

    It keeps what it compiles, unlike the programs of other tests: its files stay.
    """
    outside = [f"{name}={DEAD_END}" for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")]
    own = ["DJANGO_SETTINGS_MODULE=bugsink_conf", f"PYTHONPATH={folder}", "PYTHONDONTWRITEBYTECODE="]
    return ["env", *own, *outside, *command]


def install(cache: Path) -> Path:
    """Return the folder with the installed server and its template; make it if this is the first time.

    Raises:
        NotInstalled: there is no way to the package index, or no room.
    """
    home = cache / f"bugsink-{VERSION}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "finished").exists():
            for part in ("venv", "template"):
                shutil.rmtree(home / part, ignore_errors=True)
            populate(home / "venv")
            prepare(home / "venv/bin", home / "template")
            (home / "finished").touch()
    return home


def populate(environment: Path) -> None:
    """Make a virtual environment that has the server: by uv, a twentieth of pip's work, where it is installed."""
    package = f"bugsink=={VERSION}"
    if uv := shutil.which("uv"):
        run(uv, "venv", "-q", "--python", sys.executable, environment)
        run(uv, "pip", "install", "-q", "--python", environment / "bin/python", package, timeout_s=240)
    else:
        run(sys.executable, "-m", "venv", environment)
        run(environment / "bin/pip", "install", "-q", package, timeout_s=240)


def prepare(programs: Path, template: Path) -> None:
    """Make a folder with a migrated database and a token."""
    template.mkdir()
    conf = template / "bugsink_conf.py"
    run(
        programs / "bugsink-create-conf",
        "--template=local",
        "--host",
        "127.0.0.1",
        "--port",
        "1",
        "--output-file",
        conf,
    )
    configure(template, 1)
    (template / "token").write_text(run(*within(template, programs / "python", "-c", PREPARATION)).split()[-1])


def configure(folder: Path, port: int) -> None:
    """Point a configuration to its folder and port."""
    conf = folder / "bugsink_conf.py"
    conf.write_text(conf.read_text() + CONFIGURATION.format(folder=str(folder), port=port))


@contextlib.contextmanager
def serve(home: Path, folder: Path) -> Iterator[Bugsink]:
    """Run a server on a copy of the template; it ends with this process however that ends."""
    shutil.copytree(home / "template", folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configure(folder, port)
    options = f"--bind 127.0.0.1:{port} --threads 4 --graceful-timeout 1"
    gunicorn = f"{home / 'venv/bin/gunicorn'} {options} bugsink.wsgi >{folder}/log 2>&1"
    command = within(folder, "sh", "-c", f"{gunicorn} & cat >/dev/null; kill -INT $!; wait $!")
    with subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE) as process:
        assert process.stdin
        try:
            until(lambda: is_ready(port), 60)
            yield with_project(folder, port)
        finally:
            process.stdin.close()


def is_ready(port: int) -> bool:
    try:
        return urllib3.request("GET", f"http://127.0.0.1:{port}/health/ready", retries=False).status == 200
    except (urllib3.exceptions.HTTPError, OSError):
        return False


def with_project(folder: Path, port: int) -> Bugsink:
    token = (folder / "token").read_text().strip()
    team = call(port, token, "POST", "teams/", {"name": "team"})["id"]
    project = call(port, token, "POST", "projects/", {"team": team, "name": "salon"})["id"]
    dsn = call(port, token, "GET", f"projects/{project}/", {})["dsn"]
    return Bugsink(folder=folder, port=port, token=token, dsn=Secret(dsn), project=project)


def call(port: int, token: str, method: str, path: str, values: dict[str, Any]) -> Any:
    """Call the server's API."""
    url = f"http://127.0.0.1:{port}/api/canonical/0/{path}"
    headers = {"Authorization": f"Bearer {token}"}
    given: dict[str, Any] = {"fields": values} if method == "GET" else {"json": values}
    answer = urllib3.request(method, url, headers=headers, retries=False, **given)
    assert answer.status < 300, (path, answer.status, answer.data[:300])
    return json.loads(answer.data)
