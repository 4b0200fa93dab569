select
    index.indisprimary as is_primary,
    index.indpred is null and index.indisvalid as is_whole,
    index.indisunique
        and index.indimmediate
        and index.indisvalid
        and index.indpred is null
        and index.indexprs is null as is_arbiter,
    pg_get_indexdef(index.indexrelid) as definition,
    array(
        select attribute.attname::text
        from unnest(index.indkey::smallint[]) with ordinality as part (number, position)
        join pg_attribute as attribute on attribute.attrelid = index.indrelid and attribute.attnum = part.number
        where part.position <= index.indnkeyatts
        order by part.position
    ) as columns
from pg_index as index
where index.indrelid = %s::regclass
order by index.indexrelid
