"""What a project configures, in `trueup.toml` or in [tool.trueup] of its `pyproject.toml`."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from trueup.errors import UsageError


class Service(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Is a program that may hold connections."""

    name: str
    """As application_name begins: `name:pid`."""
    connections: Annotated[int, msgspec.Meta(ge=0)] = 3
    """The most one process opens."""
    processes: Annotated[int, msgspec.Meta(ge=0)] = 1
    """How many of it run at the same time."""
    role: str | None = None
    """Whom it logs in as; None: the role that asks."""
    health: Annotated[str, msgspec.Meta(pattern=r"^https?://[^/?#]+(/[^?#]*)?[^/?#]$")] | None = None
    """Where it says how it is: `http://127.0.0.1:8080/health`."""

    @property
    def most(self) -> int:
        """The most connections that all its processes open together."""
        return self.connections * self.processes


class Ignored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Is a profile of a host of the project's own: what structures are compared without."""

    schemas: frozenset[str] = frozenset()
    """With all that is in them."""
    roles: frozenset[str] = frozenset()
    """As owners and in grants."""
    extensions: frozenset[str] = frozenset()
    """By their names."""
    publications: frozenset[str] = frozenset()
    """By their names."""
    event_triggers: frozenset[str] = frozenset()
    """By their names."""


class Conversion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Is how a column of the target comes from one of the source, where its name, type or meaning differs."""

    column: str
    """The target's, with schema and table: `public.staff.is_active`."""
    source: str | None = None
    """The source's name for it, where that is another: `fired`."""
    by: Annotated[str, msgspec.Meta(pattern=r"^(|not|jsonb|to_jsonb|at time zone [A-Za-z0-9_/+:-]+)$")] = ""
    """What makes the target's value of the source's: `not`, `at time zone Europe/Moscow`; `jsonb` for a text that holds
    a document, `to_jsonb` for an array."""


class Relation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Is a column whose values are those of another, though no foreign key says so."""

    column: str
    """With schema and table: `public.clients.favorite_staff_ids`; of an array, each element points."""
    references: str
    """The column that has the values: `public.staff.yclients_id`."""


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Is which checks a run of `trueup verify` makes."""

    checks: tuple[str, ...] = ()
    """Those that have to find something to look at; empty: all, and those that have nothing to look at are noted."""
    skip: tuple[str, ...] = ()
    """Those that it leaves out."""
    deadlines: dict[str, Annotated[float, msgspec.Meta(gt=0)]] = {}
    """How many seconds a check may take, where that is not its own number."""
    jobs: Annotated[int, msgspec.Meta(ge=1)] = 1
    """How many tables, or parts of large ones, the check `data` compares at a time."""
    gentle: bool = False
    """Whether it spares both servers: one worker, none of their own, and pauses; it stops where they are busy."""
    max_rows: Annotated[int, msgspec.Meta(ge=0)] = 1_000
    """How many differing rows of a table it lists; the others are counted."""


class Alerts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Is where it is told that a run no longer passes, and that it does again."""

    sentry: bool = False
    """As an event of the error tracker."""
    monitor: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_-]{0,50}$")] = ""
    """The slug of a cron monitor of the error tracker, which hears of the beginning and the end of each run."""
    command: tuple[str, ...] = ()
    """A program and its arguments; the alert comes on its stdin, as JSON."""
    webhook: Annotated[str, msgspec.Meta(pattern=r"^(env:\w+)?$")] = ""
    """The variable that holds the address to which the alert is posted, as JSON: `env:NAME`."""
    webhook_key: Annotated[str, msgspec.Meta(pattern=r"^(env:\w+)?$")] = ""
    """The variable that holds the key by which what is posted is signed: `env:NAME`."""


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Is the content of the file; every key may be left out."""

    schema: str | None = None
    """The folder of migrations that the name `embedded` stands for, from the file's own folder."""
    contracts: tuple[str, ...] = ()
    """Where the table contracts are: `package.module:name`, the name of a Table or of a list of them."""
    checks: dict[str, Annotated[str, msgspec.Meta(pattern=r"^[\w.]+:\w+$")]] = {}
    """The project's own checks, by name: `package.module:function` of a Database, whose result has a `status`."""
    services: tuple[Service, ...] = ()
    """Who holds connections, for the budget."""
    host_profile: str | None = None
    """What structures are compared without, unless `--profile` says otherwise: `supabase`."""
    host_profiles: dict[str, Ignored] = {}
    """Profiles of the project's own hosts, by their names."""
    conversions: tuple[Conversion, ...] = ()
    """Which columns of two databases are compared though their names, types or meanings differ."""
    recheck: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """After how many seconds rows that differ are read again, until they agree or stay as they are; longer than the
    target lags. Without it they are not."""
    relations: tuple[Relation, ...] = ()
    """Which columns point to which, where no foreign key says so: values that are not there are found."""
    live: dict[str, Annotated[str, msgspec.Meta(pattern=r"^(env:\w+|service=\S+)$")]] = {}
    """The databases that `pytest --trueup-live NAME` may reach: `env:NAME` of a variable, or `service=NAME`."""
    profiles: dict[str, Profile] = {}
    """The choices of checks for `trueup verify --profile NAME`."""
    alerts: Alerts = Alerts()
    """Where it is told that a run of a profile no longer passes."""


def find_configuration(folder: Path) -> Path | None:
    """Return the nearest `trueup.toml`, or `pyproject.toml` with a [tool.trueup] table, at or above `folder`."""
    for place in (folder.absolute(), *folder.absolute().parents):
        if (own := place / "trueup.toml").is_file():
            return own
        if (shared := place / "pyproject.toml").is_file() and has_table(parse_toml(shared)):
            return shared
    return None


def has_table(content: Mapping[str, Any]) -> bool:
    """Whether a `pyproject.toml` has a [tool.trueup]."""
    tool = content.get("tool")
    return isinstance(tool, dict) and "trueup" in tool


def read_configuration(file: Path) -> Configuration:
    """Return what a configuration file says.

    Raises:
        UsageError: it can't be read, it is not TOML, or a key is unknown or of the wrong type.
    """
    whole = parse_toml(file)
    table = whole if file.name == "trueup.toml" else whole["tool"]["trueup"]
    try:
        return msgspec.convert(table, Configuration)
    except msgspec.ValidationError as error:
        raise UsageError(f"{file}: {error}; known keys: {', '.join(Configuration.__struct_fields__)}") from None


def parse_toml(file: Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        UsageError: it can't be read, or it is none.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: not readable as TOML: {error}") from None
