select
    root_schema.nspname || '.' || root.relname as name,
    sum(pg_catalog.pg_stat_get_xact_tuples_inserted(part.oid))::bigint as inserted,
    sum(
        pg_catalog.pg_stat_get_xact_tuples_updated(part.oid) + pg_catalog.pg_stat_get_xact_tuples_deleted(part.oid)
    )::bigint as changed
from pg_catalog.pg_class as part
join pg_catalog.pg_class as root on root.oid = coalesce(pg_catalog.pg_partition_root(part.oid), part.oid)
join pg_catalog.pg_namespace as root_schema on root_schema.oid = root.relnamespace
where part.relkind = 'r'
    and root_schema.nspname not in ('pg_catalog', 'information_schema', 'trueup')
    and root.relpersistence <> 't'
    and pg_catalog.pg_stat_get_xact_tuples_inserted(part.oid)
        + pg_catalog.pg_stat_get_xact_tuples_updated(part.oid)
        + pg_catalog.pg_stat_get_xact_tuples_deleted(part.oid) > 0
group by 1
