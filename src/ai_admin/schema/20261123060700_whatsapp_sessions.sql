-- migrate:up

-- company_id is a text that refers to nothing: rows of other times hold it in two forms ('962302', 'company_962302'), a
-- session is paired before its company is known, and no deletion of a company may take the only copy of its keys along.
-- A version comes from one sequence a table, so that a row which was deleted and made anew never repeats one.
create table whatsapp_auth (
    company_id text primary key,
    creds jsonb not null,
    version bigint generated always as identity,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint whatsapp_auth_company_id_check check (company_id ~ '^[A-Za-z0-9_-]{1,50}$'),
    constraint whatsapp_auth_creds_check check (jsonb_typeof(creds) = 'object')
);

create table whatsapp_keys (
    company_id text not null,
    key_type text not null,
    key_id text not null,
    value jsonb not null,
    version bigint generated always as identity,
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (company_id, key_type, key_id),
    constraint whatsapp_keys_company_id_check check (company_id ~ '^[A-Za-z0-9_-]{1,50}$'),
    constraint whatsapp_keys_key_type_check check (key_type <> ''),
    constraint whatsapp_keys_value_check check (value <> 'null')
);

comment on column whatsapp_keys.expires_at is 'NULL: never. Counts only for the types that may expire.';

create index whatsapp_keys_expires_at_idx on whatsapp_keys (expires_at) where expires_at is not null;

-- migrate:down

drop table whatsapp_keys;
drop table whatsapp_auth;
