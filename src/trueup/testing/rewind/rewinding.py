"""How a database is brought back: look, delete what is new, put back what is gone, move sequences.

What the last rewind had to put back is put back again before anybody knows whether it has changed, in the message that
asks what was counted: tests that come one after the other mostly write into the same tables, and then all is done in
one exchange. What was counted tells whether that was everything.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

import psycopg

from trueup.testing.rewind.copies import missing, read_copy, write_rows
from trueup.testing.rewind.outcome import Rewound, Unproven
from trueup.testing.rewind.plans import Answer, Change, Plans, Row
from trueup.testing.rewind.state import State, Surroundings, Touched, read_horizon
from trueup.testing.rewind.statements import IMPATIENT, OF_SERVER, vacuum
from trueup.testing.rewind.strangers import Stranger, intruders, run_in_quiet, strangers_of
from trueup.testing.rewind.structure import Table
from trueup.testing.rewind.witness import Witness, changed

MANY_DEAD_ROWS = 5_000
"""From here on a table is vacuumed: every look reads past them."""
FEW_ROWS = 1_000
"""A larger table is read only when it has changed."""
FEW = 16
"""So many tables, and sequences, are put back before it is known that they have changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Is what a look has found: what is around, and where something is, or may be, not as it was."""

    surroundings: Surroundings
    written: str
    catalogs: list[Change]
    tables: list[Table]
    sequences: list[int]
    """Their numbers."""


@dataclass(slots=True, kw_only=True, eq=False)
class Rewinding:
    """Brings the database of `plans` back to `state`; processes in `tolerated` may stay connected, idle.

    Those in `told` have handed in what they have counted, since they last did something.
    """

    plans: Plans
    state: State
    tolerated: Collection[int]
    told: Collection[int] = ()
    is_aged: bool = False
    """Whether what belongs to the baseline was written again, by transactions after its horizon."""
    deleted: Counter[Table] = field(default_factory=Counter)
    restored: Counter[Table] = field(default_factory=Counter)
    left: dict[Table, int] = field(default_factory=dict)
    """How many rows the tables have that lack some."""
    moved: set[int] = field(default_factory=set)
    """The numbers of sequences that were set."""

    def run(self) -> tuple[State, Rewound]:
        """Do it; return the state to come back to the next time, and what was done.

        Raises:
            Unproven: it can't be done, or not be proven.
        """
        sight = self.look()
        self.check_catalogs(sight.catalogs)
        self.check_surroundings(sight.surroundings)
        self.check_built_in(sight.written)
        self.put_back(sight.tables, sight.sequences)
        self.restore()
        if self.is_aged:
            self.look_again()
        self.vacuum()
        return replace(self.state, touched=self.touched()), Rewound(
            deleted=self.deleted.total(),
            restored=self.restored.total(),
            tables=tuple(sorted(str(table) for table in {**self.deleted, **self.restored})),
            sequences=tuple(str(self.plans.structure.sequences[number]) for number in sorted(self.moved)),
        )

    def touched(self) -> Touched:
        """Return where something was put back, as far as it takes no time to look there again."""
        tables = [table for table in {**self.deleted, **self.restored} if self.state.counts[table.number] <= FEW_ROWS]
        return Touched(tables=tuple(tables[:FEW]), sequences=tuple(sorted(self.moved)[:FEW]))

    def is_welcome(self, stranger: Stranger) -> bool:
        """Say whether a session may be there: it was at the baseline, or the caller answers for it."""
        return stranger.identity in self.state.sessions or stranger.pid in self.tolerated

    def look(self) -> Sight:
        """Return what is not as it was, as soon as nobody is at work in the database."""
        then = self.state.witness
        if then is None:
            return self.look_everywhere()
        others, surroundings, witness = self.look_first()
        now = Witness.of(witness)
        is_exact = now.is_comparable(then) and all(other.pid in self.told for other in others)
        sight = self.suspicion(then, now, surroundings) if is_exact else self.look_everywhere()
        self.state = replace(self.state, witness=now)
        return sight

    def look_first(self) -> tuple[list[Stranger], Answer, Answer]:
        """Return who is there, the surroundings and what was counted, as soon as nobody is at work."""
        calls = (self.plans.call("surroundings"), self.plans.call("witness"))
        if self.state.touched != Touched():
            if (found := self.look_and_try(*calls)) is not None:
                return found
            self.state = replace(self.state, touched=Touched())
            self.left.clear()
        others, (surroundings, witness) = run_in_quiet(self.plans, self.is_welcome, *calls)
        return others, surroundings, witness

    def look_and_try(self, *calls: bytes) -> tuple[list[Stranger], Answer, Answer] | None:
        """Look, and put back what the last rewind has put back; None: that says nothing yet.

        It fails by a lock, or because a table is gone; and who is just ending may change the same once more.
        """
        touched = self.state.touched
        guess = self.clearing(touched.tables, touched.sequences)
        try:
            who, surroundings, witness, _, *tried = self.plans.run(self.plans.call("others"), *calls, IMPATIENT, *guess)
        except psycopg.Error:
            return None
        self.take_in(touched.tables, touched.sequences, iter(tried))
        others = strangers_of(who)
        return None if intruders(others, self.is_welcome) else (others, surroundings, witness)

    def suspicion(self, then: Witness, now: Witness, surroundings: Answer) -> Sight:
        """Return where something was counted and nothing was put back yet; the catalogs are as they were."""
        tables, touched = self.plans.structure.tables, self.state.touched
        return Sight(
            surroundings=Surroundings(*surroundings.rows[0]),
            written=self.state.written,
            catalogs=[],
            tables=[tables[n] for n in changed(now.tables, then.tables) if tables[n] not in touched.tables],
            sequences=[n for n in changed(now.sequences, then.sequences) if n not in touched.sequences],
        )

    def look_everywhere(self) -> Sight:
        """Return what is not as it was, after a look at every row."""
        call, state, structure = self.plans.call, self.state, self.plans.structure
        nothing = b"select where false"
        _, (surroundings, written, catalogs, tables, sequences) = run_in_quiet(
            self.plans,
            self.is_welcome,
            call("surroundings"),
            call("written"),
            call("catalogs", state.horizon, state.database_rows, state.server_rows),
            call("tables", state.horizon, state.counts) if structure.tables else nothing,
            call("sequences", *zip(*state.positions, strict=True)) if structure.sequences else nothing,
        )
        return Sight(
            surroundings=Surroundings(*surroundings.rows[0]),
            written=written.rows[0][0],
            catalogs=Change.of(catalogs),
            tables=[structure.tables[change.number] for change in Change.of(tables)],
            sequences=[int(number) for number, *_ in sequences.rows],
        )

    def look_again(self) -> None:
        """Take what was put back for what was always there, after a look that finds nothing else."""
        self.state = replace(self.state, horizon=read_horizon(self.plans))
        sight = self.look_everywhere()
        if sight.catalogs or sight.tables or sight.sequences:
            raise Unproven("something else was changed while rows were put back")

    def check_surroundings(self, now: Surroundings) -> None:
        """Raise where something outside of the tables was changed."""
        then = self.state.surroundings
        if now == then:
            return
        if now.prepared != "0":
            raise Unproven("a prepared transaction is open")
        if now.configuration != then.configuration:
            raise Unproven("the server's configuration was changed or read again", is_server_wide=True)
        if now.slots != then.slots:
            raise Unproven("a replication slot was created or dropped", is_server_wide=True)

    def check_built_in(self, written: str) -> None:
        """Raise where what initdb made was changed."""
        if self.plans.is_counted and written == self.state.written:
            return
        # Since the very beginning: the statistics of a session that stays may come later than rows that were put back.
        if self.plans.run(self.plans.call("initdb", self.state.taken, self.state.initdb_rows))[0].rows:
            raise Unproven("a built-in object was changed: its privileges, its comment or its definition")
        self.state = replace(self.state, written=written)

    def check_catalogs(self, changes: list[Change]) -> None:
        """Raise where the structure was changed; where the files of tables are is no part of it."""
        for change in changes:
            is_server_wide = change.number == OF_SERVER
            news = self.plans.run(self.plans.call("news", self.state.horizon))[0].rows
            if is_server_wide or change.rows != self.state.database_rows or not self.is_moved_file(news):
                raise Unproven(described(news, is_server_wide=is_server_wide), is_server_wide=is_server_wide)
            self.is_aged = True

    def is_moved_file(self, news: list[Row]) -> bool:
        """Say whether only the places of files have changed, as TRUNCATE changes them."""
        digest, built_in = self.plans.run(self.plans.call("classes", self.state.horizon))[0].rows[0]
        return [name for name, *_ in news] == ["pg_class"] and (digest, built_in) == (self.state.classes, "0")

    def put_back(self, tables: Collection[Table], sequences: Collection[int]) -> None:
        """Make sequences what they were, and tables but for rows that are gone, or raise."""
        if calls := self.clearing(tables, sequences):
            self.take_in(tables, sequences, iter(self.plans.run(*calls)))

    def clearing(self, tables: Collection[Table], sequences: Collection[int]) -> list[bytes]:
        """Return the calls that delete new rows and set sequences; a table where nothing can be is only looked at."""
        plans, state = self.plans, self.state
        calls = []
        for table in tables:
            if table.is_fixed:
                calls.append(plans.glance(table, state.horizon))
            else:
                calls += [plans.delete_new(table, state.horizon), plans.rest(table)]
        return calls + [plans.set_position(number, state.positions[number]) for number in sequences]

    def take_in(self, tables: Collection[Table], sequences: Collection[int], answers: Iterator[Answer]) -> None:
        """Note what those calls have done and found."""
        for table in tables:
            if not table.is_fixed and (rows := next(answers).count):
                self.deleted[table] += rows
            [change] = Change.of(next(answers))
            if change.is_new or change.rows != self.state.counts[table.number]:
                self.check_writable(table)
                self.left[table] = change.rows
        self.moved.update(number for number in sequences if next(answers).rows)

    def check_writable(self, table: Table) -> None:
        """Raise where a changed table can't be brought back."""
        if table.is_guarded:
            raise Unproven(f"{table} was changed, and a trigger or rule on it fires even while rewinding")
        if table.is_view:
            raise Unproven(f"the materialised view {table} was refreshed")

    def restore(self) -> None:
        """Put back what is gone of tables, in one transaction."""
        if not self.left:
            return
        with self.plans.connection.transaction():
            for table, rows in self.left.items():
                whole, wanted = self.state.copies.get(table.number), self.state.counts[table.number]
                if whole is None or rows > wanted:
                    raise Unproven(f"rows of {table} were changed, and it is too large to keep a copy of it")
                kept = read_copy(self.plans.connection, table, self.state.horizon) if rows else b""
                self.restored[table] = write_rows(self.plans.connection, table, missing(whole, kept))
                if rows + self.restored[table] != wanted:
                    raise Unproven(f"{table} has not the rows it had")
        self.is_aged = True

    def vacuum(self) -> None:
        """Forget the dead rows of tables that have many."""
        self.plans.dead.update(self.deleted)
        for table, rows in list(self.plans.dead.items()):
            if rows > MANY_DEAD_ROWS:
                self.plans.connection.execute(vacuum(table))
                del self.plans.dead[table]


def described(news: list[Row], *, is_server_wide: bool) -> str:
    """Return what was changed in the catalogs of the database, or in those of the server."""
    where = "the server" if is_server_wide else "the structure"
    mine = [(catalog, example) for catalog, is_of_server, example in news if (is_of_server == "t") == is_server_wide]
    if not mine:
        return f"{where} was changed: something was dropped or revoked, or a comment was taken away"
    examples = sorted({example for _, example in mine if example})[:3]
    catalogs = ", ".join(catalog for catalog, _ in mine)
    return (
        f"{where} was changed: {', '.join(examples)} ({catalogs})" if examples else f"{where} was changed: {catalogs}"
    )
