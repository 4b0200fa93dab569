-- What is there and is not compared, by kind. Whatever a newer server knows and this module doesn't is among it: every
-- object that anything depends on, or that depends on something, has its catalog in pg_depend.
select kind, amount
from (
  select 'large object', count(*) from pg_largeobject_metadata
  union all
  select 'name of a NOT NULL constraint', count(*)
  from pg_constraint c
  where c.conrelid = any(%(relations)s) and c.contype = 'n' and c.conname !~ '_not_null[0-9]*$'
  union all
  select 'name of a domain''s check', count(*)
  from pg_constraint c join pg_type t on t.oid = c.contypid
  where c.contype = 'c' and c.oid >= 16384 and c.conname !~ '_check[0-9]*$'
    and not exists (
      select from pg_depend e where e.classid = 'pg_type'::regclass and e.objid = t.oid and e.deptype = 'e'
    )
  union all
  select 'partition whose detaching is not finished', count(*)
  from pg_inherits i where coalesce(to_jsonb(i) ->> 'inhdetachpending', 'false')::bool
  union all
  select 'object that goes with an extension', count(*) from pg_depend d where d.deptype = 'x'
  union all
  select 'object in a schema of the system', count(*)
  from (
    select 'pg_class'::regclass::oid, oid, relnamespace from pg_class where relkind not in ('i', 'I', 't')
    union all
    select 'pg_proc'::regclass, oid, pronamespace from pg_proc
    union all
    select 'pg_type'::regclass, oid, typnamespace from pg_type where typrelid = 0 and typelem = 0
    union all
    select 'pg_operator'::regclass, oid, oprnamespace from pg_operator
  ) o (classid, oid, schema)
  where o.oid >= 16384
    and o.schema in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    and not exists (select from pg_depend e where e.classid = o.classid and e.objid = o.oid and e.deptype = 'e')
  union all
  select 'relation of kind ' || c.relkind::text, count(*)
  from pg_class c
  where c.oid >= 16384 and c.relkind not in ('r', 'p', 'f', 'v', 'm', 'S', 'i', 'I', 't', 'c')
  group by c.relkind
  union all
  select 'type of kind ' || t.typtype::text, count(*)
  from pg_type t
  where t.oid >= 16384 and t.typtype not in ('b', 'p', 'e', 'd', 'c', 'r', 'm')
  group by t.typtype
  union all
  select 'constraint of kind ' || c.contype::text, count(*)
  from pg_constraint c
  where c.oid >= 16384 and c.contype not in ('p', 'u', 'f', 'c', 'x', 'n', 't')
  group by c.contype
  union all
  select 'setting of the database', coalesce(sum(cardinality(s.setconfig)), 0)
  from pg_db_role_setting s
  where s.setdatabase = (select d.oid from pg_database d where d.datname = current_database())
  union all
  select 'comment or label of the database', count(*)
  from (
    select classoid, objoid from pg_shdescription union all select classoid, objoid from pg_shseclabel
  ) l (classid, oid)
  where l.classid = 'pg_database'::regclass
    and l.oid = (select d.oid from pg_database d where d.datname = current_database())
  union all
  select 'grant on the database', count(*)
  from pg_database d
  cross join lateral aclexplode(d.datacl) g
  where d.datname = current_database() and g.grantee <> d.datdba
    and (g.grantee, g.privilege_type) not in ((0, 'TEMPORARY'), (0, 'CONNECT'))
  union all
  select 'grant on an object of the system', count(*)
  from (
    select 'pg_class'::regclass::oid, oid, 0, relacl, acldefault('r', relowner), relnamespace from pg_class
    union all
    select 'pg_class'::regclass, attrelid, attnum, attacl, '{}', relnamespace
    from pg_attribute join pg_class on pg_class.oid = attrelid
    union all
    select 'pg_proc'::regclass, oid, 0, proacl, acldefault('f', proowner), pronamespace from pg_proc
    union all
    select 'pg_type'::regclass, oid, 0, typacl, acldefault('T', typowner), typnamespace from pg_type
    union all
    select 'pg_namespace'::regclass, oid, 0, nspacl, acldefault('n', nspowner), oid from pg_namespace
  ) o (classid, oid, part, granted, by_default, schema)
  left join pg_init_privs i on (i.classoid, i.objoid, i.objsubid) = (o.classid, o.oid, o.part)
  where o.oid < 16384 and o.schema = 'pg_catalog'::regnamespace and o.granted is not null
    and not (o.granted <@ coalesce(i.initprivs, o.by_default) and coalesce(i.initprivs, o.by_default) <@ o.granted)
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
