-- Without NOT NULL, which 18 keeps as constraints: it is the column's nullability. Without what a parent gives.
select c.conrelid,
       c.conname::text,
       c.contype::text,
       array(
         select a.attname::text
         from unnest(c.conkey) with ordinality as k (attnum, position)
         join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum
         order by k.position
       ),
       pg_get_constraintdef(c.oid),
       coalesce(i.indisvalid, true) and d.oid is null
from pg_constraint c
left join pg_index i on i.indexrelid = c.conindid and c.contype in ('p', 'u', 'x')
left join lateral (
  select t.oid
  from pg_trigger t
  where t.tgconstraint = c.oid
    and t.tgenabled = 'D'
  limit 1
) d on true
where c.conrelid = any(%(relations)s)
  and c.contype in ('p', 'u', 'f', 'c', 'x')
  and c.conparentid = 0
  and (c.conislocal or c.coninhcount = 0)
order by c.conrelid, c.conname collate "C"
