with roles as (
    -- Whoever may become another role, by SET ROLE, has its powers.
    select role.oid, role.rolname, role.rolsuper, role.rolcreatedb, role.rolcreaterole, role.rolreplication
    from pg_catalog.pg_roles as role
    where pg_catalog.pg_has_role(session_user, role.oid, 'member')
)
select 'is a superuser' as power
from roles
where rolsuper
union all
select 'may create databases, create roles or replicate'
from roles
where rolcreatedb or rolcreaterole or rolreplication
union all
select 'may write to ' || pg_catalog.quote_ident(schema.nspname) || '.' || pg_catalog.quote_ident(relation.relname)
from roles
cross join pg_catalog.pg_class as relation
join pg_catalog.pg_namespace as schema on schema.oid = relation.relnamespace
where schema.nspname not in ('pg_catalog', 'information_schema')
    and schema.nspname not like 'pg\_toast%'
    and schema.nspname not like 'pg\_temp%'
    and (
        relation.relkind in ('r', 'p', 'f', 'v', 'm')
        and (
            pg_catalog.has_table_privilege(roles.oid, relation.oid, 'insert, update, delete, truncate')
            or pg_catalog.has_any_column_privilege(roles.oid, relation.oid, 'insert, update')
        )
        or relation.relkind = 'S' and pg_catalog.has_sequence_privilege(roles.oid, relation.oid, 'usage, update')
        or relation.relowner = roles.oid
    )
union all
select 'may create in the schema ' || pg_catalog.quote_ident(schema.nspname)
from roles
cross join pg_catalog.pg_namespace as schema
where schema.nspname not in ('pg_catalog', 'information_schema')
    and schema.nspname not like 'pg\_toast%'
    and schema.nspname not like 'pg\_temp%'
    and pg_catalog.has_schema_privilege(roles.oid, schema.oid, 'create')
order by power
