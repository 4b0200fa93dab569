select
    schema.nspname || '.' || relation.relname as name,
    array(
        select attribute.attname::text
        from pg_catalog.unnest(index.indkey::smallint[]) with ordinality as part (number, position)
        join pg_catalog.pg_attribute as attribute
            on attribute.attrelid = index.indrelid and attribute.attnum = part.number
        where part.position <= index.indnkeyatts
        order by part.position
    ) as columns
from pg_catalog.pg_index as index
join pg_catalog.pg_class as relation on relation.oid = index.indrelid
join pg_catalog.pg_namespace as schema on schema.oid = relation.relnamespace
where index.indisunique
    and schema.nspname not in ('pg_catalog', 'pg_toast', 'information_schema', 'trueup')
order by 1, index.indexrelid
