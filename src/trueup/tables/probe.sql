create function pg_temp.trueup_probe(statement text, payload json, passed integer)
returns table (item integer, state text, constraint_of text, column_of text)
language plpgsql
as $probe$
declare
    items json[];
    size integer;
    part json;
begin
    select array_agg(each.value order by each.ordinality)
    into items
    from json_array_elements(payload) with ordinality as each;
    size := greatest(1, ceil(cardinality(items) / 8.0));
    for low in 1 .. cardinality(items) by size loop
        part := array_to_json(items[low : low + size - 1]);
        begin
            execute statement using part;
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
            elsif json_array_length(part) = 1 then
                item := passed + low - 1;
                return next;
            else
                return query
                select found.item, found.state, found.constraint_of, found.column_of
                from pg_temp.trueup_probe(statement, part, passed + low - 1) as found;
            end if;
        end;
    end loop;
end
$probe$
