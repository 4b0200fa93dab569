-- What is said of objects beside their definition: owner, comment, grants, security labels, storage. Objects of
-- extensions are left out, and so is what was granted to the role that reads this: it may have another name elsewhere.
-- MAINTAIN is new in 17: before, whoever has all privileges of a table has it as well, as a dump says it.
with extended (classid, oid) as (
  select e.classid, e.objid from pg_depend e where e.deptype = 'e'
),
commented as (
  select d.classoid, d.objoid, d.objsubid, 'comment', d.description
  from pg_description d
  where d.classoid <> 'pg_largeobject'::regclass
    and (d.objoid >= 16384 or d.classoid = 'pg_namespace'::regclass and d.objoid = to_regnamespace('public'))
    and not (
      d.classoid = 'pg_namespace'::regclass
      and d.objoid = to_regnamespace('public')
      and d.description = 'standard public schema'
    )
),
labelled as (
  select l.classoid, l.objoid, l.objsubid, 'security label of ' || l.provider, l.label
  from pg_seclabel l
),
own (oid) as (
  select n.oid
  from pg_namespace n
  where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
),
held (classid, oid, subid, owner, items) as (
  select 'pg_class'::regclass::oid, c.oid, 0, c.relowner,
         coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))
  from pg_class c where c.oid = any(%(relations)s)
  union all
  select 'pg_proc'::regclass, p.oid, 0, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
  from pg_proc p where p.pronamespace in (select oid from own)
  union all
  select 'pg_type'::regclass, t.oid, 0, t.typowner, coalesce(t.typacl, acldefault('T', t.typowner))
  from pg_type t
  left join pg_class c on c.oid = t.typrelid
  where t.typnamespace in (select oid from own)
    and t.typtype <> 'm'
    and coalesce(c.relkind, 'c') = 'c'
    and not exists (select from pg_type e where e.typarray = t.oid)
  union all
  select 'pg_namespace'::regclass, n.oid, 0, n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner))
  from pg_namespace n where n.oid in (select oid from own)
  union all
  select 'pg_foreign_server'::regclass, s.oid, 0, s.srvowner, coalesce(s.srvacl, acldefault('S', s.srvowner))
  from pg_foreign_server s
  union all
  select 'pg_foreign_data_wrapper'::regclass, f.oid, 0, f.fdwowner, coalesce(f.fdwacl, acldefault('F', f.fdwowner))
  from pg_foreign_data_wrapper f
  union all
  select 'pg_language'::regclass, l.oid, 0, l.lanowner, coalesce(l.lanacl, acldefault('l', l.lanowner))
  from pg_language l where l.oid >= 16384
  union all
  select 'pg_operator'::regclass, o.oid, 0, o.oprowner, null from pg_operator o where o.oprnamespace in (select oid from own)
  union all
  select 'pg_opclass'::regclass, o.oid, 0, o.opcowner, null from pg_opclass o where o.opcnamespace in (select oid from own)
  union all
  select 'pg_opfamily'::regclass, o.oid, 0, o.opfowner, null from pg_opfamily o where o.opfnamespace in (select oid from own)
  union all
  select 'pg_collation'::regclass, c.oid, 0, c.collowner, null
  from pg_collation c where c.collnamespace in (select oid from own)
  union all
  select 'pg_conversion'::regclass, c.oid, 0, c.conowner, null
  from pg_conversion c where c.connamespace in (select oid from own)
  union all
  select 'pg_ts_config'::regclass, c.oid, 0, c.cfgowner, null
  from pg_ts_config c where c.cfgnamespace in (select oid from own)
  union all
  select 'pg_ts_dict'::regclass, d.oid, 0, d.dictowner, null from pg_ts_dict d where d.dictnamespace in (select oid from own)
  union all
  select 'pg_statistic_ext'::regclass, s.oid, 0, s.stxowner, null
  from pg_statistic_ext s where s.stxnamespace in (select oid from own)
  union all
  select 'pg_publication'::regclass, p.oid, 0, p.pubowner, null from pg_publication p
  union all
  select 'pg_event_trigger'::regclass, e.oid, 0, e.evtowner, null from pg_event_trigger e
),
owned as (
  select h.classid, h.oid, h.subid, 'owner', pg_get_userbyid(h.owner)::text from held h
),
acl (classid, oid, subid, owner, items) as (
  select * from held
  union all
  select 'pg_class'::regclass, a.attrelid, a.attnum, c.relowner, a.attacl
  from pg_attribute a
  join pg_class c on c.oid = a.attrelid
  where a.attrelid = any(%(relations)s) and a.attacl is not null and not a.attisdropped
  union all
  select 'pg_default_acl'::regclass, d.oid, 0, d.defaclrole, d.defaclacl from pg_default_acl d
),
granted as (
  select a.classid, a.oid, a.subid,
         case when x.grantor = a.owner then 'grants to ' else 'grants by ' || quote_ident(pg_get_userbyid(x.grantor)) || ' to ' end
           || case when x.grantee = 0 then 'public' when x.grantee = a.owner then 'its owner'
                   else quote_ident(pg_get_userbyid(x.grantee)) end,
         string_agg(lower(x.privilege_type) || case when x.is_grantable then ' with grant option' else '' end,
                    ', ' order by x.privilege_type collate "C")
  from acl a
  cross join lateral (
    select grantor, grantee, privilege_type, is_grantable from aclexplode(a.items)
    union all
    select grantor, grantee, 'MAINTAIN', bool_and(is_grantable)
    from aclexplode(a.items)
    where current_setting('server_version_num')::int < 170000
      and a.subid = 0
    group by grantor, grantee
    having count(*) = 7
  ) x
  where x.grantee = a.owner
     or x.grantee <> (select r.oid from pg_roles r where r.rolname = current_user)
  group by a.classid, a.oid, a.subid, a.owner, x.grantor, x.grantee
),
stored (classid, oid, subid, part, value) as (
  select 'pg_class'::regclass::oid, c.oid, 0, x.part, x.value
  from pg_class c
  left join pg_class t on t.oid = c.reltoastrelid
  left join pg_tablespace s on s.oid = c.reltablespace
  left join pg_am m on m.oid = c.relam and c.relkind in ('r', 'm', 'p')
  left join pg_index r on r.indrelid = c.oid and r.indisreplident
  left join pg_index k on k.indrelid = c.oid and k.indisclustered
  left join lateral (select array_agg('toast.' || option) from unnest(t.reloptions) option) b (options) on true
  cross join lateral (
    values ('storage parameters', case when c.relkind <> 'v' then array_to_string(c.reloptions || b.options, ', ') end),
           ('view options', case when c.relkind = 'v' then array_to_string(c.reloptions, ', ') end),
           ('tablespace', s.spcname::text),
           ('access method', nullif(m.amname, 'heap')::text),
           ('replica identity', case when c.relkind in ('r', 'p', 'm') then
              case c.relreplident when 'f' then 'full' when 'n' then 'nothing' when 'i' then r.indexrelid::regclass::text end
            end),
           ('clustered by', k.indexrelid::regclass::text),
           ('of type', case when c.reloftype <> 0 then format_type(c.reloftype, null) end),
           ('state', case when c.relkind = 'm' and not c.relispopulated then 'not populated' end)
  ) x (part, value)
  where c.oid = any(%(relations)s)
  union all
  select 'pg_class'::regclass, x.oid, 0, o.part, o.value
  from pg_index i
  join pg_class x on x.oid = i.indexrelid
  left join pg_tablespace s on s.oid = x.reltablespace
  cross join lateral (
    values ('storage parameters', array_to_string(x.reloptions, ', ')),
           ('tablespace', s.spcname::text),
           ('statistics targets', (
              select string_agg(a.attnum || '=' || a.attstattarget, ', ' order by a.attnum)
              from pg_attribute a where a.attrelid = x.oid and a.attstattarget >= 0
            ))
  ) o (part, value)
  where i.indrelid = any(%(relations)s)
  union all
  select 'pg_class'::regclass, a.attrelid, a.attnum, x.part, x.value
  from pg_attribute a
  join pg_type t on t.oid = a.atttypid
  join pg_class c on c.oid = a.attrelid
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  left join pg_constraint n on n.conrelid = a.attrelid and n.contype = 'n' and n.conkey = array[a.attnum]
  cross join lateral (
    values ('not null', nullif(
              concat_ws(', ', case when not n.convalidated then 'not valid' end, case when n.connoinherit then 'no inherit' end), ''
            )),
           ('statistics target', nullif(a.attstattarget, -1)::text),
           ('compression', case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end),
           ('storage', case when a.attstorage <> t.typstorage
                            then case a.attstorage when 'p' then 'plain' when 'e' then 'external'
                                                   when 'x' then 'extended' else 'main' end end),
           ('options', array_to_string(a.attoptions, ', ')),
           ('foreign options', (
              select string_agg(quote_ident(f.option_name) || ' ' || quote_literal(f.option_value), ', '
                                order by f.option_name collate "C")
              from pg_options_to_table(a.attfdwoptions) f
            )),
           ('declared', case when a.attislocal and a.attinhcount > 0 and not c.relispartition then 'as well' end),
           ('default', case when c.relkind = 'v' then pg_get_expr(d.adbin, d.adrelid) end)
  ) x (part, value)
  where a.attrelid = any(%(relations)s)
    and a.attnum > 0
    and not a.attisdropped
),
said (classid, oid, subid, part, value) as (
  select * from owned
  union all
  select * from commented
  union all
  select * from labelled
  union all
  select * from granted
  union all
  select * from stored where value is not null
)
select o.type,
       case o.type when 'transform' then replace(o.identity, ' on language ', ' language ') else o.identity end,
       s.part,
       s.value
from said s
cross join lateral pg_identify_object(s.classid, s.oid, s.subid) o
where not exists (select from extended e where e.classid = s.classid and e.oid = s.oid)
  and o.identity !~ '^pg_(toast|temp)'
