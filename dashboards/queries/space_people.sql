-- Whether people can get out of a space, by its newest judgement at the end of the range: stairs, doors, and when the inside is red.
-- finding | text |  | 结论 Finding
-- value | number |  | 值 Value
-- unit | text |  | 单位 Unit
-- depth_m | number | m | 水深或水头 Depth or head
-- sensor | text |  | 传感器 Sensor
-- age_s | number | s | 数据龄 Age
select (p ->> 'text_zh') || ' · ' || (p ->> 'text_en') as finding, (p ->> 'value')::float8 as value, p ->> 'unit' as unit,
    (p ->> 'depth_m')::float8 as depth_m, p ->> 'sensor' as sensor,
    extract(epoch from to_timestamp($__unixEpochTo()) - (p ->> 'observed_at')::timestamptz)::float8 as age_s
from grafana.space_at(to_timestamp($__unixEpochTo())) s
join lateral (
    select a.evidence from grafana.assessment a
    where a.space_id = s.space_id and a.tick_at > to_timestamp($__unixEpochTo() - 3600) and a.tick_at <= to_timestamp($__unixEpochTo())
    order by a.tick_seq desc limit 1
) a on true
cross join lateral jsonb_array_elements(coalesce(a.evidence -> 'people', '[]'::jsonb)) with ordinality found (p, place)
where {{in:place:s.space_id}}
order by found.place;
