"""A table some of whose rows differed, and what is known of them since."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from trueup.errors import Disconnected, Unverifiable
from trueup.parity.data.model import ChangedRow, Key, TableComparison
from trueup.parity.data.pairing.pairs import TablePair
from trueup.parity.data.reading.differences import even_shares
from trueup.parity.data.reading.rereading import sightings
from trueup.parity.data.reading.sighting import Kinds, Outcome, outcome
from trueup.parity.data.reading.survey import survey
from trueup.parity.data.reading.tablepass import TablePass, in_order
from trueup.parity.data.sides.lockstep import Lockstep
from trueup.report.model import Verdict

MOST_ROWS = 100_000
"""Of all tables together, that are read again: some 30 MB of keys."""


@dataclass(slots=True, kw_only=True)
class Watched:
    """Is a table some of whose rows differed."""

    found: TableComparison
    pair: TablePair
    max_rows: int
    """That are listed of each outcome."""
    salt: int = field(default_factory=lambda: secrets.randbits(63))
    pending: dict[Key, bytes | None] = field(default_factory=dict)
    """The rows that may be on their way, each with the fingerprint of its last sighting."""
    different: dict[Key, Kinds] = field(default_factory=dict)
    changed: list[ChangedRow] = field(default_factory=list)
    settled: int = 0
    unread: int = 0
    """Rows that differed and were not read again."""
    reason: str = ""
    """Why nobody knows what became of those that are left."""
    has_begun: bool = False

    def __post_init__(self) -> None:
        self.unread = self.found.differing

    def look(self, both: Lockstep, *, most: int, is_fenced: bool) -> None:
        """Read again what is pending, at the first time up to so many rows.

        Raises:
            Disconnected: a server went away.
        """
        try:
            with both.savepoint():
                if not self.has_begun:
                    self._begin(both, most)
                self._look(both, is_fenced=is_fenced)
                self.reason = ""
        except Disconnected:
            raise
        except Unverifiable as error:
            self.reason = str(error)

    def give_up(self, reason: str) -> None:
        """Say why what is pending was never at rest, unless it is known already."""
        self.reason = self.reason or reason

    def _begin(self, both: Lockstep, most: int) -> None:
        differing, found = self.found.differing, self.found
        if self.pair.source.key:
            keys = chain(found.missing, found.extra, (row.key for row in found.changed))
        else:
            # The hashes that name its rows have to be those of one salt.
            table = TablePass(both, self.pair, salt=self.salt, max_rows=most)
            table.run(survey(both, self.pair, salt=self.salt))
            missing, extra, _ = table.keys()
            keys = chain(missing, extra)
            differing = table.found.missing.count + table.found.extra.count
            self.settled = max(0, found.differing - differing)
        listed = list(islice(keys, most))
        self.pending = dict.fromkeys(listed)
        self.unread = differing - len(listed)
        self.has_begun = True

    def _look(self, both: Lockstep, *, is_fenced: bool) -> None:
        changed = []
        for key, now in sightings(both, self.pair, list(self.pending), self.salt):
            match outcome(self.pending[key], now, is_fenced=is_fenced):
                case Outcome.MOVING:
                    self.pending[key] = now.fingerprint
                    continue
                case Outcome.SETTLED:
                    self.settled += 1
                case Outcome.DIFFERENT:
                    self.different[key] = now.kinds
                    changed += [key] * bool(now.kinds.changed)
            del self.pending[key]
        listed = changed[: self.max_rows - len(self.changed)]
        self.changed += TablePass(both, self.pair, salt=self.salt, max_rows=0).changed_rows(listed)

    def result(self) -> TableComparison:
        """Return the comparison, as far as it is known now."""
        missing, extra = (
            self._sorted(key for key, kinds in self.different.items() for _ in range(kinds[kind])) for kind in (0, 1)
        )
        by_key = {row.key: row for row in self.changed}
        changed = tuple(by_key[key] for key in self._sorted(by_key))
        rooms = even_shares(self.max_rows, (len(missing), len(extra), len(changed)))
        return replace(
            self.found,
            verdict=self._verdict(),
            missing=missing[: rooms[0]],
            extra=extra[: rooms[1]],
            changed=changed[: rooms[2]],
            missing_count=len(missing),
            extra_count=len(extra),
            changed_count=sum(kinds.changed for kinds in self.different.values()),
            settled_count=self.settled,
            moving=self._sorted(self.pending)[: self.max_rows],
            moving_count=len(self.pending) + self.unread,
            reason=self._reason(),
        )

    def _sorted(self, keys: Iterable[Key]) -> tuple[Key, ...]:
        return in_order(keys, as_integers=self.pair.source.has_integer_key)

    def _verdict(self) -> Verdict:
        if self.different:
            return Verdict.FAILED
        is_open = self.pending or self.unread or self._reason() or self.found.is_sample
        return Verdict.INCONCLUSIVE if is_open else Verdict.PASSED

    def _reason(self) -> str | None:
        reasons = [self.found.reason]
        if self.pending or self.unread:
            reasons.append(self.reason)
        if self.unread and self.has_begun:
            reasons.append(f"{self.unread:,} rows more than the {MOST_ROWS:,} that are read again differ")
        return "; ".join(filter(None, reasons)) or None
