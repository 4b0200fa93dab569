-- Collations, and what text search is made of. A collation's rules and its one locale have other names before 17, and before
-- 15 the locale of ICU stands where libc has its two.
with own (oid) as (
  select n.oid
  from pg_namespace n
  where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
),
found (classid, oid, parts) as (
  select 'pg_collation'::regclass::oid,
         c.oid,
         jsonb_build_object(
           'provider', case c.collprovider when 'c' then 'libc' when 'i' then 'icu' when 'b' then 'builtin'
                                           else c.collprovider::text end,
           'locale', coalesce(j.shown ->> 'colllocale', j.shown ->> 'colliculocale', c.collcollate),
           'ctype', case when c.collprovider = 'c' then c.collctype end,
           'rules', j.shown ->> 'collicurules',
           'deterministic', c.collisdeterministic::text,
           'version', c.collversion
         )
  from pg_collation c
  cross join lateral to_jsonb(c) j (shown)
  where c.collnamespace in (select oid from own)
  union all
  select 'pg_ts_config'::regclass,
         c.oid,
         jsonb_build_object(
           'parser', p.identity,
           'mappings', (
             select string_agg(
                      concat_ws(' ', k.alias, d.identity), ', ' order by k.alias collate "C", m.mapseqno
                    )
             from pg_ts_config_map m
             join ts_token_type(c.cfgparser) k on k.tokid = m.maptokentype
             cross join lateral pg_identify_object('pg_ts_dict'::regclass, m.mapdict, 0) d
             where m.mapcfg = c.oid
           )
         )
  from pg_ts_config c
  cross join lateral pg_identify_object('pg_ts_parser'::regclass, c.cfgparser, 0) p
  where c.cfgnamespace in (select oid from own)
  union all
  select 'pg_ts_dict'::regclass, d.oid, jsonb_build_object('template', t.identity, 'options', d.dictinitoption)
  from pg_ts_dict d
  cross join lateral pg_identify_object('pg_ts_template'::regclass, d.dicttemplate, 0) t
  where d.dictnamespace in (select oid from own)
  union all
  select 'pg_ts_parser'::regclass,
         p.oid,
         jsonb_build_object(
           'start', p.prsstart, 'token', p.prstoken, 'end', p.prsend, 'headline', nullif(p.prsheadline, 0)::regproc,
           'types', p.prslextype
         )
  from pg_ts_parser p
  where p.prsnamespace in (select oid from own)
  union all
  select 'pg_ts_template'::regclass,
         t.oid,
         jsonb_build_object('init', nullif(t.tmplinit, 0)::regproc, 'lexize', t.tmpllexize)
  from pg_ts_template t
  where t.tmplnamespace in (select oid from own)
)
select o.type, o.identity, jsonb_strip_nulls(f.parts), null::text, null::text[]
from found f
cross join lateral pg_identify_object(f.classid, f.oid, 0) o
where not exists (
  select from pg_depend e where e.classid = f.classid and e.objid = f.oid and e.deptype in ('e', 'i')
)
