-- Which of the queries beside this one find something: to plan those that find nothing takes as long as all the others.
-- What is made after initdb has a number from 16384 on.
select array_remove(
  array[
    case when exists (select from pg_extension where oid >= 16384) then 'extensions' end,
    case when exists (select from pg_foreign_data_wrapper) then 'foreign' end,
    case when exists (select from pg_proc where oid >= 16384) then 'functions' end,
    case
      when exists (select from pg_collation where oid >= 16384)
        or exists (select from pg_ts_config where oid >= 16384)
        or exists (select from pg_ts_dict where oid >= 16384)
        or exists (select from pg_ts_parser where oid >= 16384)
        or exists (select from pg_ts_template where oid >= 16384)
      then 'languages'
    end,
    case
      when exists (select from pg_operator where oid >= 16384)
        or exists (select from pg_opclass where oid >= 16384)
        or exists (select from pg_opfamily where oid >= 16384)
        or exists (select from pg_cast where oid >= 16384)
        or exists (select from pg_language where oid >= 16384)
        or exists (select from pg_am where oid >= 16384)
        or exists (select from pg_transform)
        or exists (select from pg_conversion where oid >= 16384)
        or exists (
          select from pg_type t
          where t.oid >= 16384 and t.typtype in ('b', 'p') and not exists (select from pg_type e where e.typarray = t.oid)
        )
      then 'operators'
    end,
    case when exists (select from pg_policy) then 'policies' end,
    case when exists (select from pg_publication) or exists (select from pg_subscription) then 'replication' end,
    case when exists (select from pg_sequence) then 'sequences' end,
    case when exists (select from pg_statistic_ext) then 'statistics' end,
    case
      when exists (select from pg_trigger where not tgisinternal)
        or exists (select from pg_event_trigger)
        or exists (select from pg_rewrite where oid >= 16384 and rulename <> '_RETURN')
      then 'triggers'
    end,
    case
      when exists (select from pg_type where oid >= 16384 and typtype in ('e', 'd', 'r'))
        or exists (select from pg_class where oid >= 16384 and relkind = 'c')
      then 'user_types'
    end
  ],
  null
)
