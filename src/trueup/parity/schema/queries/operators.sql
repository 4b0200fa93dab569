-- Operators with their classes and families, casts, and what else teaches the server something new. Before 16 the name of a
-- transform has a word more.
with own (oid) as (
  select n.oid
  from pg_namespace n
  where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
),
members (classid, oid, operators, functions) as (
  -- those of a class itself, and those that stand loose in a family
  select m.classid, m.oid, string_agg(m.shown, ', ' order by m.number, m.shown collate "C") filter (where m.is_operator),
         string_agg(m.shown, ', ' order by m.number, m.shown collate "C") filter (where not m.is_operator)
  from (
    select d.refclassid, d.refobjid, a.amopstrategy, true,
           concat_ws(' ', 'operator', a.amopstrategy, a.amopopr::regoperator,
                     'for order by ' || quote_ident(n.nspname) || '.' || quote_ident(f.opfname))
    from pg_amop a
    join pg_depend d on d.classid = 'pg_amop'::regclass and d.objid = a.oid
    left join pg_opfamily f on f.oid = a.amopsortfamily
    left join pg_namespace n on n.oid = f.opfnamespace
    union all
    select d.refclassid, d.refobjid, a.amprocnum, false,
           format('function %%s (%%s, %%s) %%s', a.amprocnum, format_type(a.amproclefttype, null),
                  format_type(a.amprocrighttype, null), a.amproc::regprocedure)
    from pg_amproc a
    join pg_depend d on d.classid = 'pg_amproc'::regclass and d.objid = a.oid
  ) m (classid, oid, number, is_operator, shown)
  where m.classid in ('pg_opclass'::regclass, 'pg_opfamily'::regclass)
  group by m.classid, m.oid
),
found (classid, oid, parts) as (
  select 'pg_operator'::regclass::oid,
         o.oid,
         jsonb_build_object(
           'function', o.oprcode::regprocedure,
           'commutator', nullif(o.oprcom, 0)::regoperator,
           'negator', nullif(o.oprnegate, 0)::regoperator,
           'restrict', nullif(o.oprrest, 0)::regproc,
           'join', nullif(o.oprjoin, 0)::regproc,
           'can hash', o.oprcanhash::text,
           'can merge', o.oprcanmerge::text
         )
  from pg_operator o
  where o.oprnamespace in (select oid from own)
  union all
  select 'pg_opclass'::regclass,
         c.oid,
         jsonb_build_object(
           'type', format_type(c.opcintype, null),
           'storage', case when c.opckeytype <> 0 then format_type(c.opckeytype, null) end,
           'default', c.opcdefault::text,
           'family', f.identity,
           'operators', m.operators,
           'functions', m.functions
         )
  from pg_opclass c
  cross join lateral pg_identify_object('pg_opfamily'::regclass, c.opcfamily, 0) f
  left join members m on m.classid = 'pg_opclass'::regclass and m.oid = c.oid
  where c.opcnamespace in (select oid from own)
  union all
  select 'pg_opfamily'::regclass,
         f.oid,
         jsonb_build_object('operators', m.operators, 'functions', m.functions)
  from pg_opfamily f
  left join members m on m.classid = 'pg_opfamily'::regclass and m.oid = f.oid
  where f.opfnamespace in (select oid from own)
  union all
  select 'pg_cast'::regclass,
         c.oid,
         jsonb_build_object(
           'function', case when c.castfunc <> 0 then c.castfunc::regprocedure end,
           'context', case c.castcontext when 'a' then 'assignment' when 'i' then 'implicit' else 'explicit' end,
           'method', case c.castmethod when 'b' then 'binary' when 'i' then 'input and output' else 'function' end
         )
  from pg_cast c
  where c.oid >= 16384
  union all
  select 'pg_language'::regclass,
         l.oid,
         jsonb_build_object(
           'trusted', l.lanpltrusted::text,
           'handler', nullif(l.lanplcallfoid, 0)::regproc,
           'inline', nullif(l.laninline, 0)::regproc,
           'validator', nullif(l.lanvalidator, 0)::regproc
         )
  from pg_language l
  where l.oid >= 16384
  union all
  select 'pg_am'::regclass, a.oid, jsonb_build_object('handler', a.amhandler, 'type', a.amtype::text)
  from pg_am a
  where a.oid >= 16384
  union all
  select 'pg_transform'::regclass,
         t.oid,
         jsonb_build_object('from', nullif(t.trffromsql, 0)::regprocedure, 'to', nullif(t.trftosql, 0)::regprocedure)
  from pg_transform t
  union all
  select 'pg_conversion'::regclass,
         c.oid,
         jsonb_build_object(
           'from', pg_encoding_to_char(c.conforencoding),
           'to', pg_encoding_to_char(c.contoencoding),
           'function', c.conproc,
           'default', c.condefault::text
         )
  from pg_conversion c
  where c.connamespace in (select oid from own)
  union all
  select 'pg_type'::regclass,
         t.oid,
         jsonb_build_object(
           'input', t.typinput, 'output', t.typoutput, 'receive', t.typreceive, 'send', t.typsend,
           'length', t.typlen::text, 'category', t.typcategory::text, 'alignment', t.typalign::text,
           'storage', t.typstorage::text, 'passed', case when t.typbyval then 'by value' else 'by reference' end,
           'modifiers in', nullif(t.typmodin, 0)::regproc, 'modifiers out', nullif(t.typmodout, 0)::regproc,
           'analyze', nullif(t.typanalyze, 0)::regproc, 'subscript', nullif(t.typsubscript, 0)::regproc,
           'preferred', case when t.typispreferred then 'yes' end, 'delimiter', nullif(t.typdelim, ',')::text,
           'element', case when t.typelem <> 0 then format_type(t.typelem, null) end,
           'collatable', case when t.typcollation <> 0 then 'yes' end, 'default', t.typdefault
         )
  from pg_type t
  where t.typnamespace in (select oid from own)
    and t.typtype in ('b', 'p')
    and not exists (select from pg_type e where e.typarray = t.oid)
)
select o.type,
       case o.type when 'transform' then replace(o.identity, ' on language ', ' language ') else o.identity end,
       jsonb_strip_nulls(f.parts),
       null::text,
       null::text[]
from found f
cross join lateral pg_identify_object(f.classid, f.oid, 0) o
where not exists (
  select from pg_depend e where e.classid = f.classid and e.objid = f.oid and e.deptype in ('e', 'i')
)
