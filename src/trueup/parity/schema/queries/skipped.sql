-- Objects that are not the database's own.
select 'extension ' || e.extname, count(*)
from pg_depend d
join pg_extension e on e.oid = d.refobjid
where d.refclassid = 'pg_extension'::regclass
  and d.deptype = 'e'
  and e.oid >= 16384
group by e.extname
union all
select 'temporary relations', count(*)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname ~ '^pg_temp_'
having count(*) > 0
union all
select 'grants to the role that reads', count(*)
from (
  select c.relowner, c.relacl from pg_class c where c.oid >= 16384
  union all
  select n.nspowner, n.nspacl from pg_namespace n where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  union all
  select p.proowner, p.proacl from pg_proc p where p.oid >= 16384
) o (owner, items)
cross join lateral aclexplode(o.items) g
where g.grantee <> o.owner
  and g.grantee = (select r.oid from pg_roles r where r.rolname = current_user)
having count(*) > 0
order by 1
