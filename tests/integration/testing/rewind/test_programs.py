"""Random programs of statements: afterwards the database is as it was, or it was said that it is not."""

from dataclasses import dataclass

import psycopg
from hypothesis import given
from hypothesis import strategies as st
from tests.integration.testing.rewind.conftest import content, mark_of

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.servers import EmbeddedServer
from trueup.testing.rewind import Baseline, NotRewound

KEYS = st.integers(1, 25)
TABLES = st.sampled_from(
    [
        "companies",
        "clients",
        "staff",
        "bookings",
        "bookings_2026",
        "parents",
        "children",
        "notes",
        "scratch",
        "flags",
        "secrets",
        "log",
    ]
)
SEQUENCES = st.sampled_from(["tickets", "untouched", "clients_id_seq", "staff_id_seq", "companies_id_seq"])
WORDS = st.sampled_from(["''", "'x'", "null", "E'\\n\\t'", "'\\N'", "'ä'", "repeat('y', 9000)"])


def built(pattern: str, **parts: st.SearchStrategy[object]) -> st.SearchStrategy[str]:
    """Return statements of one pattern."""
    return st.builds(pattern.format, **parts)


ROWS = st.one_of(
    built("insert into companies (title) values ({word} || {key})", word=WORDS, key=KEYS),
    built("insert into clients (company_id, phone) values ({key} % 4, {word})", key=KEYS, word=WORDS),
    built("insert into clients (company_id, referrer_id) values ({key} % 4, {of})", key=KEYS, of=KEYS),
    built("insert into clients (id, company_id) values ({key} + 15, 1)", key=KEYS),
    built("insert into staff (company_id, best_client_id) values ({key} % 4, {of})", key=KEYS, of=KEYS),
    built("insert into bookings (starts_at) values (date '2025-01-01' + {key} * 30)", key=KEYS),
    built("insert into {table} select * from notes", table=st.sampled_from(["notes", "parents", "log (what)"])),
    built("insert into notes values ({word}), ({word})", word=WORDS),
    built("update clients set phone = {word}, score = score where id < {key}", word=WORDS, key=KEYS),
    built("update clients set id = id + {key} where id = {of}", key=KEYS, of=KEYS),
    built("update companies set title = title where id = {key} % 4", key=KEYS),
    built("update staff set best_client_id = {key}", key=KEYS),
    built("update bookings set starts_at = starts_at + interval '1 year' * ({key} % 2)", key=KEYS),
    built("update notes set body = {word} where body = 'same'", word=WORDS),
    built("delete from {table}", table=TABLES),
    built("delete from clients where id = {key}", key=KEYS),
    built("delete from companies where id = {key} % 4", key=KEYS),
    built("truncate {table} cascade", table=TABLES),
    built("truncate {table} restart identity cascade", table=TABLES),
    built("select nextval('{sequence}')", sequence=SEQUENCES),
    built("select setval('{sequence}', {key}, {called})", sequence=SEQUENCES, key=KEYS, called=st.booleans()),
    built("vacuum ({how}) {table}", how=st.sampled_from(["full", "freeze", "analyze"]), table=TABLES),
    st.just("create temporary table if not exists temp_notes as select * from notes"),
)  # fmt: skip
STRUCTURE = st.one_of(
    st.sampled_from(
        [
            "create table more (n int)", "drop table if exists more", "drop view phones",
            "alter table notes add extra int", "alter table notes drop extra", "create index on notes (body)",
            "alter sequence tickets restart 70", "refresh materialized view titles", "select lo_create(0)",
            "select lo_unlink(loid) from pg_largeobject", "comment on table notes is 'x'",
            "comment on table notes is null", "drop policy nobody on secrets",
            "grant select on log to public", "revoke all on log from public", "drop trigger logged on notes",
            "alter table notes disable trigger all", "alter table notes enable trigger all",
            "alter table clients alter score type real", "alter table companies alter title drop not null",
            "create or replace view phones as select phone from clients where id < 3", "alter table scratch set logged",
            "create function one() returns int return 1", "insert into guarded values (3)", "update guarded set n = n",
        ]
    )
)  # fmt: skip
CONTROL = st.sampled_from(
    ["begin", "commit", "rollback", "savepoint s", "rollback to s", "release s", "set constraints all deferred"]
)


@dataclass(frozen=True, slots=True)
class Step:
    """Is one statement on one of two connections."""

    connection: int
    statement: str


def programs() -> st.SearchStrategy[list[Step]]:
    """Return programs; one in five may change the structure."""
    plain = st.builds(Step, st.integers(0, 1), st.one_of(ROWS, ROWS, ROWS, CONTROL))
    any_kind = st.builds(Step, st.integers(0, 1), st.one_of(ROWS, STRUCTURE, CONTROL))
    return st.one_of(*[st.lists(plain, max_size=12)] * 4, st.lists(any_kind, max_size=8))


class Arena:
    """Holds a database with its baseline; it is replaced when it could not be rewound."""

    def __init__(self, server: EmbeddedServer, template: ConnInfo) -> None:
        self.server = server
        self.template = template.parameters["dbname"]
        self.used = 0
        self.undone = 0
        """How many programs had changed something that was put back."""
        self.baseline: Baseline | None = None

    def baseline_of(self) -> Baseline:
        """Return a baseline of a database in its first state."""
        if self.baseline is None:
            self.used += 1
            self.conninfo = self.server.create_database(f"{self.template}_{self.used}", template=self.template)
            self.before, self.mark = content(self.conninfo), mark_of(self.conninfo)
            self.baseline = Baseline.take(self.conninfo)
        return self.baseline

    def discard(self) -> None:
        """Throw the database away."""
        if self.baseline:
            self.baseline.close()
            self.server.drop_database(self.conninfo.parameters["dbname"])
        self.baseline = None


def execute(conninfo: ConnInfo, program: list[Step]) -> None:
    """Run a program on two connections; a statement that fails or waits too long is part of it."""
    connections = [connect(conninfo), connect(conninfo)]
    for connection in connections:
        connection.execute("set lock_timeout = '5ms'")
    for step in program:
        try:
            connections[step.connection].execute(step.statement.encode(), prepare=False)
        except psycopg.Error:
            continue
    for connection in connections:
        connection.close()


def test_random_program_is_undone_or_answered(server: EmbeddedServer, filled: ConnInfo) -> None:
    arena = Arena(server, filled)

    @given(program=programs())
    def check(program: list[Step]) -> None:
        baseline = arena.baseline_of()
        execute(arena.conninfo, program)

        outcome = baseline.rewind()

        if isinstance(outcome, NotRewound):
            arena.discard()
        else:
            arena.undone += bool(outcome.tables)
            assert content(arena.conninfo) == arena.before
            assert mark_of(arena.conninfo) == arena.mark

    try:
        check()
    finally:
        arena.discard()
    assert arena.undone > arena.used
