-- What no comparison looks at, and every dump shows: names of NOT NULL constraints, which 18 has, of the checks of domains
-- and of the indexes that partitions have from their parents; and how many members belong to an operator class itself.
select 'not null', o.identity, c.conname::text
from pg_constraint c
cross join lateral pg_identify_object('pg_class'::regclass, c.conrelid, c.conkey[1]) o
where c.contype = 'n'
  and c.conrelid >= 16384
  and (c.conislocal or exists (select from pg_class r where r.oid = c.conrelid and r.relispartition))
union all
select 'domain constraint', pg_get_constraintdef(c.oid) || ' of ' || t.identity, c.conname::text
from pg_constraint c
cross join lateral pg_identify_object('pg_type'::regclass, c.contypid, 0) t
where c.contype = 'c'
  and c.contypid >= 16384
union all
select 'server', 'version', current_setting('server_version_num')
union all
select 'index of a partition', o.identity || ' for ' || t.identity, x.relname::text
from pg_inherits h
join pg_class x on x.oid = h.inhrelid and x.relkind in ('i', 'I')
join pg_index i on i.indexrelid = x.oid
cross join lateral pg_identify_object('pg_class'::regclass, h.inhparent, 0) o
cross join lateral pg_identify_object('pg_class'::regclass, i.indrelid, 0) t
union all
select 'members of an operator class', o.identity, count(*)::text
from pg_depend d
cross join lateral pg_identify_object('pg_opclass'::regclass, d.refobjid, 0) o
where d.refclassid = 'pg_opclass'::regclass
  and d.refobjid >= 16384
  and d.deptype = 'i'
group by o.identity
