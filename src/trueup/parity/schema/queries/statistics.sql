-- The server lists columns in the order of the table, which is no part of what they say. How precise they are is kept as -1 before 17 and as NULL since, where nobody chose it.
select o.type,
       o.identity,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', replace(
           pg_get_statisticsobjdef(s.oid), concat(' ON ', k.columns), concat(' ON ', k.sorted)
         ),
         'statistics target', nullif(s.stxstattarget, -1)::text
       )),
       pg_get_statisticsobjdef(s.oid),
       array[n.nspname, c.relname]::text[]
from pg_statistic_ext s
join pg_class c on c.oid = s.stxrelid
join pg_namespace n on n.oid = c.relnamespace
cross join lateral pg_identify_object('pg_statistic_ext'::regclass, s.oid, 0) o
cross join lateral (
  select string_agg(quote_ident(a.attname), ', ' order by a.attnum),
         string_agg(quote_ident(a.attname), ', ' order by a.attname collate "C")
  from pg_attribute a
  where a.attrelid = s.stxrelid
    and a.attnum = any(s.stxkeys::int2[])
) k (columns, sorted)
where s.stxrelid = any(%(relations)s)
