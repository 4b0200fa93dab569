"""What a check of health answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType


class Status(Enum):
    """Is how something is; the names are those of `application/health+json`, where `ok` may stand for `pass`."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"

    @property
    def badness(self) -> int:
        """0 where all is well, 2 where nothing works."""
        return list(Status).index(self)


SPELLINGS: Mapping[str, Status] = MappingProxyType(
    {
        **dict.fromkeys(("ok", "pass", "passed", "up", "healthy"), Status.OK),
        **dict.fromkeys(("warn", "warning"), Status.WARN),
    }
)
"""How other programs say that it is well, or nearly; every other word is a failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Is what one check found: figures and fixed words, so that all of it may be shown to whoever has the token."""

    status: Status
    reason: str = ""
    """Why it isn't well; no value of a row, no text of a driver."""
    figures: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """What was measured: numbers, truths and moments, by their names; may be nested."""
    age_s: float = 0.0
    """How long ago it was found."""


def worst(answers: Iterable[Answer]) -> Status:
    """Return how the whole is: as its worst part; nothing that was checked is a failure."""
    return max((answer.status for answer in answers), key=lambda status: status.badness, default=Status.FAIL)
