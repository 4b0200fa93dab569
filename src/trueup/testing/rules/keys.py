"""Rules about keys, read from the catalog."""

from trueup.db import Connection
from trueup.report.model import Finding, Severity, failure

TABLES = """
    select n.nspname, c.relname, exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p')
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
       and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       and c.relname <> 'schema_migrations'
       and not exists (select from pg_depend d
                        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
     order by 1, 2
"""
WITHOUT_INDEX = """
    select n.nspname, c.relname, k.conname, k.confrelid::regclass::text,
           array(select a.attname::text
                   from unnest(k.conkey) with ordinality as column_(number, place)
                   join pg_attribute a on a.attrelid = c.oid and a.attnum = number
                  order by place)
      from pg_constraint k
      join pg_class c on c.oid = k.conrelid
      join pg_namespace n on n.oid = c.relnamespace
     where k.contype = 'f' and k.conparentid = 0
       and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       and not exists (
           select from pg_index i
             join pg_class x on x.oid = i.indexrelid
             join pg_am m on m.oid = x.relam
            where i.indrelid = c.oid and i.indisvalid and m.amname in ('btree', 'hash')
              and (string_to_array(i.indkey::text, ' ')::int2[])[1:cardinality(k.conkey)] @> k.conkey
              and (i.indpred is null
                   or pg_get_expr(i.indpred, c.oid) = any (array(
                       select format('(%I IS NOT NULL)', a.attname)
                         from pg_attribute a where a.attrelid = c.oid and a.attnum = any(k.conkey)))))
     order by 1, 2, 3
"""
"""An index serves when it begins with the key's columns, in any order, and leaves out no row but those without key."""


def find_tables(connection: Connection) -> tuple[tuple[str, str, bool], ...]:
    """Return schema, name, and whether there is a primary key, of each table of the project, by name."""
    return tuple((schema, name, has_key) for schema, name, has_key in connection.execute(TABLES))


def find_tables_without_primary_key(connection: Connection) -> tuple[Finding, ...]:
    """Return a finding for each table that has no primary key, by name."""
    return tuple(
        failure(
            "primary keys",
            f"{schema}.{table}",
            "the table has no primary key",
            "One of two equal rows can't be changed or deleted alone, nor be replicated.",
            f"alter table {quoted(connection, schema, table)} add primary key (…), or add a column"
            " id bigint generated always as identity primary key",
            severity=Severity.BEHAVIOURAL,
        )
        for schema, table, has_key in find_tables(connection)
        if not has_key
    )


def find_foreign_keys_without_index(connection: Connection) -> tuple[Finding, ...]:
    """Return a finding for each foreign key that no index of its table begins with, by name of table and constraint."""
    return tuple(
        failure(
            "foreign keys",
            f"{schema}.{table} ({', '.join(columns)})",
            f"no index serves the foreign key {constraint}",
            f"Deleting a row of {referenced}, or changing its key, reads the whole table.",
            f"create index on {quoted(connection, schema, table)}"
            f" ({', '.join(quoted(connection, column) for column in columns)})",
            severity=Severity.BEHAVIOURAL,
        )
        for schema, table, constraint, referenced, columns in connection.execute(WITHOUT_INDEX)
    )


def quoted(connection: Connection, *names: str) -> str:
    """Return a name as SQL writes it; quotes stand where they are needed."""
    parts = [connection.execute("select quote_ident(%s)", [name]).fetchone() for name in names]
    return ".".join(part[0] for part in parts if part)
