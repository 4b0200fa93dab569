-- What needs what, as the server itself names objects. A view needs what its query reads; a part of something else (an
-- index of a constraint, a row type of a table, an array of a type) stands for the whole.
with own as (
  select d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid
  from pg_depend d
  where d.objid >= 16384
    and d.refobjid >= 16384
    and d.deptype in ('n', 'a', 'i', 'P', 'S')
),
whole (classid, objid, objsubid, to_classid, to_objid, to_objsubid) as (
  -- the rule behind a view
  select 'pg_rewrite'::regclass::oid, r.oid, 0, 'pg_class'::regclass::oid, r.ev_class, 0
  from pg_rewrite r where r.rulename = '_RETURN'
  union all
  -- the index of a constraint
  select 'pg_class'::regclass, c.conindid, 0, 'pg_constraint'::regclass, c.oid, 0
  from pg_constraint c where c.contype in ('p', 'u', 'x')
  union all
  -- what a publication is for
  select 'pg_publication_rel'::regclass, r.oid, 0, 'pg_publication'::regclass, r.prpubid, 0 from pg_publication_rel r
  union all
  select 'pg_publication_namespace'::regclass, n.oid, 0, 'pg_publication'::regclass, n.pnpubid, 0
  from pg_publication_namespace n
  union all
  -- the members of an operator class, or of a family alone
  select m.classid, m.objid, 0, m.refclassid, m.refobjid, 0
  from pg_depend m
  where m.classid in ('pg_amop'::regclass, 'pg_amproc'::regclass)
    and m.refclassid in ('pg_opclass'::regclass, 'pg_opfamily'::regclass)
    and (m.deptype = 'i' or m.refclassid = 'pg_opfamily'::regclass)
  union all
  -- the row type of a relation
  select 'pg_type'::regclass, c.reltype, 0, 'pg_class'::regclass, c.oid, 0 from pg_class c where c.reltype <> 0 and c.relkind <> 'c'
  union all
  select 'pg_class'::regclass, t.typrelid, 0, 'pg_type'::regclass, t.oid, 0 from pg_type t join pg_class c on c.oid = t.typrelid where c.relkind = 'c'
  union all
  select 'pg_type'::regclass, t.typarray, 0, 'pg_type'::regclass, coalesce(g.rngtypid, t.oid), 0
  from pg_type t
  left join pg_range g on g.rngmultitypid = t.oid
  where t.typarray <> 0
  union all
  -- the multirange of a range
  select 'pg_type'::regclass, g.rngmultitypid, 0, 'pg_type'::regclass, g.rngtypid, 0 from pg_range g
  union all
  -- the formula of a column
  select 'pg_attrdef'::regclass, f.oid, 0, 'pg_class'::regclass, f.adrelid, f.adnum
  from pg_attrdef f
  join pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum and a.attgenerated <> ''
)
select distinct a.type, a.identity, b.type, b.identity
from own d
left join whole w on w.classid = d.classid and w.objid = d.objid
left join whole r on r.classid = d.refclassid and r.objid = d.refobjid
left join pg_class v on d.refclassid = 'pg_class'::regclass and v.oid = d.refobjid and v.relkind in ('v', 'm')
cross join lateral pg_identify_object(coalesce(w.to_classid, d.classid), coalesce(w.to_objid, d.objid), case when w.classid is null then d.objsubid else w.to_objsubid end) a
cross join lateral pg_identify_object(coalesce(r.to_classid, d.refclassid), coalesce(r.to_objid, d.refobjid), case when r.classid is not null then r.to_objsubid when v.oid is not null then 0 else d.refobjsubid end) b
where (a.type, a.identity) <> (b.type, b.identity)
  and a.identity !~ '^pg_toast'
order by 1,2,3,4
