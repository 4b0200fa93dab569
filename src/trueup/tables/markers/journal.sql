create schema if not exists trueup;

create table if not exists trueup.made (
    relation text not null,
    key text[] not null,
    run text not null,
    made_at timestamptz not null default now(),
    made_by text not null default session_user
);

create index if not exists made_relation_key_idx on trueup.made (relation, key);

create sequence if not exists trueup.numbers;

comment on table trueup.made is
    'Which rows tests made, written in the transaction that made them. trueup testdata clean deletes these and no others.';
