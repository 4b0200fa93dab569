-- migrate:up
create table clients (
    id bigint generated always as identity primary key,
    phone text not null unique,
    notes text
);
insert into clients (phone) values ('first');

-- migrate:down
drop table clients;
