-- Since 17 a partition repeats the identity of its parent, which here stays the parent's alone.
select a.attrelid,
       a.attname::text,
       format_type(a.atttypid, a.atttypmod),
       a.atttypid,
       not a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid),
       case when parent.attidentity is null then a.attidentity::text else '' end,
       a.attgenerated::text,
       case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end,
       coalesce(l.collisdeterministic, true)
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
left join pg_collation l on l.oid = a.attcollation
left join lateral (
  select p.attidentity
  from pg_inherits i
  join pg_attribute p on p.attrelid = i.inhparent
  where c.relispartition
    and i.inhrelid = a.attrelid
    and p.attname = a.attname
    and p.attidentity <> ''
) parent on true
where a.attrelid = any(%(relations)s)
  and a.attnum > 0
  and not a.attisdropped
  and c.relkind in ('r', 'p', 'f')
order by a.attrelid, a.attnum
