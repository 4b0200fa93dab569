-- How precise they are is kept as -1 before 17 and as NULL since, where nobody chose it.
select o.type,
       o.identity,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', pg_get_statisticsobjdef(s.oid),
         'statistics target', nullif(s.stxstattarget, -1)::text
       )),
       pg_get_statisticsobjdef(s.oid),
       array[n.nspname, c.relname]::text[]
from pg_statistic_ext s
join pg_class c on c.oid = s.stxrelid
join pg_namespace n on n.oid = c.relnamespace
cross join lateral pg_identify_object('pg_statistic_ext'::regclass, s.oid, 0) o
where s.stxrelid = any(%(relations)s)
