"""How a database is brought back: look, delete what is new, put back what is gone, move sequences."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from itertools import islice

from trueup.testing.rewind.copies import missing, read_copy, write_rows
from trueup.testing.rewind.outcome import Rewound, Unproven
from trueup.testing.rewind.plans import Answer, Change, Plans, Row
from trueup.testing.rewind.state import State, Surroundings, read_horizon
from trueup.testing.rewind.statements import OF_SERVER, set_positions, vacuum
from trueup.testing.rewind.strangers import Stranger, run_in_quiet
from trueup.testing.rewind.structure import Table
from trueup.testing.rewind.witness import Witness, changed

MANY_DEAD_ROWS = 5_000
"""From here on a table is vacuumed: every look reads past them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Is what a look has found: what is around, and what is not as it was."""

    surroundings: Surroundings
    catalogs: list[Change]
    tables: list[Change]
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

    def run(self) -> tuple[State, Rewound]:
        """Do it; return the state to come back to the next time, and what was done.

        Raises:
            Unproven: it can't be done, or not be proven.
        """
        sight = self.look()
        self.check_catalogs(sight.catalogs)
        self.check_surroundings(sight.surroundings)
        self.put_back(sight.tables, sight.sequences)
        if self.is_aged:
            self.look_again()
        self.vacuum()
        return self.state, Rewound(
            deleted=self.deleted.total(),
            restored=self.restored.total(),
            tables=tuple(sorted(str(table) for table in {**self.deleted, **self.restored})),
            sequences=tuple(str(self.plans.structure.sequences[number]) for number in sight.sequences),
        )

    def is_welcome(self, stranger: Stranger) -> bool:
        """Say whether a session may be there: it was at the baseline, or the caller answers for it."""
        return stranger.identity in self.state.sessions or stranger.pid in self.tolerated

    def look(self) -> Sight:
        """Return what is not as it was, as soon as nobody is at work in the database."""
        then = self.state.witness
        if then is None:
            return self.look_everywhere()
        call = self.plans.call
        others, answers = run_in_quiet(self.plans, self.is_welcome, call("surroundings"), call("witness"))
        now = Witness.of(answers[1])
        is_exact = now.is_comparable(then) and all(other.pid in self.told for other in others)
        sight = self.look_closer(then, now, answers[0]) if is_exact else self.look_everywhere()
        self.state = replace(self.state, witness=now)
        return sight

    def look_closer(self, then: Witness, now: Witness, surroundings: Answer) -> Sight:
        """Return what is not as it was, after a look where something was counted."""
        plans, state = self.plans, self.state
        tables = [plans.structure.tables[number] for number in changed(now.tables, then.tables)]
        sequences = changed(now.sequences, then.sequences)
        calls = [plans.glance(table, state.horizon) for table in tables]
        calls += [plans.position(number, state.positions[number]) for number in sequences]
        answers = iter(plans.run(*calls) if calls else ())
        found = [change for answer in islice(answers, len(tables)) for change in Change.of(answer)]
        moved = [int(number) for answer in answers for number, *_ in answer.rows]
        return Sight(
            surroundings=Surroundings(*surroundings.rows[0]),
            catalogs=[],
            tables=[each for each in found if each.is_new or each.rows != state.counts[each.number]],
            sequences=moved,
        )

    def look_everywhere(self) -> Sight:
        """Return what is not as it was, after a look at every row."""
        call, state, structure = self.plans.call, self.state, self.plans.structure
        nothing = b"select where false"
        _, (surroundings, catalogs, tables, sequences) = run_in_quiet(
            self.plans,
            self.is_welcome,
            call("surroundings"),
            call("catalogs", state.horizon, state.database_rows, state.server_rows),
            call("tables", state.horizon, state.counts) if structure.tables else nothing,
            call("sequences", *zip(*state.positions, strict=True)) if structure.sequences else nothing,
        )
        return Sight(
            surroundings=Surroundings(*surroundings.rows[0]),
            catalogs=Change.of(catalogs),
            tables=Change.of(tables),
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
        # Since the very beginning: the statistics of a session that stays may come later than rows that were put back.
        if self.plans.run(self.plans.call("initdb", self.state.taken, self.state.initdb_rows))[0].rows:
            raise Unproven("a built-in object was changed: its privileges, its comment or its definition")
        self.state = replace(self.state, surroundings=now)

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

    def put_back(self, changes: list[Change], sequences: list[int]) -> None:
        """Make tables and sequences what they were, or raise."""
        tables = self.plans.structure.tables
        for change in changes:
            self.check_writable(tables[change.number])
        self.undo([tables[change.number] for change in changes if change.is_new], sequences)
        left = {tables[change.number]: change.rows - self.deleted[tables[change.number]] for change in changes}
        self.restore({table: rows for table, rows in left.items() if rows != self.state.counts[table.number]})

    def check_writable(self, table: Table) -> None:
        """Raise where a changed table can't be brought back."""
        if table.is_guarded:
            raise Unproven(f"{table} was changed, and a trigger or rule on it fires even while rewinding")
        if table.is_view:
            raise Unproven(f"the materialised view {table} was refreshed")

    def undo(self, tables: list[Table], sequences: list[int]) -> None:
        """Delete the new rows of tables and set sequences, in one transaction."""
        structure, state = self.plans.structure, self.state
        calls = [self.plans.delete_new(table, state.horizon) for table in tables]
        if sequences:
            calls.append(set_positions([(structure.sequences[n], state.positions[n]) for n in sequences]))
        if calls:
            answers = self.plans.run(*calls)
            self.deleted.update({table: answer.count for table, answer in zip(tables, answers, strict=False)})
            self.plans.dead.update(self.deleted)

    def restore(self, left: dict[Table, int]) -> None:
        """Put back what is gone of tables, in one transaction; `left` are the rows that each still has."""
        if not left:
            return
        with self.plans.connection.transaction():
            for table, rows in left.items():
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
