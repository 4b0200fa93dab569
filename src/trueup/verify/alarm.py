"""Tells when the runs of a profile no longer pass, once, and when they do again; and stamps each run that passed.

The stamp is what a watcher looks at who must notice that no run came at all: a run that never began tells nobody.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self
from uuid import uuid4

import msgspec

from trueup import observe
from trueup.errors import UsageError
from trueup.report.model import Report, Verdict
from trueup.settings import Settings
from trueup.verify.destinations import Alert, destinations


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Is what is known of the runs of a profile, kept in a file."""

    last_run_at: datetime | None = None
    last_success_at: datetime | None = None
    verdict: Verdict | None = None
    since: datetime | None = None
    """When the runs began not to pass; None: they pass."""
    told: tuple[str, ...] = ()
    """The destinations that know of it."""


@dataclass(slots=True, kw_only=True)
class Alarm:
    """Is the watch over one run of a profile, for the length of its block."""

    settings: Settings
    profile: str
    check_in_id: str = field(default_factory=lambda: uuid4().hex)
    began: float = 0.0
    has_ended: bool = False

    def __enter__(self) -> Self:
        self.began = monotonic()
        self.check_in("in_progress")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.has_ended:
            self.check_in("error")

    @property
    def file(self) -> Path:
        """Return where the state is kept."""
        return state_file(self.settings.state_folder, self.profile)

    def check_in(self, status: observe.CheckInStatus) -> None:
        """Tell the cron monitor, where one is configured."""
        if self.settings.alerts.monitor:
            observe.check_in(
                self.settings.alerts.monitor,
                status,
                check_in_id=self.check_in_id,
                seconds=None if status == "in_progress" else monotonic() - self.began,
            )

    def end(self, report: Report) -> tuple[str, ...]:
        """Stamp a run that passed; tell what has changed to whom it matters; return what could not be told and why."""
        self.has_ended = True
        self.check_in("ok" if report.verdict is Verdict.PASSED else "error")
        before = read_state(self.file)
        state = after(before, report.verdict, datetime.now(UTC))
        problems = []
        event = "recovered" if before.since and state.since is None else "failed" if state.since else ""
        for name, tell in destinations(self.settings).items() if event else ():
            if (name in before.told) == (event == "failed"):
                continue
            reason = tell(alert_of(event, self.profile, report, before))
            if reason:
                problems.append(f"{name}: {reason}")
            elif event == "failed":
                state = msgspec.structs.replace(state, told=(*state.told, name))
        write_state(self.file, state)
        return tuple(problems)


def state_file(folder: Path, profile: str) -> Path:
    """Return where the state of a profile's runs is kept.

    Raises:
        UsageError: its name is not one of a file.
    """
    if Path(profile).name != profile or profile.startswith("."):
        raise UsageError(f"profile {profile!r}: a name of letters, digits, - and _ is needed")
    return folder / "verify" / f"{profile}.json"


def read_state(file: Path) -> State:
    """Return what is known of the runs of a profile; nothing where the file is missing or damaged."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=State)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return State()


def write_state(file: Path, state: State) -> None:
    """Keep what is known, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.write_bytes(msgspec.json.encode(state))
    unfinished.replace(file)


def after(before: State, verdict: Verdict, now: datetime) -> State:
    """Return what is known after a run: an episode begins with the first run that doesn't pass, and ends with one."""
    if verdict is Verdict.PASSED:
        return State(last_run_at=now, last_success_at=now, verdict=verdict)
    return State(
        last_run_at=now,
        last_success_at=before.last_success_at,
        verdict=verdict,
        since=before.since or now,
        told=before.told,
    )


def alert_of(event: str, profile: str, report: Report, before: State) -> Alert:
    """Return what is told: names of checks and numbers, no name of a database or a row."""
    return Alert(
        event=event,
        profile=profile,
        verdict=report.verdict,
        started_at=report.started_at,
        findings=len(report.findings),
        checks={section.check: section.verdict for section in report.sections},
        since=before.since,
        last_success_at=before.last_success_at,
    )
