"""Tests on a live database: they read, or leave nothing but marked rows for as long as they run."""

import pytest

from trueup.db import connect
from trueup.errors import Refused
from trueup.testing.live.fixtures import read_only
from trueup.testing.live.reader import check_reader

READS = """
    import psycopg
    import pytest

    def test_reads(live):
        with live.transaction() as transaction:
            assert transaction.execute("select phone from clients").fetchall() == [("+49",)]

    def test_cannot_write(live):
        with pytest.raises(Exception, match="25006"), live.connection() as connection:
            connection.execute("delete from clients")

    def test_cannot_write_in_a_session_that_it_has_changed(live):
        with pytest.raises(Exception, match="42501"), live.connection() as connection:
            connection.execute("set default_transaction_read_only = off")
            connection.execute("delete from clients")
"""
WRITES = """
    def test_writes(live, make):
        note = make.note()

        assert len(make.made) == 4
        with live.transaction() as transaction:
            transaction.execute("insert into notes (booking_id, text) values (%s, 'of the code')", [note.booking_id])
            assert transaction.execute("select count(*) from notes").fetchone() == (2,)
            assert transaction.execute("select count(*) from trueup.made").fetchone() == (4,)
"""


MORE_READS = """
    import os

    import psycopg

    def test_only_reads(live):
        pass

    def test_writes(live, make):
        make.client()

    def test_reaches(conn):
        psycopg.connect(os.environ["SALON_LIVE"])
"""


def test_reading_is_all_that_a_reader_can_do(live_salon):
    """W-T1: what has to be asked of production is asked read-only, by the session and by the role.

    Tests that would write are skipped, and those that don't ask for the live database can't reach it.
    """
    live_salon.project.makepyfile(test_more=MORE_READS)

    done = live_salon.run(READS, "-v", role="reader")

    done.assert_outcomes(passed=3 + 1, skipped=1, failed=1)
    done.stdout.fnmatch_lines_random(["*::test_writes SKIPPED*", "*::test_reaches FAILED*"])
    assert live_salon.counted("clients") == 1


def test_role_that_could_write_is_refused(live_salon):
    """W-T3: the identity is checked on the connection, not read off an address."""
    done = live_salon.run(READS, role="tester")

    done.assert_outcomes(errors=3)
    done.stdout.fnmatch_lines([
        '*the role "tester" may write to public.bookings, may write to public.clients,*and 3 more*'
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("power", "said"),
    [
        ("grant tester to reader", "may write to public.bookings"),
        ("grant update (phone) on clients to reader", "may write to public.clients"),
        ("grant create on schema public to reader", "may create"),
        ("alter role reader createdb", "may create databases"),
        ("alter role reader superuser", "is a superuser"),
        ("grant truncate on notes to reader", "may write to public.notes"),
    ],
)
def test_every_power_counts(live_salon, power, said):
    """What `live` asks of its connection."""
    with connect(read_only(live_salon.conninfo.with_parameters(user="reader"))) as reader:
        check_reader(reader)
        live_salon.observer.execute(power)

        with pytest.raises(Refused, match=f'the role "reader" .*{said}'):
            check_reader(reader)


def test_rows_of_a_test_that_is_killed_are_found_by_the_journal(live_salon):
    """W-T7: what a crash has left can be cleaned up, whichever machine it was made on."""
    live_salon.run(
        "import os\n\ndef test_dies(live, make):\n    make.booking()\n    os._exit(9)", "--trueup-live-writes"
    )

    assert live_salon.counted("trueup.made") == 3
    assert live_salon.observer.execute(
        "select relation from trueup.made join clients on key[1] = clients.id::text and phone like '+7000%'"
        " and relation = 'public.clients'"
    ).fetchall() == [("public.clients",)]


REFUSED = """
    import pytest

    from trueup.errors import Refused

    CASES = {
        "insert into clients (company_id, phone, level) values (1, '+48', 'new')": "1 rows of public.clients without",
        "update clients set name = 'x' where phone = '+49'": "1 rows of public.clients without its marker",
        "delete from clients where phone = '+49'": "rows of public.clients changed or deleted",
        "update clients set phone = '+70001' where phone = '+49'": "rows of public.clients changed or deleted",
        "create table other (id int); insert into other values (1)": "rows of public.other, of which no contract",
    }

    @pytest.mark.parametrize("statement", CASES)
    @pytest.mark.parametrize("how", ["transaction", "savepoint", "connection"])
    def test_refused(live, make, statement, how):
        make.client()
        with pytest.raises(Refused, match=CASES[statement]):
            if how == "connection":
                with live.connection() as connection:
                    connection.execute(statement)
            else:
                with live.transaction() as transaction:
                    if how == "savepoint":
                        with live.transaction() as transaction:
                            transaction.execute(statement)
                    else:
                        transaction.execute(statement)

    def test_savepoint_of_a_function_counts(live, make):
        with pytest.raises(Refused, match="without its marker"), live.transaction() as transaction:
            make.client()
            transaction.execute(
                "do $$ begin insert into clients (company_id, phone, level) values (1, '+48', 'new');"
                " exception when division_by_zero then null; end $$"
            )

    def test_own_rows_are_changed_and_deleted(live, make):
        first, second = make.batch("client", 2)
        with live.transaction() as transaction:
            transaction.execute("update clients set name = 'x' where id = %s", [first.id])
        with live.transaction() as transaction:
            transaction.execute("delete from clients where id = %s", [second.id])
            with live.transaction() as inner:
                inner.execute("update clients set visits = 3 where id = %s", [first.id])
"""


def test_nothing_else_than_test_data_is_ever_committed_and_nothing_is_left_of_it(live_salon):
    """W-T2, W-T4, W-T10: a real row is neither changed nor deleted, whatever the code under test does.

    W-T11: marked rows are there during the test and gone afterwards, also what the code under test has written.
    """
    live_salon.observer.execute("grant create on schema public to tester")
    live_salon.project.makepyfile(test_reading="def test_reads(live):\n    pass", test_writing=WRITES)

    done = live_salon.run(REFUSED, "--trueup-live-writes", "-v")

    done.assert_outcomes(passed=17 + 1, skipped=1)
    done.stdout.fnmatch_lines(["*::test_reads SKIPPED*"])
    assert live_salon.observer.execute("select phone, name from clients").fetchall() == [("+49", None)]
    assert [live_salon.counted(table) for table in TABLES] == [1, 1, 0, 0, 0]


TABLES = ("companies", "clients", "bookings", "notes", "trueup.made")


def test_neighbour_who_changes_real_rows_meanwhile_is_no_objection(live_salon):
    test = """
    def test_own_row(live, make):
        client = make.client()
        with live.transaction() as transaction:
            transaction.execute("update clients set name = 'x' where id = %s", [client.id])
    """
    neighbour = connect(live_salon.conninfo)
    neighbour.execute("begin; update clients set name = 'y' where phone = '+49'")
    try:
        done = live_salon.run(test, "--trueup-live-writes")
    finally:
        neighbour.close()

    done.assert_outcomes(passed=1)


def test_database_whose_owner_has_not_permitted_it_is_refused(live_salon):
    live_salon.observer.execute("alter database live_salon reset trueup.test_data")

    done = live_salon.run(WRITES, "--trueup-live-writes")

    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*has not permitted test data in it*trueup testdata allow DB*"])
    assert live_salon.counted("clients") == 1


def test_run_without_a_live_database_skips_what_asks_for_it(live_salon):
    both = "def test_reads(live):\n    pass\n\ndef test_writes(live, make):\n    make.client()\n"

    live_salon.run(both, live=False).assert_outcomes(skipped=2)


def test_real_row_that_hangs_on_ours_keeps_everything_and_fails_the_test(live_salon):
    live_salon.observer.execute("create table visits (client_id bigint references clients)")
    live_salon.observer.execute(
        "create function hook() returns trigger language plpgsql security definer as $$ begin"
        " insert into visits values (new.id); return null; end $$;"
        "create trigger hook after insert on clients for each row execute function hook()"
    )

    done = live_salon.run("def test_hooked(live, make):\n    make.client()", "--trueup-live-writes")

    done.stdout.fnmatch_lines(["*rows of public.visits, of which no contract*"])
    assert live_salon.counted("visits") == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--trueup-live=nosuch",), '*no live database is called "nosuch" (known: salon)*'),
        (("--trueup-live-writes",), "*--trueup-live-writes needs --trueup-live NAME*"),
    ],
)
def test_options_that_mean_nothing_are_errors(salon, options, said):
    salon.makepyfile("def test_reads(live):\n    pass")

    done = salon.runpytest_subprocess(*options)

    assert done.ret != 0
    (done.stderr if "needs" in said else done.stdout).fnmatch_lines([said])
