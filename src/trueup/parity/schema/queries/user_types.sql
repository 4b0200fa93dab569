-- The database's own types, each as its parts: labels, attributes, or clauses, in an order of their own.
with own as (
  select t.*, n.nspname
  from pg_type t
  join pg_namespace n on n.oid = t.typnamespace
  left join pg_class c on c.oid = t.typrelid
  where n.nspname !~ '^pg_'
    and n.nspname <> 'information_schema'
    and t.typtype in ('e', 'd', 'c', 'r')
    and coalesce(c.relkind, 'c') = 'c'
    and not exists (
      select
      from pg_depend e
      where e.classid = 'pg_type'::regclass
        and e.objid = t.oid
        and e.deptype = 'e'
    )
)
select t.nspname::text,
       t.typname::text,
       t.typtype::text,
       case t.typtype
         when 'e' then array(
           select e.enumlabel::text
           from pg_enum e
           where e.enumtypid = t.oid
           order by e.enumsortorder
         )
         when 'c' then array(
           select quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
                  || case when a.attcollation <> y.typcollation then ' COLLATE ' || a.attcollation::regcollation
                          else '' end
           from pg_attribute a
           join pg_type y on y.oid = a.atttypid
           where a.attrelid = t.typrelid
             and a.attnum > 0
             and not a.attisdropped
           order by a.attnum
         )
         when 'r' then (
           select array_remove(
             array[
               'SUBTYPE = ' || format_type(r.rngsubtype, null),
               'SUBTYPE_OPCLASS = ' || quote_ident(o.opcname),
               'COLLATION = ' || nullif(r.rngcollation, s.typcollation)::regcollation,
               'CANONICAL = ' || nullif(r.rngcanonical, 0)::regproc,
               'SUBTYPE_DIFF = ' || nullif(r.rngsubdiff, 0)::regproc,
               'MULTIRANGE_TYPE_NAME = ' || format_type(r.rngmultitypid, null)
             ],
             null
           )
           from pg_range r
           join pg_type s on s.oid = r.rngsubtype
           join pg_opclass o on o.oid = r.rngsubopc
           where r.rngtypid = t.oid
         )
         else array_remove(
           array[
             format_type(t.typbasetype, t.typtypmod),
             case when t.typcollation <> b.typcollation then 'COLLATE ' || t.typcollation::regcollation end,
             'DEFAULT ' || pg_get_expr(t.typdefaultbin, 0),
             case when t.typnotnull then 'NOT NULL' end
           ],
           null
         ) || array(
           select pg_get_constraintdef(c.oid)
           from pg_constraint c
           where c.contypid = t.oid
             and c.contype = 'c'
           order by pg_get_constraintdef(c.oid) collate "C"
         )
       end
from own t
left join pg_type b on b.oid = t.typbasetype
order by t.nspname collate "C", t.typname collate "C"
