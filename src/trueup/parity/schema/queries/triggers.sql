-- Of the clones that partitions get from their parent's trigger, only those that are not enabled like it, or have a comment:
-- all that is their own.
select o.type,
       o.identity,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', case when p.oid is null then pg_get_triggerdef(t.oid) end,
         'state', case when p.tgenabled is distinct from t.tgenabled then
           case t.tgenabled when 'D' then 'disabled' when 'R' then 'replica' when 'A' then 'always' else 'enabled' end
         end
       )),
       case when p.oid is null then pg_get_triggerdef(t.oid) end,
       array[n.nspname, c.relname]::text[]
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
join pg_namespace n on n.oid = c.relnamespace
left join pg_trigger p on p.oid = t.tgparentid
cross join lateral pg_identify_object('pg_trigger'::regclass, t.oid, 0) o
where t.tgrelid = any(%(relations)s)
  and not t.tgisinternal
  and (
    p.tgenabled is distinct from t.tgenabled
    or exists (select from pg_description d where d.classoid = 'pg_trigger'::regclass and d.objoid = t.oid)
  )
union all
select o.type,
       o.identity,
       jsonb_strip_nulls(jsonb_build_object(
         'event', e.evtevent,
         'function', e.evtfoid::regprocedure,
         'tags', array_to_string(e.evttags, ', '),
         'state', case e.evtenabled when 'D' then 'disabled' when 'R' then 'replica' when 'A' then 'always' else 'enabled' end
       )),
       null,
       null
from pg_event_trigger e
cross join lateral pg_identify_object('pg_event_trigger'::regclass, e.oid, 0) o
where not exists (
  select from pg_depend x where x.classid = 'pg_event_trigger'::regclass and x.objid = e.oid and x.deptype = 'e'
)
union all
select o.type,
       o.identity,
       jsonb_build_object(
         'definition', pg_get_ruledef(r.oid),
         'state', case r.ev_enabled when 'D' then 'disabled' when 'R' then 'replica' when 'A' then 'always' else 'enabled' end
       ),
       pg_get_ruledef(r.oid),
       array[n.nspname, c.relname]::text[]
from pg_rewrite r
join pg_class c on c.oid = r.ev_class
join pg_namespace n on n.oid = c.relnamespace
cross join lateral pg_identify_object('pg_rewrite'::regclass, r.oid, 0) o
where r.ev_class = any(%(relations)s)
  and r.rulename <> '_RETURN'
