-- What is there and is not compared, by kind. Whatever a newer server knows and this module doesn't is among it: every
-- object that anything depends on, or that depends on something, has its catalog in pg_depend.
select kind, amount
from (
  select 'large object', count(*) from pg_largeobject_metadata
  union all
  select 'unvalidated NOT NULL', count(*)
  from pg_constraint c
  where c.conrelid = any(%(relations)s) and c.contype = 'n' and not c.convalidated
  union all
  select 'NOT NULL that is not inherited', count(*)
  from pg_constraint c
  where c.conrelid = any(%(relations)s) and c.contype = 'n' and c.connoinherit
  union all
  select 'unlogged sequence', count(*)
  from pg_class c
  where c.oid = any(%(relations)s) and c.relkind = 'S' and c.relpersistence = 'u'
    and not exists (
      select from pg_depend d
      join pg_class t on t.oid = d.refobjid and t.relpersistence = 'u'
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
    )
  union all
  select 'default of a view''s column', count(*)
  from pg_attrdef f join pg_class c on c.oid = f.adrelid
  where c.oid = any(%(relations)s) and c.relkind = 'v'
  union all
  select 'statistics target of an index''s expression', count(*)
  from pg_attribute a join pg_index i on i.indexrelid = a.attrelid
  where i.indrelid = any(%(relations)s) and coalesce(nullif(a.attstattarget, -1), -1) >= 0
  union all
  select 'name of a NOT NULL constraint', count(*)
  from pg_constraint c
  where c.conrelid = any(%(relations)s) and c.contype = 'n' and c.conname !~ '_not_null[0-9]*$'
  union all
  select 'value of a user mapping''s option', count(*) from pg_user_mappings u where u.umoptions is not null
  union all
  select 'object of ' || d.classid::regclass, count(distinct d.objid)
  from pg_depend d
  where d.objid >= 16384
    and d.classid::regclass::text <> all (array[
      'pg_am', 'pg_amop', 'pg_amproc', 'pg_attrdef', 'pg_cast', 'pg_class', 'pg_collation', 'pg_constraint',
      'pg_conversion', 'pg_default_acl', 'pg_event_trigger', 'pg_extension', 'pg_foreign_data_wrapper',
      'pg_foreign_server', 'pg_language', 'pg_namespace', 'pg_opclass', 'pg_operator', 'pg_opfamily', 'pg_policy',
      'pg_proc', 'pg_publication', 'pg_publication_namespace', 'pg_publication_rel', 'pg_rewrite', 'pg_statistic_ext',
      'pg_subscription', 'pg_transform', 'pg_trigger', 'pg_ts_config', 'pg_ts_dict', 'pg_ts_parser', 'pg_ts_template',
      'pg_type', 'pg_user_mapping'
    ])
  group by d.classid
) as counted (kind, amount)
where amount > 0
order by kind collate "C"
