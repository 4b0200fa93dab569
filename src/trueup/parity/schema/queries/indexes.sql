-- The definition without the index's name is still a statement. An index is a key of rows when it is unique and valid,
-- has no predicate and no expression, and each of its columns is NOT NULL and proved to be.
select i.indrelid,
       x.relname::text,
       u.head || substr(d.definition, length(concat(u.head, quote_ident(x.relname), ' ')) + 1),
       i.indisunique,
       k.columns,
       i.indpred is not null,
       i.indisvalid,
       i.indisprimary,
       exists (select from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x'))
         or exists (select from pg_inherits p where p.inhrelid = i.indexrelid),
       i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null and k.never_null
from pg_index i
join pg_class x on x.oid = i.indexrelid
cross join lateral pg_get_indexdef(i.indexrelid) as d (definition)
cross join lateral (select case when i.indisunique then 'CREATE UNIQUE INDEX ' else 'CREATE INDEX ' end) as u (head)
cross join lateral (
  select case when i.indexprs is null then array_agg(a.attname::text order by key.position) else '{}' end,
         coalesce(bool_and(a.attnotnull and n.conrelid is null), false)
  from unnest(i.indkey) with ordinality as key (attnum, position)
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = key.attnum
  left join pg_constraint n
         on n.conrelid = i.indrelid
        and n.contype = 'n'
        and not n.convalidated
        and key.attnum = any(n.conkey)
  where key.position <= i.indnkeyatts
) as k (columns, never_null)
where i.indrelid = any(%(relations)s)
order by i.indrelid, x.relname collate "C"
