select o.type,
       o.identity,
       jsonb_strip_nulls(jsonb_build_object(
         'mode', case when p.polpermissive then 'permissive' else 'restrictive' end,
         'command', k.command,
         'roles', r.roles,
         'using', pg_get_expr(p.polqual, p.polrelid),
         'with check', pg_get_expr(p.polwithcheck, p.polrelid)
       )),
       concat_ws(
         ' ',
         'CREATE POLICY', quote_ident(p.polname), 'ON', p.polrelid::regclass,
         case when p.polpermissive then 'AS PERMISSIVE' else 'AS RESTRICTIVE' end,
         'FOR', upper(k.command), 'TO', r.roles,
         'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
         'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'
       ),
       array[n.nspname, c.relname]::text[]
from pg_policy p
join pg_class c on c.oid = p.polrelid
join pg_namespace n on n.oid = c.relnamespace
cross join lateral pg_identify_object('pg_policy'::regclass, p.oid, 0) o
cross join lateral (
  select case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
                       else 'all' end
) k (command)
cross join lateral (
  select string_agg(role, ', ' order by role collate "C")
  from (
    select case role when 0 then 'public' else quote_ident(pg_get_userbyid(role)) end
    from unnest(p.polroles) role
  ) named (role)
) r (roles)
where p.polrelid = any(%(relations)s)
