-- The database's own relations: every other query of the catalog looks at these alone.
select c.oid,
       c.relkind::text,
       n.nspname::text,
       c.relname::text,
       c.relpersistence::text,
       c.relrowsecurity,
       c.relforcerowsecurity,
       has_table_privilege(c.oid, 'select') and has_schema_privilege(n.oid, 'usage'),
       pg_get_expr(c.relpartbound, c.oid),
       case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end,
       array(
         select array[pn.nspname, p.relname]::text[]
         from pg_inherits i
         join pg_class p on p.oid = i.inhparent
         join pg_namespace pn on pn.oid = p.relnamespace
         where i.inhrelid = c.oid
         order by i.inhseqno
       ),
       case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
  and n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema'
  and not exists (
    select
    from pg_depend e
    where e.classid = 'pg_class'::regclass
      and e.objid = c.oid
      and e.deptype = 'e'
  )
order by n.nspname collate "C", c.relname collate "C"
