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
order by 1
