"""What is known of a comparison so far, part by part, so that one that is stopped can still say what it found."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256

from trueup.errors import Refused
from trueup.parity.data.model import TableComparison
from trueup.parity.data.pairing.pairs import TablePair, Unpaired
from trueup.parity.data.pairing.span import ALL_ROWS, Span
from trueup.parity.data.reading.union import merged
from trueup.parity.data.sides.lockstep import Lockstep
from trueup.parity.data.sides.moment import Moments, moments
from trueup.report.model import Verdict

LISTS = ("missing", "extra", "changed")


@dataclass(slots=True, kw_only=True)
class Account:
    """Is what is known of one table."""

    table: str
    digest: str
    """Of how it is read: its structure and the options."""
    spans: tuple[Span, ...] = ()
    """Of its segments; empty where it was not begun."""
    parts: dict[int, TableComparison] = field(default_factory=dict)
    """By the number of the segment."""

    @property
    def is_complete(self) -> bool:
        """Return whether every segment was compared."""
        return bool(self.spans) and len(self.parts) == len(self.spans)

    def add(self, number: int, part: TableComparison, *, room: int) -> None:
        """Take in the comparison of a segment; of each kind of difference the table lists as much as there is room."""
        left = {kind: max(0, room - sum(len(getattr(one, kind)) for one in self.parts.values())) for kind in LISTS}
        self.parts[number] = replace(part, **{kind: getattr(part, kind)[: left[kind]] for kind in LISTS})

    @property
    def listed(self) -> int:
        """Return how many rows it lists."""
        return sum(len(getattr(part, kind)) for part in self.parts.values() for kind in LISTS)

    def comparison(self, stopped: str, *, max_rows: int) -> TableComparison:
        """Return what was found, and how far it came if it was stopped."""
        parts = [self.parts[number] for number in sorted(self.parts)]
        if self.is_complete:
            return merged(parts, max_rows=max_rows)
        if not parts:
            reason = f"not compared: {stopped}"
            return TableComparison(table=self.table, verdict=Verdict.INCONCLUSIVE, reason=reason, is_stopped=True)
        found = merged(parts, max_rows=max_rows)
        return replace(
            found,
            verdict=Verdict.FAILED if found.verdict is Verdict.FAILED else Verdict.INCONCLUSIVE,
            reason=f"compared in part, {len(parts)} of {len(self.spans)} segments: {stopped}",
            is_stopped=True,
        )


class Ledger:
    """Holds the accounts of all tables of one comparison."""

    def __init__(
        self,
        *,
        on_open: Callable[[Moments, datetime], None] | None = None,
        on_change: Callable[[str, int], None] | None = None,
    ) -> None:
        self.accounts: dict[str, Account] = {}
        self.stopped = "it was interrupted"
        """Why tables are open that are."""
        self.is_kept = on_change is not None
        """Whether somebody remembers what is finished, so that tables are better compared in parts."""
        self._max_rows = self._most_rows = self._listed = 0
        self._on_open, self._on_change = on_open, on_change

    def open(self, pairs: Iterable[TablePair | Unpaired], *, max_rows: int, most_rows: int = 0) -> None:
        """Begin with these tables, or go on with them; list `most_rows` of all together, or `max_rows` of each.

        Raises:
            Refused: what is known already is of other tables, or of tables that were read otherwise.
        """
        limits = (max_rows, most_rows)
        accounts = {str(pair.table): Account(table=str(pair.table), digest=digest(pair, limits)) for pair in pairs}
        if self.accounts:
            _hold_against(self.accounts, accounts)
            accounts = {name: self.accounts[name] for name in accounts}
        self.accounts, (self._max_rows, self._most_rows) = accounts, limits
        self._listed = sum(account.listed for account in accounts.values())

    def meet(self, both: Lockstep) -> None:
        """Take note of the databases, where it is kept.

        Raises:
            Refused: what is known already is of others.
        """
        if self._on_open:
            self._on_open(moments(both), datetime.now(UTC))

    @property
    def is_complete(self) -> bool:
        """Return whether every table was compared."""
        return bool(self.accounts) and all(one.is_complete for one in self.accounts.values())

    def plan(self, pair: TablePair | Unpaired, spans: Sequence[Span] = (ALL_ROWS,)) -> None:
        """Note the segments of a table."""
        self.accounts[str(pair.table)].spans = tuple(spans)

    def add(self, pair: TablePair | Unpaired, number: int, part: TableComparison) -> None:
        """Note what was found in a segment."""
        account = self.accounts[str(pair.table)]
        self._listed -= account.listed
        account.add(number, part, room=self.room)
        self._listed += account.listed
        if self._on_change:
            self._on_change(account.table, number)

    def comparisons(self) -> tuple[TableComparison, ...]:
        """Return one comparison a table, in the order of the tables, however far it came.

        Where rows that differ are to be read again, nobody knows of any whether it does.
        """
        found = self.first_reading()
        return tuple(self._not_read_again(one) for one in found) if self._most_rows else found

    def first_reading(self) -> tuple[TableComparison, ...]:
        """Return the same before any row is read again."""
        limit = max(self._max_rows, self._most_rows)
        return tuple(one.comparison(self.stopped, max_rows=limit) for one in self.accounts.values())

    def _not_read_again(self, found: TableComparison) -> TableComparison:
        is_of_one_side = None in {found.source_rows, found.target_rows}
        if not found.differing or is_of_one_side:
            return found
        keys = dict.fromkeys((*found.missing, *found.extra, *(row.key for row in found.changed)))
        reason = found.reason or f"compared, but rows that differ were not read again: {self.stopped}"
        return replace(
            found,
            verdict=Verdict.INCONCLUSIVE,
            missing=(),
            extra=(),
            changed=(),
            missing_count=0,
            extra_count=0,
            changed_count=0,
            moving=tuple(keys)[: self._max_rows],
            moving_count=found.differing,
            reason=reason,
            is_stopped=True,
        )

    @property
    def room(self) -> int:
        """Return how many rows of each kind the next segment may list."""
        return max(self._max_rows, self._most_rows - self._listed)


def digest(pair: TablePair | Unpaired, limits: tuple[int, int]) -> str:
    """Return what stands for how a table is read; it tells no name and no value."""
    return sha256(repr((pair, limits)).encode()).hexdigest()


def _hold_against(known: dict[str, Account], wanted: dict[str, Account]) -> None:
    if known.keys() != wanted.keys():
        others = ", ".join(sorted(known.keys() ^ wanted.keys()))
        raise Refused(f"what was kept is of other tables: {others} {_are(others)} not in both")
    if changed := [name for name in wanted if known[name].digest != wanted[name].digest]:
        raise Refused(
            f"what was kept was compared in another way: the structure or the options changed for {', '.join(changed)}"
        )


def _are(names: str) -> str:
    return "are" if "," in names else "is"
