-- Functions, procedures and aggregates. The identity holds the types of the arguments alone: their names may change.
select o.type,
       o.identity,
       jsonb_strip_nulls(jsonb_build_object(
         'arguments', pg_get_function_arguments(p.oid),
         'result', pg_get_function_result(p.oid),
         'language', l.lanname,
         'body', coalesce(nullif(p.prosrc, ''), pg_get_function_sqlbody(p.oid)),
         'library', p.probin,
         'volatility', case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
         'strictness', case when p.proisstrict then 'strict' else 'called on null input' end,
         'security', case when p.prosecdef then 'definer' else 'invoker' end,
         'leakproof', case when p.proleakproof then 'leakproof' else 'not leakproof' end,
         'parallel', case p.proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end,
         'window', case when p.prokind = 'w' then 'window' end,
         'settings', array_to_string(p.proconfig, ', '),
         'cost', p.procost::text,
         'rows', nullif(p.prorows, 0)::text,
         'support', nullif(p.prosupport, 0)::regproc::text,
         'transforms', (
           select string_agg(format_type(x.type, null), ', ' order by x.position)
           from unnest(p.protrftypes) with ordinality x (type, position)
         )
       )) || coalesce(a.parts, '{}'),
       case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end,
       null::text[]
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang
cross join lateral pg_identify_object('pg_proc'::regclass, p.oid, 0) o
left join lateral (
  select jsonb_strip_nulls(jsonb_build_object(
           'aggregate', concat_ws(' ', a.aggkind, a.aggnumdirectargs),
           'state function', a.aggtransfn::regprocedure,
           'state type', a.aggtranstype::regtype,
           'initial state', a.agginitval,
           'final function', nullif(a.aggfinalfn, 0)::regprocedure,
           'combine function', nullif(a.aggcombinefn, 0)::regprocedure,
           'serial function', nullif(a.aggserialfn, 0)::regprocedure,
           'deserial function', nullif(a.aggdeserialfn, 0)::regprocedure,
           'final function gets all', case when a.aggfinalextra then 'yes' end,
           'final function changes state', nullif(a.aggfinalmodify, case a.aggkind when 'n' then 'r' else 'w' end),
           'state size', nullif(a.aggtransspace, 0)::text,
           'moving state function', nullif(a.aggmtransfn, 0)::regprocedure,
           'moving inverse function', nullif(a.aggminvtransfn, 0)::regprocedure,
           'moving state type', nullif(a.aggmtranstype, 0)::regtype,
           'moving state size', nullif(a.aggmtransspace, 0)::text,
           'moving final function', nullif(a.aggmfinalfn, 0)::regprocedure,
           'moving final function gets all', case when a.aggmfinalextra then 'yes' end,
           'moving final function changes state', case when a.aggmtransfn <> 0 then
             nullif(a.aggmfinalmodify, case a.aggkind when 'n' then 'r' else 'w' end) end,
           'moving initial state', a.aggminitval,
           'sort operator', nullif(a.aggsortop, 0)::regoperator
         )) - 'body' as parts
  from pg_aggregate a
  where a.aggfnoid = p.oid
) a on true
where n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema'
  and not exists (
    select from pg_depend e where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype in ('e', 'i')
  )
