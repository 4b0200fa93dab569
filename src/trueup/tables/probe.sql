create function pg_temp.trueup_probe(payload text[], passed integer)
returns table (item integer, state text, constraint_of text, column_of text)
language plpgsql
as $probe$
declare
    separator constant text := payload[1];
    null_mark constant text := payload[2];
    items text[];
    total integer;
    size integer;
    part text[];
begin
    select array_agg(string_to_array(each.value, separator, null_mark) order by each.ordinality)
    into items
    from unnest(payload[3:]) with ordinality as each (value, ordinality);
    total := array_length(items, 2) - 1;
    size := greatest(1, ceil(total / 8.0));
    for low in 1 .. total by size loop
        select payload[:2] || array_agg(
            separator || array_to_string(items[n:n][low + 1 : low + size], separator, null_mark) order by n
        )
        into part
        from generate_subscripts(items, 1) as n;
        begin
            perform pg_temp.trueup_write(part);
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
            elsif size = 1 or low = total then
                item := passed + low - 1;
                return next;
            else
                return query
                select found.item, found.state, found.constraint_of, found.column_of
                from pg_temp.trueup_probe(part, passed + low - 1) as found;
            end if;
        end;
    end loop;
end
$probe$
