"""The sample is what it is documented to be, and its damage is exactly what is listed."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composable, Identifier

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.db.connection import Connection
from trueup.errors import Unverifiable
from trueup.servers import EmbeddedServer
from trueup.verify.sample import DAMAGES, Damage, build_sample, datasets, plant
from trueup.verify.sample.damage import Trace

Servers = tuple[EmbeddedServer, EmbeddedServer]
Sides = tuple[ConnInfo, ConnInfo]


@pytest.fixture(scope="module", params=["16 to 18", "18 to 16"])
def servers(request: pytest.FixtureRequest, server16: EmbeddedServer, server18: EmbeddedServer) -> Servers:
    return (server16, server18) if request.param == "16 to 18" else (server18, server16)


@dataclass(frozen=True)
class Beside:
    """Is a server on which the sample gets another name, because the name is taken."""

    server: EmbeddedServer

    @property
    def version(self) -> int:
        return self.server.version

    @property
    def bin_folder(self) -> Path:
        return self.server.bin_folder

    def create_database(self, name: str) -> ConnInfo:
        return self.server.create_database(f"{name}_beside")


@contextmanager
def built_beside(servers: Servers, **options: Any) -> Iterator[Sides]:
    yield build_sample(*map(Beside, servers), **options)
    for server in servers:
        server.drop_database("sample_beside")


@pytest.fixture(scope="module")
def sides(servers: Servers) -> Iterator[Sides]:
    """Return both sides, the same; a test that damages one works on a clone."""
    yield build_sample(*servers)
    for server in servers:
        server.drop_database("sample")


@pytest.fixture(scope="module")
def drifted(servers: Servers, sides: Sides) -> Iterator[Sides]:
    clone = servers[1].create_database("sample_drifted", template="sample")
    plant(clone)
    yield sides[0], clone
    servers[1].drop_database("sample_drifted")


def dumped(conninfo: ConnInfo, server18: EmbeddedServer) -> Counter[str]:
    """Return structure, rows and sequences of a database as lines of SQL, without the dump's own remarks."""
    command = [server18.bin_folder / "pg_dump", "--column-inserts", "-d", conninfo.reveal()]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return Counter(line for line in text.splitlines() if line and not line.startswith(("--", "\\", "SET ")))


@pytest.fixture(scope="module")
def source_lines(sides: Sides, server18: EmbeddedServer) -> Counter[str]:
    return dumped(sides[0], server18)


@pytest.fixture(scope="module")
def drifted_lines(drifted: Sides, server18: EmbeddedServer) -> Counter[str]:
    return dumped(drifted[1], server18)


def documented_rows() -> dict[str, int]:
    counts = {}
    for dataset in datasets():
        readme = (dataset.schema.parent / "README.md").read_text(encoding="utf-8")
        for table, rows in re.findall(r"\| (\w+) \| ([\d,]+) \|", readme):
            counts[f"{dataset.name}.{table}"] = int(rows.replace(",", ""))
    return counts


def counted_rows(conninfo: ConnInfo) -> dict[str, int]:
    tables = [(dataset.name, table) for dataset in datasets() for table, _ in dataset.tables]
    with connect(conninfo) as connection:
        counts = [connection.execute(SQL("select count(*) from {}").format(Identifier(*name))) for name in tables]
        return {".".join(name): (count.fetchone() or (None,))[0] for name, count in zip(tables, counts, strict=True)}


def test_both_sides_hold_the_documented_rows(sides: Sides) -> None:
    source, target = map(counted_rows, sides)

    assert source == documented_rows()
    assert target == documented_rows()


def test_nothing_differs_after_the_move(source_lines: Counter[str], sides: Sides, server18: EmbeddedServer) -> None:
    target_lines = dumped(sides[1], server18)

    assert source_lines.total() > 70_000
    assert source_lines - target_lines == Counter()
    assert target_lines - source_lines == Counter()


def test_sequences_stand_at_the_last_id(sides: Sides) -> None:
    """M-22: sequences are moved along with the rows."""
    for side in sides:
        with connect(side) as connection:
            found = connection.execute(
                "select table_schema, table_name, column_name,"
                " pg_get_serial_sequence(table_schema || '.' || table_name, column_name)"
                " from information_schema.columns where is_identity = 'YES'"
            ).fetchall()
            behind = [name for *place, name in found if not stands_at_the_last_id(connection, *place, name)]
        assert len(found) == 10
        assert behind == []


def stands_at_the_last_id(connection: Connection, schema: str, table: str, column: str, sequence: str) -> bool:
    query = SQL("select (select max({}) from {}) = last_value and is_called from {}").format(
        Identifier(column), Identifier(schema, table), Identifier(*sequence.split("."))
    )
    return connection.execute(query).fetchone() == (True,)


def test_drifted_differs_by_the_documented_damage_alone(
    source_lines: Counter[str], drifted_lines: Counter[str]
) -> None:
    flight = (
        "INSERT INTO flights.flight (flight_date, carrier, flight, origin, dest, tailnum, sched_dep_time, dep_time,"
        " dep_delay, sched_arr_time, arr_time, arr_delay, air_time, distance, time_hour, cancelled) VALUES"
        " ('2013-01-01', 'UA', 1545, 'EWR', 'IAH', 'N14228', '05:15:00', '05:17:00', 2, '08:19:00', '08:30:00', 11,"
        " '03:47:00', 1400, '2013-01-01 {}:00:00+00', false);"
    )
    customer = (
        "INSERT INTO chinook.customer (customer_id, first_name, last_name, company, address, city, state, country,"
        " postal_code, phone, fax, email, support_rep_id) VALUES (3, 'François', 'Tremblay', {}, '1498 rue Bélanger',"
        " 'Montréal', 'QC', 'Canada', 'H2G 1A7', '+1 (000) 000-0019', NULL, 'ftremblay@gmail.example', 3);"
    )
    invoice = (
        "INSERT INTO chinook.invoice (invoice_id, customer_id, invoice_date, billing, total) VALUES (3, 8,"
        ' \'2007-01-03\', \'{{"city": "Brussels", "address": "Grétrystraat 63", "country": "Belgium",'
        ' "postal_code": "1000"}}\', {});'
    )

    assert sorted(source_lines - drifted_lines) == sorted(
        [
            "INSERT INTO chinook.artist (artist_id, name) VALUES (2, 'Accept');",
            "INSERT INTO chinook.playlist_track (playlist_id, track_id) VALUES (1, 3402);",
            customer.format("NULL"),
            flight.format("10"),
            invoice.format("5.94"),
            "    title text NOT NULL,",
            "    cancelled boolean DEFAULT false NOT NULL,",
            "ALTER TABLE ONLY chinook.employee",
            "    ADD CONSTRAINT employee_email_key UNIQUE (email);",
            "SELECT pg_catalog.setval('chinook.invoice_invoice_id_seq', 412, true);",
        ]
    )
    assert sorted(drifted_lines - source_lines) == sorted(
        [
            "INSERT INTO chinook.artist (artist_id, name) VALUES (2, 'Accept (Germany)');",
            "INSERT INTO flights.airline (carrier, name) VALUES ('ZZ', 'Test Airline');",
            customer.format("''"),
            flight.format("05"),
            invoice.format("6.00"),
            "    title character varying(160) NOT NULL,",
            "    cancelled boolean DEFAULT true NOT NULL,",
            "SELECT pg_catalog.setval('chinook.invoice_invoice_id_seq', 1, true);",
        ]
    )


def test_drifted_sample_is_built_with_the_same_damage(
    servers: Servers, source_lines: Counter[str], drifted_lines: Counter[str], server18: EmbeddedServer
) -> None:
    phases: list[str] = []

    @contextmanager
    def phase(name: str) -> Iterator[None]:
        yield
        phases.append(name)

    with built_beside(servers, drifted=True, on_phase=phase) as both:
        source, target = (dumped(side, server18) for side in both)

    assert source == source_lines
    assert target == drifted_lines
    assert phases == ["build the source", "move it to the target", "damage the target"]


def named(damage: Damage) -> str:
    return damage.name


def row_of(side: ConnInfo, damage: Damage) -> dict[str, Any] | None:
    """Return the damaged row, found by the text of its primary key in the order of the key."""
    table = damage.expected.object
    with connect(side) as connection:
        key = connection.execute(
            "select attname from pg_index, unnest(indkey) with ordinality as k(attnum, place)"
            " join pg_attribute a using (attnum) where indrelid = %s::regclass and indisprimary"
            " and a.attrelid = indrelid order by place",
            [table],
        ).fetchall()
        condition: Composable = SQL(" and ").join(SQL("{}::text = %s").format(Identifier(name)) for (name,) in key)
        query = SQL("select * from {} where {}").format(Identifier(*table.split(".")), condition)
        return connection.cursor(row_factory=dict_row).execute(query, damage.expected.key).fetchone()


@pytest.mark.parametrize("damage", [d for d in DAMAGES if d.expected.key], ids=named)
def test_damaged_row_shows_what_is_expected_of_it(damage: Damage, drifted: Sides) -> None:
    before, after = (row_of(side, damage) for side in drifted)

    match damage.expected.trace:
        case Trace.MISSING:
            assert before
            assert after is None
        case Trace.EXTRA:
            assert before is None
            assert after
        case _:
            assert before
            assert after
            assert tuple(column for column in before if before[column] != after[column]) == damage.expected.columns


@pytest.mark.parametrize("damage", [d for d in DAMAGES if d.expected.trace is Trace.COLUMN], ids=named)
def test_damaged_column_shows_what_is_expected_of_it(damage: Damage, drifted: Sides) -> None:
    query = (
        "select format_type(atttypid, atttypmod) as type, pg_get_expr(adbin, adrelid) as default, attnotnull"
        " from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum"
        " where attrelid = %s::regclass and attname = %s"
    )
    found = []
    for side in drifted:
        with connect(side) as connection:
            table, _, column = damage.expected.object.rpartition(".")
            found.append(connection.cursor(row_factory=dict_row).execute(query, [table, column]).fetchone())
    before, after = found

    assert before
    assert after
    assert [fact for fact in before if before[fact] != after[fact]] == [damage.expected.change]


@pytest.mark.parametrize("damage", [d for d in DAMAGES if d.expected.trace is Trace.CONSTRAINT], ids=named)
def test_damaged_constraint_is_in_the_source_only(damage: Damage, drifted: Sides) -> None:
    table, _, constraint = damage.expected.object.rpartition(".")
    found = []
    for side in drifted:
        with connect(side) as connection:
            query = "select contype from pg_constraint where conrelid = %s::regclass and conname = %s"
            found.append(connection.execute(query, [table, constraint]).fetchone())

    assert found == [("u",), None]


@pytest.mark.parametrize("damage", [d for d in DAMAGES if d.expected.trace is Trace.SEQUENCE], ids=named)
def test_damaged_sequence_is_behind_its_rows_in_the_target_only(damage: Damage, drifted: Sides) -> None:
    behind = []
    for side in drifted:
        with connect(side) as connection:
            query = SQL("select (select last_value from {}) < (select max(invoice_id) from chinook.invoice)")
            row = connection.execute(query.format(Identifier(*damage.expected.object.split(".")))).fetchone()
            behind.append(row)

    assert behind == [(False,), (True,)]


def test_damage_that_hits_nothing_is_an_error_and_plants_nothing(servers: Servers, sides: Sides) -> None:
    clone = servers[1].create_database("sample_wrong", template="sample")
    try:
        with connect(clone) as connection:
            connection.execute("delete from chinook.invoice_line where invoice_id = 3")
            connection.execute("delete from chinook.invoice where invoice_id = 3")

        with pytest.raises(Unverifiable, match="'numeric rounded' hit 0 rows"):
            plant(clone)

        with connect(clone) as connection:
            assert connection.execute("select name from chinook.artist where artist_id = 2").fetchone() == ("Accept",)
    finally:
        servers[1].drop_database("sample_wrong")


def test_other_data_sets_in_the_same_layout_are_used(servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "flights").symlink_to(datasets()[1].schema.parent)

    with built_beside(servers, folder=tmp_path) as (_, target), connect(target) as connection:
        found = connection.execute(
            "select nspname from pg_namespace where nspname in ('chinook', 'flights')"
        ).fetchall()

    assert found == [("flights",)]
