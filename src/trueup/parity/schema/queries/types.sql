-- The types of all columns, with what lies below their domains and arrays.
with recursive used as (
  select a.atttypid as oid
  from pg_attribute a
  where a.attrelid = any(%(relations)s)
    and a.attnum > 0
    and not a.attisdropped
  union
  select case t.typtype when 'd' then t.typbasetype else t.typelem end
  from used
  join pg_type t on t.oid = used.oid
  where t.typtype = 'd'
     or t.typcategory = 'A' and t.typelem <> 0
)
select t.oid,
       n.nspname::text,
       t.typname::text,
       t.typtype::text,
       t.typcategory::text,
       case when t.typtype = 'd' then t.typbasetype else 0 end,
       case when t.typtype <> 'd' and t.typcategory = 'A' then t.typelem else 0 end
from used
join pg_type t on t.oid = used.oid
join pg_namespace n on n.oid = t.typnamespace
