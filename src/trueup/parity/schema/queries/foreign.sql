-- Of a user mapping the names of its options: their values are secrets.
with options (classid, oid, names, shown) as (
  select k.classid, k.oid, string_agg(x.option_name, ', ' order by x.option_name collate "C"),
         string_agg(
           quote_ident(x.option_name) || ' '
             || case when x.option_name ~* 'pass|secret|token|key' then '***' else quote_literal(x.option_value) end,
           ', ' order by x.option_name collate "C"
         )
  from (
    select 'pg_foreign_data_wrapper'::regclass::oid, f.oid, f.fdwoptions from pg_foreign_data_wrapper f
    union all
    select 'pg_foreign_server'::regclass, s.oid, s.srvoptions from pg_foreign_server s
    union all
    select 'pg_user_mapping'::regclass, u.umid, u.umoptions from pg_user_mappings u
    union all
    select 'pg_foreign_table'::regclass, t.ftrelid, t.ftoptions from pg_foreign_table t
  ) k (classid, oid, options)
  cross join lateral pg_options_to_table(k.options) x
  group by k.classid, k.oid
)
select o.type,
       o.identity,
       jsonb_strip_nulls(jsonb_build_object(
         'handler', nullif(f.fdwhandler, 0)::regproc, 'validator', nullif(f.fdwvalidator, 0)::regproc, 'options', x.shown
       )),
       null::text,
       null::text[]
from pg_foreign_data_wrapper f
cross join lateral pg_identify_object('pg_foreign_data_wrapper'::regclass, f.oid, 0) o
left join options x on x.classid = 'pg_foreign_data_wrapper'::regclass and x.oid = f.oid
where not exists (
  select from pg_depend e where e.classid = 'pg_foreign_data_wrapper'::regclass and e.objid = f.oid and e.deptype = 'e'
)
union all
select o.type,
       o.identity,
       jsonb_strip_nulls(jsonb_build_object(
         'wrapper', w.fdwname, 'server type', s.srvtype, 'version', s.srvversion, 'options', x.shown
       )),
       null,
       null
from pg_foreign_server s
join pg_foreign_data_wrapper w on w.oid = s.srvfdw
cross join lateral pg_identify_object('pg_foreign_server'::regclass, s.oid, 0) o
left join options x on x.classid = 'pg_foreign_server'::regclass and x.oid = s.oid
union all
select o.type, o.identity, jsonb_strip_nulls(jsonb_build_object('options', x.names)), null, null
from pg_user_mappings u
cross join lateral pg_identify_object('pg_user_mapping'::regclass, u.umid, 0) o
left join options x on x.classid = 'pg_user_mapping'::regclass and x.oid = u.umid
union all
select 'foreign table source',
       t.ftrelid::regclass::text,
       jsonb_strip_nulls(jsonb_build_object('server', s.srvname, 'options', x.shown)),
       null,
       array[n.nspname, c.relname]::text[]
from pg_foreign_table t
join pg_class c on c.oid = t.ftrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_foreign_server s on s.oid = t.ftserver
left join options x on x.classid = 'pg_foreign_table'::regclass and x.oid = t.ftrelid
where t.ftrelid = any(%(relations)s)
