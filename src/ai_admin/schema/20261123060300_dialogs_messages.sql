-- migrate:up

create table dialog_contexts (
    id uuid primary key default gen_random_uuid(),
    user_id text not null,
    state text not null default 'INIT',
    data jsonb not null default '{}',
    messages jsonb not null default '[]',
    last_command text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    client_id bigint references clients (id) on delete set null,
    last_activity timestamptz not null default now(),
    message_count integer not null default 0,
    last_booking_id uuid references bookings (id) on delete set null,
    session_type text not null default 'chat',
    context_metadata jsonb not null default '{}',
    company_id bigint not null references companies (company_id),
    constraint dialog_contexts_data_check check (jsonb_typeof(data) = 'object'),
    constraint dialog_contexts_messages_check check (jsonb_typeof(messages) = 'array')
);

create index dialog_contexts_company_id_last_activity_idx on dialog_contexts (company_id, last_activity);
create index dialog_contexts_client_id_idx on dialog_contexts (client_id);
create index dialog_contexts_last_booking_id_idx on dialog_contexts (last_booking_id);

create table messages (
    id uuid not null default gen_random_uuid(),
    company_id bigint not null references companies (company_id),
    phone text not null,
    direction text not null,
    content text,
    message_type text not null default 'text',
    status text,
    created_at timestamptz not null default now(),
    metadata jsonb not null default '{}',
    platform text not null default 'whatsapp',
    primary key (id, created_at),
    constraint messages_phone_check check (phone ~ '^\+[1-9][0-9]{6,14}$'),
    constraint messages_direction_check check (direction in ('incoming', 'outgoing')),
    constraint messages_status_check check (status in ('received', 'queued', 'sent', 'delivered', 'read', 'failed'))
) partition by range (created_at);

-- Takes what no month has been made for yet, so that no message is ever refused.
create table messages_default partition of messages default;

create index messages_company_id_phone_created_at_idx on messages (company_id, phone, created_at);

-- Months are those of UTC. What the default partition holds of the month moves over.
create function create_messages_partition(month date) returns text
language plpgsql
as $$
declare
    begins timestamptz := date_trunc('month', month::timestamp) at time zone 'UTC';
    ends timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') at time zone 'UTC';
    partition text := 'messages_' || to_char(month, 'YYYY_MM');
begin
    if to_regclass(format('public.%I', partition)) is not null then
        return null;
    end if;
    lock table public.messages in share update exclusive mode;
    lock table public.messages_default in access exclusive mode;
    execute format('create table public.%I (like public.messages including all)', partition);
    execute format(
        'with moved as (delete from public.messages_default where created_at >= %L and created_at < %L returning *)'
        ' insert into public.%I select * from moved',
        begins, ends, partition
    );
    execute format('alter table public.messages attach partition public.%I for values from (%L) to (%L)',
        partition, begins, ends);
    return partition;
end
$$;

-- Makes the partitions of this month and the months ahead; returns those that were missing. Drops nothing.
create function maintain_messages_partitions(months_ahead integer default 3) returns setof text
language plpgsql
as $$
declare
    this_month timestamp := date_trunc('month', now() at time zone 'UTC');
    made text;
begin
    for ahead in 0..months_ahead loop
        made := public.create_messages_partition((this_month + make_interval(months => ahead))::date);
        if made is not null then
            return next made;
        end if;
    end loop;
end
$$;

-- Drops the months that lie wholly before a day, with their messages; returns their names. Only who asks for it.
create function drop_messages_partitions(before date) returns setof text
language plpgsql
as $$
declare
    partition text;
begin
    for partition in
        select child.relname
        from pg_inherits
        join pg_class as child on child.oid = inhrelid
        where inhparent = 'public.messages'::regclass
          and child.relname ~ '^messages_[0-9]{4}_[0-9]{2}$'
          and to_date(substr(child.relname, 10), 'YYYY_MM') + interval '1 month' <= before
        order by child.relname
    loop
        execute format('drop table public.%I', partition);
        return next partition;
    end loop;
end
$$;

-- migrate:down

drop function drop_messages_partitions(date);
drop function maintain_messages_partitions(integer);
drop function create_messages_partition(date);
drop table messages;
drop table dialog_contexts;
