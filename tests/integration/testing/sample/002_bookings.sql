-- migrate:up
create table bookings (
    id bigint generated always as identity primary key,
    client_id bigint not null references clients deferrable initially deferred,
    starts_at timestamptz not null
);

-- migrate:down
drop table bookings;
