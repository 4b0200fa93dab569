create function pg_temp.trueup_probe({types}, passed integer)
returns table (item integer, state text, constraint_of text, column_of text)
language plpgsql
as $probe$
declare
    total constant integer := cardinality($1);
    size constant integer := greatest(1, ceil(total / 8.0));
begin
    for low in 0 .. total - 1 by size loop
        begin
            perform pg_temp.trueup_write({part});
            set constraints all immediate;
            raise exception using errcode = 'ZZ999';
        exception when others then
            get stacked diagnostics
                state = returned_sqlstate,
                constraint_of = constraint_name,
                column_of = column_name;
            if state = 'ZZ999' then
                continue;
            elsif left(state, 2) not in ('21', '22', '23', '44', 'P0') then
                raise;
            elsif size = 1 or low = total - 1 then
                item := passed + low;
                return next;
            else
                return query
                select found.item, found.state, found.constraint_of, found.column_of
                from pg_temp.trueup_probe({part}, passed + low) as found;
            end if;
        end;
    end loop;
end
$probe$
