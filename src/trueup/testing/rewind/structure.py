"""What a database has that can hold state: its tables and sequences."""

from dataclasses import dataclass

from psycopg import sql

from trueup.db import Connection

FIRST_OID = 16_384
"""Objects from this number on were not made by initdb. Source: src/include/access/transam.h, FirstNormalObjectId."""

TABLES = """
    select
        n.nspname, c.relname,
        array(
            select a.attname::text
            from pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
            order by a.attnum
        ),
        c.relkind = 'm',
        exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgenabled in ('A', 'R'))
            or exists (select from pg_rewrite r where r.ev_class = c.oid and r.ev_enabled in ('A', 'R')),
        pg_relation_size(c.oid) + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0),
        c.oid::int8
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid >= 16384 and c.relkind in ('r', 'm') and c.relpersistence <> 't'
    order by c.oid
"""
SEQUENCES = """
    select c.oid, n.nspname, c.relname
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid >= 16384 and c.relkind = 'S' and c.relpersistence <> 't'
    order by c.oid
"""
CATALOGS = """
    select oid::int8, relnamespace::regnamespace::text, relname
    from pg_class
    where oid < 16384 and relkind = 'r'
    order by 2, 3
"""
DATABASE = """
    select
        oid::int8,
        array(select attname::text from pg_attribute where attrelid = 1259 and attnum > 0 order by attnum)
    from pg_database
    where datname = current_database()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Is what stores rows: a plain table, a partition, or a materialised view."""

    number: int
    """Its place in the structure."""
    schema: str
    name: str
    columns: tuple[str, ...]
    """Those that can be written: not the generated ones."""
    is_view: bool
    is_guarded: bool
    """Whether a trigger or a rule fires even while rewinding (ENABLE ALWAYS, ENABLE REPLICA)."""
    size_bytes: int
    oid: int

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def is_fixed(self) -> bool:
        """Whether nothing in it can be put back."""
        return self.is_guarded or self.is_view

    @property
    def identifier(self) -> sql.Identifier:
        """Its name for a statement."""
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """Is a sequence, of an identity column or of its own."""

    oid: int
    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        """Its name for a statement."""
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Catalog:
    """Is a table that initdb made."""

    oid: int
    schema: str
    relation: str

    @property
    def name(self) -> str:
        """Its name with its schema."""
        return f"{self.schema}.{self.relation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """Is every place of a database where state is kept, in the order of their oids."""

    database: int
    """Its oid."""
    version: int
    """As the server counts it: 180004 is 18.4."""
    tables: tuple[Table, ...]
    sequences: tuple[Sequence, ...]
    class_columns: tuple[str, ...]
    """Those of pg_class (1259) in this version."""
    catalogs: tuple[Catalog, ...]
    """Every table that initdb made, sorted by name."""


def read_structure(connection: Connection) -> Structure:
    """Read where the connection's database keeps state."""
    ((database, class_columns),) = connection.execute(DATABASE).fetchall()
    return Structure(
        database=database,
        version=connection.info.server_version,
        tables=tuple(
            Table(
                number=number,
                schema=schema,
                name=name,
                columns=tuple(columns),
                is_view=is_view,
                is_guarded=is_guarded,
                size_bytes=size,
                oid=oid,
            )
            for number, (schema, name, columns, is_view, is_guarded, size, oid) in enumerate(
                connection.execute(TABLES).fetchall()
            )
        ),
        sequences=tuple(
            Sequence(oid=oid, schema=schema, name=name)
            for oid, schema, name in connection.execute(SEQUENCES).fetchall()
        ),
        class_columns=tuple(class_columns),
        catalogs=tuple(Catalog(*row) for row in connection.execute(CATALOGS).fetchall()),
    )
