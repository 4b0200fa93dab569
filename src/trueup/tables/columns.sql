select
    attribute.attname as name,
    format_type(attribute.atttypid, attribute.atttypmod) as type,
    attribute.attnotnull as not_null,
    attribute.attgenerated <> '' or attribute.attidentity = 'a' as is_generated,
    attribute.atthasdef or attribute.attidentity <> '' as has_default
from pg_attribute as attribute
where attribute.attrelid = %s::regclass
  and attribute.attnum > 0
  and not attribute.attisdropped
order by attribute.attnum
