-- What is there and is not compared, by kind: objects of the database's own schemas, and settings of its relations.
-- An object without a kind is compared, but its grants and comment are not. What the server makes by itself as a part
-- of something else, as the functions of a range type, counts with that.
with own as (
  select n.oid, n.nspname, n.nspacl
  from pg_namespace n
  where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
),
object (kind, classid, oid, acl) as (
  select case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end,
         'pg_proc'::regclass, p.oid, p.proacl is not null
  from pg_proc p
  where p.pronamespace in (select oid from own)
  union all
  select case when t.typtype not in ('e', 'd', 'c', 'r') then 'base type' end,
         'pg_type'::regclass, t.oid, t.typacl is not null
  from pg_type t
  left join pg_class c on c.oid = t.typrelid
  where t.typnamespace in (select oid from own)
    and t.typtype <> 'm'
    and coalesce(c.relkind, 'c') = 'c'
    and not exists (select from pg_type e where e.typarray = t.oid)
  union all
  select case when t.tgenabled = 'D' then 'disabled trigger' else 'trigger' end, 'pg_trigger'::regclass, t.oid, false
  from pg_trigger t
  where t.tgrelid = any(%(relations)s) and not t.tgisinternal and t.tgparentid = 0
  union all
  select 'rule', 'pg_rewrite'::regclass, r.oid, false
  from pg_rewrite r
  where r.ev_class = any(%(relations)s) and r.rulename <> '_RETURN'
  union all
  select 'policy', 'pg_policy'::regclass, p.oid, false
  from pg_policy p
  where p.polrelid = any(%(relations)s)
  union all
  select 'extension', 'pg_extension'::regclass, e.oid, false from pg_extension e where e.oid >= 16384
  union all
  select 'event trigger', 'pg_event_trigger'::regclass, e.oid, false from pg_event_trigger e
  union all
  select 'publication', 'pg_publication'::regclass, p.oid, false from pg_publication p
  union all
  select 'subscription', 'pg_subscription'::regclass, s.oid, false
  from pg_subscription s
  where s.subdbid = (select d.oid from pg_database d where d.datname = current_database())
  union all
  select 'foreign data wrapper', 'pg_foreign_data_wrapper'::regclass, f.oid, f.fdwacl is not null
  from pg_foreign_data_wrapper f
  union all
  select 'foreign server', 'pg_foreign_server'::regclass, s.oid, s.srvacl is not null from pg_foreign_server s
  union all
  select 'user mapping', 'pg_user_mapping'::regclass, u.umid, false from pg_user_mappings u
  union all
  select 'cast', 'pg_cast'::regclass, c.oid, false from pg_cast c where c.oid >= 16384
  union all
  select 'language', 'pg_language'::regclass, l.oid, l.lanacl is not null from pg_language l where l.oid >= 16384
  union all
  select 'access method', 'pg_am'::regclass, a.oid, false from pg_am a where a.oid >= 16384
  union all
  select 'transform', 'pg_transform'::regclass, t.oid, false from pg_transform t
  union all
  select 'operator', 'pg_operator'::regclass, o.oid, false
  from pg_operator o where o.oprnamespace in (select oid from own)
  union all
  select 'operator class', 'pg_opclass'::regclass, o.oid, false
  from pg_opclass o where o.opcnamespace in (select oid from own)
  union all
  select 'operator family', 'pg_opfamily'::regclass, o.oid, false
  from pg_opfamily o where o.opfnamespace in (select oid from own)
  union all
  select 'collation', 'pg_collation'::regclass, c.oid, false
  from pg_collation c where c.collnamespace in (select oid from own)
  union all
  select 'conversion', 'pg_conversion'::regclass, c.oid, false
  from pg_conversion c where c.connamespace in (select oid from own)
  union all
  select 'text search configuration', 'pg_ts_config'::regclass, c.oid, false
  from pg_ts_config c where c.cfgnamespace in (select oid from own)
  union all
  select 'text search dictionary', 'pg_ts_dict'::regclass, d.oid, false
  from pg_ts_dict d where d.dictnamespace in (select oid from own)
  union all
  select 'text search parser', 'pg_ts_parser'::regclass, p.oid, false
  from pg_ts_parser p where p.prsnamespace in (select oid from own)
  union all
  select 'text search template', 'pg_ts_template'::regclass, t.oid, false
  from pg_ts_template t where t.tmplnamespace in (select oid from own)
  union all
  select 'extended statistics', 'pg_statistic_ext'::regclass, s.oid, false
  from pg_statistic_ext s where s.stxnamespace in (select oid from own)
),
other as (
  select o.*
  from object o
  where not exists (
    select from pg_depend e where e.classid = o.classid and e.objid = o.oid and e.deptype in ('e', 'i')
  )
),
relation as (
  select c.* from pg_class c where c.oid = any(%(relations)s)
),
part as (
  select c.oid, c.reloptions, c.reltablespace from relation c
  union all
  select x.oid, x.reloptions, x.reltablespace
  from pg_index i
  join pg_class x on x.oid = i.indexrelid
  where i.indrelid = any(%(relations)s)
),
commented (classid, oid) as (
  select 'pg_class'::regclass::oid, p.oid from part p
  union all
  select o.classid, o.oid from other o
  union all
  select 'pg_constraint'::regclass, c.oid from pg_constraint c where c.conrelid = any(%(relations)s)
  union all
  select 'pg_namespace'::regclass, n.oid from own n
),
setting (kind, amount) as (
  select 'owner', count(*) from relation
  union all
  select 'grant', count(*) from relation c where c.relacl is not null
  union all
  select 'grant', count(*) from other o where o.acl
  union all
  select 'grant', count(*)
  from pg_attribute a where a.attrelid = any(%(relations)s) and a.attacl is not null and not a.attisdropped
  union all
  select 'grant', count(*)
  from own n
  left join pg_init_privs i on i.classoid = 'pg_namespace'::regclass and i.objoid = n.oid
  where n.nspacl is distinct from i.initprivs
  union all
  select 'default privileges', count(*) from pg_default_acl
  union all
  select 'comment', count(*)
  from pg_description d
  join commented o on o.oid = d.objoid and o.classid = d.classoid
  where d.description <> 'standard public schema'
  union all
  select 'security label', count(*) from pg_seclabel
  union all
  select 'storage parameters', count(*) from part p where p.reloptions is not null
  union all
  select 'tablespace', count(*) from part p where p.reltablespace <> 0
  union all
  select 'table access method', count(*)
  from relation c
  join pg_am a on a.oid = c.relam
  where a.amname <> 'heap'
  union all
  select 'replica identity', count(*) from relation c where c.relkind in ('r', 'p', 'm') and c.relreplident <> 'd'
  union all
  select 'foreign table options', count(*) from pg_foreign_table f where f.ftrelid = any(%(relations)s)
  union all
  select 'unpopulated materialized view', count(*) from relation c where c.relkind = 'm' and not c.relispopulated
  union all
  select 'typed table', count(*) from relation c where c.reloftype <> 0
  union all
  select 'clustered index', count(*)
  from pg_index i where i.indrelid = any(%(relations)s) and i.indisclustered
  union all
  select 'column statistics, storage or options', count(*)
  from pg_attribute a
  join pg_type t on t.oid = a.atttypid
  where a.attrelid = any(%(relations)s)
    and a.attnum > 0
    and not a.attisdropped
    and (
      coalesce(a.attstattarget, -1) >= 0
      or a.attcompression <> ''
      or a.attstorage <> t.typstorage
      or a.attoptions is not null
      or a.attfdwoptions is not null
    )
  union all
  select 'unvalidated NOT NULL', count(*)
  from pg_constraint c where c.conrelid = any(%(relations)s) and c.contype = 'n' and not c.convalidated
  union all
  select 'large object', count(*) from pg_largeobject_metadata
)
select kind, sum(amount)::int8
from (select kind, amount from setting union all select kind, count(*) from other group by kind) as counted
where kind is not null
group by kind
having sum(amount) > 0
order by kind collate "C"
