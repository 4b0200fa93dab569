select o.type, o.identity, jsonb_build_object('schema', n.nspname, 'version', e.extversion),
       concat_ws(' ', 'CREATE EXTENSION', quote_ident(e.extname), 'SCHEMA', quote_ident(n.nspname)), null::text[]
from pg_extension e
join pg_namespace n on n.oid = e.extnamespace
cross join lateral pg_identify_object('pg_extension'::regclass, e.oid, 0) o
where e.oid >= 16384
