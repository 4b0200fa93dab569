select s.seqrelid,
       format_type(s.seqtypid, null),
       s.seqstart,
       s.seqincrement,
       s.seqmin,
       s.seqmax,
       s.seqcache,
       s.seqcycle,
       (
         select array[n.nspname, c.relname, a.attname]::text[]
         from pg_depend o
         join pg_class c on c.oid = o.refobjid
         join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = o.refobjid and a.attnum = o.refobjsubid
         where o.classid = 'pg_class'::regclass
           and o.objid = s.seqrelid
           and o.refclassid = 'pg_class'::regclass
           and o.deptype in ('a', 'i')
       ),
       array(
         select array[n.nspname, c.relname, a.attname]::text[]
         from pg_depend o
         join pg_attrdef d on d.oid = o.objid
         join pg_class c on c.oid = d.adrelid
         join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
         where o.classid = 'pg_attrdef'::regclass
           and o.refclassid = 'pg_class'::regclass
           and o.refobjid = s.seqrelid
         order by n.nspname collate "C", c.relname collate "C", a.attname collate "C"
       ),
       exists (
         select
         from pg_depend o
         where o.classid = 'pg_class'::regclass
           and o.objid = s.seqrelid
           and o.refclassid = 'pg_class'::regclass
           and o.deptype = 'i'
       )
from pg_sequence s
where s.seqrelid = any(%(relations)s)
