"""The SQL that looks at a table before its rows are read: how large it is, where its keys lie. Does no I/O."""

from psycopg import sql

from trueup.parity.data.hashing.expressions import column, comma, int8, key_text
from trueup.parity.data.hashing.selection import conditions, relation, since_floor, where, where_all
from trueup.parity.data.pairing.pairs import Reading


def size(reading: Reading) -> sql.Composed:
    """Ask for the bytes of the table's own file, or of its partitions' together."""
    return sql.SQL(
        "select coalesce(sum(pg_relation_size(relid)), pg_relation_size({name}::regclass))::int8"
        " from pg_partition_tree({name}::regclass)"
    ).format(name=sql.Literal(str(reading.table)))


def correlation(reading: Reading) -> sql.Composed:
    """Ask how far the rows of a table that was analysed lie in the order of its key: from -1 to 1, or NULL."""
    return sql.SQL(
        "select min(abs(correlation)) from pg_stats where schemaname = {} and tablename = {} and attname = {}"
    ).format(*map(sql.Literal, (*reading.table, reading.key[0].name)))


def estimate(reading: Reading) -> sql.Composed:
    """Ask the planner how many rows there are: one JSON document."""
    return sql.SQL("explain (format json) select 1 from {}").format(relation(reading))


def count(reading: Reading) -> sql.Composed:
    """Ask for the number of rows."""
    return sql.SQL("select count(*) from {} {}").format(relation(reading), where(reading))


def key_bounds(reading: Reading) -> sql.Composed:
    """Ask for the smallest and the largest integer key: two NULLs where there is no row."""
    key = column(reading.key[0])
    return sql.SQL("select min({0})::int8, max({0})::int8 from {1} {2}").format(key, relation(reading), where(reading))


def sample(reading: Reading, percent: float, *, rows: float = 1) -> sql.Composed:
    """Ask for the keys, as text, of so many percent of the pages, and of a share of their rows."""
    thinned = [sql.SQL("random() < {}").format(sql.Literal(rows))] if rows < 1 else []
    return sql.SQL("select {} from {} tablesample system ({}) {}").format(
        comma(map(key_text, reading.key)),
        relation(reading),
        sql.Literal(percent),
        where_all([*conditions(reading), *thinned]),
    )


def cuts(reading: Reading, every: int) -> sql.Composed:
    """Ask for each so-manieth integer key, in order."""
    return sql.SQL(
        "select k from (select {0}::int8 as k, row_number() over (order by {0}) as n from {1} {2}) as numbered"
        " where n % {3} = 0 order by k"
    ).format(column(reading.key[0]), relation(reading), where(reading), int8(every))


def admission(reading: Reading) -> sql.Composed:
    """Ask for nothing, so that the server says whether what the user wants of the rows is boolean SQL.

    As arguments of a function: a text that is a condition only between parentheses of ours is none.
    """
    wanted = [sql.SQL("booland_statefunc({}\n, true)").format(sql.SQL(one)) for one in reading.where]
    if reading.since:
        wanted.append(since_floor(reading.since))
    return sql.SQL("select 1 from {} {} limit 0").format(relation(reading), where_all(wanted))
