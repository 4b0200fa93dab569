insert into clients (phone) values ('second');
insert into clients (phone) values ('third; with a semicolon');
