select
    foreign_key.conname::text as name,
    child_schema.nspname || '.' || child.relname as child,
    array(
        select attribute.attname::text
        from unnest(foreign_key.conkey) with ordinality as part (number, position)
        join pg_attribute as attribute
            on attribute.attrelid = foreign_key.conrelid and attribute.attnum = part.number
        order by part.position
    ) as columns,
    parent_schema.nspname || '.' || parent.relname as parent,
    array(
        select attribute.attname::text
        from unnest(foreign_key.confkey) with ordinality as part (number, position)
        join pg_attribute as attribute
            on attribute.attrelid = foreign_key.confrelid and attribute.attnum = part.number
        order by part.position
    ) as parent_columns,
    array[child_schema.nspname, child.relname]::text[] as child_parts
from pg_constraint as foreign_key
-- Partitions stand for the whole table, and the copies of a constraint that they have for the constraint.
join pg_class as child on child.oid = coalesce(pg_partition_root(foreign_key.conrelid), foreign_key.conrelid)
join pg_namespace as child_schema on child_schema.oid = child.relnamespace
join pg_class as parent on parent.oid = coalesce(pg_partition_root(foreign_key.confrelid), foreign_key.confrelid)
join pg_namespace as parent_schema on parent_schema.oid = parent.relnamespace
where foreign_key.contype = 'f'
    and foreign_key.conparentid = 0
order by child_schema.nspname, child.relname, foreign_key.conname
