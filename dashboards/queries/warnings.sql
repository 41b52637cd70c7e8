-- Rain warnings in force at the end of the range, whenever they were entered, and what was entered in the range.
-- warning | text |  | 预警 Warning
-- colour | number | level | 颜色 Colour
-- in_force | number | yesno | 生效中 In force
-- state | text | warning | 状态 State
-- area | text |  | 范围 Area
-- author | text |  | 录入人 Author
-- acted_at | time |  | 时间 Time
-- age_s | number | s | 距今 Ago | plain
with told as (
    select subject, body, author, acted_at, commit_seq, coalesce(body ->> 'state', 'in_force') <> 'ended'
            and commit_seq = max(commit_seq) over (partition by subject) as in_force
    from grafana.act where kind = 'rain_warning' and acted_at <= to_timestamp($__unixEpochTo())
), listed as (
    select *, case when jsonb_typeof(body -> 'basins') = 'array' then body -> 'basins' else '[]' end as basins,
        case when jsonb_typeof(body -> 'streets') = 'array' then body -> 'streets' else '[]' end as streets
    from told where in_force or $__timeFilter(acted_at)
)
select l.subject as warning, case l.body ->> 'colour' when 'yellow' then 2 when 'orange' then 3 when 'red' then 4 end as colour,
    l.in_force::int as in_force, coalesce(l.body ->> 'state', 'in_force') as state,
    coalesce((select string_agg(named.name, ', ' order by named.name)
        from jsonb_array_elements_text(l.basins || l.streets) as named (name)), '全区 District') as area,
    l.author, l.acted_at, extract(epoch from to_timestamp($__unixEpochTo()) - l.acted_at)::float8 as age_s
from listed l
where l.basins || l.streets = '[]' or exists (
    select from grafana.space s
    where {{chosen:s}} and (l.streets @> to_jsonb(s.street) or l.basins @> to_jsonb(s.basin_id)))
order by l.in_force desc, l.acted_at desc, l.commit_seq desc
limit 100;
