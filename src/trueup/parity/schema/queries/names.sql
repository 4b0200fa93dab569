-- What no comparison looks at, and every dump shows: names of NOT NULL constraints, which 18 has, of the checks of domains
-- and of the indexes that partitions have from their parents.
select 'not null', o.identity, c.conname::text
from pg_constraint c
cross join lateral pg_identify_object('pg_class'::regclass, c.conrelid, c.conkey[1]) o
where c.contype = 'n'
  and c.conrelid >= 16384
union all
select 'domain constraint', pg_get_constraintdef(c.oid) || ' of ' || t.identity, c.conname::text
from pg_constraint c
cross join lateral pg_identify_object('pg_type'::regclass, c.contypid, 0) t
where c.contype = 'c'
  and c.contypid >= 16384
union all
select 'server', 'version', current_setting('server_version_num')
union all
select 'index of a partition', o.identity || ' for ' || t.identity, x.relname::text  -- of the topmost parent's
from pg_inherits h
join pg_class x on x.oid = h.inhrelid and x.relkind in ('i', 'I')
join pg_index i on i.indexrelid = x.oid
cross join lateral pg_identify_object('pg_class'::regclass, pg_partition_root(x.oid), 0) o
cross join lateral pg_identify_object('pg_class'::regclass, i.indrelid, 0) t
