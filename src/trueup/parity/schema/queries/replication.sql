-- Which columns and rows of a table are published is known since 15; a list of columns only where one was chosen.
select o.type,
       o.identity,
       jsonb_build_object(
         'all tables', p.puballtables::text,
         'operations', concat_ws(
           ', ', case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
           case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end
         ),
         'via partition root', p.pubviaroot::text,
         'generated columns', coalesce(nullif(to_jsonb(p) ->> 'pubgencols', 'n'), 'none'),
         'tables', coalesce(t.tables, ''),
         'schemas', coalesce(s.schemas, '')
       ),
       null,
       null::text[]
from pg_publication p
cross join lateral pg_identify_object('pg_publication'::regclass, p.oid, 0) o
cross join lateral (
  select string_agg(
           concat_ws(' ', r.prrelid::regclass, '(' || c.columns || ')', 'where ' || (v.shown ->> 'rowfilter')),
           ', ' order by r.prrelid::regclass::text collate "C"
         )
  from pg_publication_rel r
  join pg_class k on k.oid = r.prrelid
  join pg_namespace n on n.oid = k.relnamespace
  left join lateral (
    select to_jsonb(t) from pg_publication_tables t
    where t.pubname = p.pubname and t.schemaname = n.nspname and t.tablename = k.relname
  ) v (shown) on true
  left join lateral (
    select string_agg(quote_ident(a.attname), ', ' order by a.attname collate "C")
    from jsonb_array_elements_text(nullif(to_jsonb(r) -> 'prattrs', 'null')) number
    join pg_attribute a on a.attrelid = r.prrelid and a.attnum = number::int
  ) c (columns) on true
  where r.prpubid = p.oid
) t (tables)
cross join lateral (
  select string_agg(m.identity, ', ' order by m.identity collate "C")
  from pg_depend d
  cross join lateral pg_identify_object(d.refclassid, d.refobjid, 0) m
  where d.refclassid = 'pg_namespace'::regclass
    and d.classid = to_regclass('pg_catalog.pg_publication_namespace')
    and d.objid in (
      select d2.objid from pg_depend d2
      where d2.classid = d.classid and d2.refclassid = 'pg_publication'::regclass and d2.refobjid = p.oid
    )
) s (schemas)
union all
select o.type,
       o.identity,
       jsonb_build_object(
         'publications', (select string_agg(name, ', ' order by name collate "C") from unnest(s.subpublications) name),
         'state', case when s.subenabled then 'enabled' else 'disabled' end
       ),
       null,
       null
from pg_subscription s
cross join lateral pg_identify_object('pg_subscription'::regclass, s.oid, 0) o
where s.subdbid = (select d.oid from pg_database d where d.datname = current_database())
